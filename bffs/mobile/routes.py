"""The mobile BFF's public paths. Handlers are thin: parse, call one thing, return."""

from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Depends, Header, Path, Query
from pydantic import StringConstraints
from starlette.responses import Response

from bffs.mobile.backends import ReadableAlert
from bffs.mobile.paging import MOST, AskedPage
from bffs.mobile.screens import alerts, dashboard, order, orders, profile, reorder, sync
from shared.asgi.caller import CurrentUser, Fetch, bearer
from shared.asgi.context import Context
from shared.asgi.problem import problem_responses
from shared.asgi.replay import Key, replayed
from shared.asgi.screen_route import ScreenRoute, in_parts, versions_in
from shared.asgi.slow import slow_after
from shared.cursors import MAX_LENGTH
from shared.idempotency.once import Write

# What any screen may answer instead: statuses of architecture §4, and of what the edge judges first.
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = problem_responses(400, 401, 404, 426, 429, 502, 503, 504)
# What a change may be answered with beside these: its body is too large, of another type, or comes too late.
NOT_CHANGED: Final = problem_responses(412, 413, 415, 428)

# What an order may be answered with: it is under way, or another one has its key.
NOT_ORDERED: Final = problem_responses(409, 413, 415, 422)

IfMatch = Annotated[str, Header(alias="If-Match", max_length=1_000, description="The `ETag` of what is changed")]
OrderId = Annotated[str, Path(alias="orderId", min_length=1, max_length=64)]
AlertId = Annotated[str, Path(alias="alertId", min_length=1, max_length=64)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Change = Annotated[profile.ProfileChange, Body(media_type=profile.MERGE_PATCH)]
Ids = Annotated[list[Id], Body(embed=True, min_length=1, max_length=MOST)]

SINCE: Final = "`next` of the answer before; nothing: everything"
Since = Annotated[str, Query(max_length=MAX_LENGTH, description=SINCE)]
SyncLimit = Annotated[int, Query(ge=1, le=sync.MOST, description=f"Changes of each section, at most {sync.MOST}")]

router = APIRouter(prefix="/mobile/v1", responses=PROBLEMS, dependencies=[Depends(bearer)], route_class=ScreenRoute)


# Healthy it takes a few hundredths of a second: half a second means a retry or a queue, and a phone shows a spinner.
@router.get("/dashboard")
@slow_after(timedelta(milliseconds=500))
@in_parts(dashboard.PARTS)
async def get_dashboard(context: Context, user: CurrentUser, fetch: Fetch) -> dashboard.Dashboard:
    """The first screen, in one call; `degraded` names what is not fresh."""
    only = dashboard.PARTS.asked(context.query)
    return await dashboard.compose_dashboard(fetch, user.subject, context.state.clock, only)


@router.get("/sync")
async def get_sync(
    context: Context, user: CurrentUser, fetch: Fetch, since: Since = "", limit: SyncLimit = sync.USUAL
) -> sync.SyncScreen:
    """What has changed in every section since a cursor, with what is gone; everything without one."""
    return await sync.compose_sync(fetch, context.state.cursors, user.subject, since, limit)


@router.get("/orders")
async def list_orders(context: Context, user: CurrentUser, fetch: Fetch, page: AskedPage) -> orders.OrdersScreen:
    """All orders, newest first, a page at a time; what is ordered meanwhile shifts nothing."""
    return await orders.compose_orders(fetch, context.state.cursors, user.subject, page)


@router.post("/orders", status_code=201, response_model=reorder.Ordered, responses=NOT_ORDERED)
async def order_again(context: Context, user: CurrentUser, fetch: Fetch, key: Key, wish: reorder.Wish) -> Response:
    """Order the same as before, and tell the user. Safe to send again with the same key: it is done once."""
    write = Write(key, f"{user.kind} {user.subject}", "order again", wish.said)
    answer = await context.state.once(write, lambda derived: reorder.order_again(fetch, user.subject, wish, derived))
    return replayed(answer)


@router.get("/orders/{orderId}")  # noqa: FAST003 - the alias is in its type
async def get_order(context: Context, user: CurrentUser, fetch: Fetch, order_id: OrderId) -> order.OrderScreen:
    """One order with its lines; 404 when there is none, or it is another user's."""
    shown, context.version = await order.compose_order(fetch, user.subject, order_id)
    return shown


@router.get("/alerts")
async def list_alerts(
    context: Context, user: CurrentUser, fetch: Fetch, page: AskedPage,
    only: Annotated[Literal["", "unread"], Query(description="`unread`: those alone")] = "",
) -> alerts.AlertsScreen:  # fmt: skip
    """Alerts, newest first, a page at a time."""
    return await alerts.compose_alerts(fetch, context.state.cursors, user.subject, page, only)


@router.put("/alerts/read", responses=problem_responses(413, 415))
async def mark_alerts_read(user: CurrentUser, fetch: Fetch, ids: Ids) -> alerts.MarkedScreen:
    """Mark several alerts as read; again is no change."""
    return await alerts.mark_several(fetch, user.subject, ids)


@router.put("/alerts/{alertId}/read")  # noqa: FAST003 - the alias is in its type
async def mark_alert_read(user: CurrentUser, fetch: Fetch, alert_id: AlertId) -> ReadableAlert:
    """Mark an alert as read; again is no change."""
    return await alerts.mark_read(fetch, user.subject, alert_id)


@router.get("/profile")
async def get_profile(context: Context, user: CurrentUser, fetch: Fetch) -> profile.ProfileScreen:
    """Who is signed in; a problem when that cannot be known now."""
    shown, context.version = await profile.compose_profile(fetch, user.subject)
    return shown


@router.patch("/profile", responses=NOT_CHANGED)
async def change_profile(
    context: Context, user: CurrentUser, fetch: Fetch, change: Change, if_match: IfMatch = ""
) -> profile.ProfileScreen:
    """Change the profile, if it is still what the client has seen."""
    versions = versions_in(if_match)
    shown, context.version = await profile.change_profile(fetch, user.subject, change, versions)
    return shown
