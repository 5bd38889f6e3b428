"""The dashboard family: who you are, your last orders, your alerts, and what of it is not fresh."""

from datetime import UTC, datetime, timedelta
from typing import Final

import strawberry

from bffs.web.backends import ALERTS_OF, ORDERS_OF, PROFILE, OrderPayload, ProfilePayload
from bffs.web.context import WebContext
from bffs.web.costs import ListSize
from bffs.web.graph.alerts import Alert, alert_of
from bffs.web.graph.gaps import FEW_GAPS, Degraded, gaps
from bffs.web.graph.orders import Order, order_of
from shared.backends.payload import LenientItems
from shared.backends.sections import Sections, nullable, optional

STRANGER: Final = ProfilePayload.model_validate({"userId": "", "displayName": "User", "accountTier": "Free"})

# Which section fills a field of the type; fields not named here need none.
NEEDS: Final = {"displayName": "profile", "tier": "profile", "recentOrders": "recent_orders", "alerts": "alerts"}


class DashboardSections(Sections):
    """As on the phone: without a name, with orders of five minutes ago, it is still a dashboard."""

    profile = optional(PROFILE, default=STRANGER, subject=True)
    recent_orders = optional(ORDERS_OF, default=LenientItems[OrderPayload](()), stale_for=timedelta(minutes=5))
    alerts = nullable(ALERTS_OF)


@strawberry.type(description="The first page, in one operation. Only the sections behind selected fields are fetched.")
class Dashboard:
    """The answer; its nullable fields are those whose declared stand-in is null."""

    user_id: strawberry.ID = strawberry.field(description="Whose dashboard it is: the token's subject.")
    display_name: str = strawberry.field(description="How to greet the user. Section `profile`.")
    tier: str = strawberry.field(description="The account's tier. Section `profile`.")
    recent_orders: list[Order | None] = strawberry.field(
        description="Newest first; an order that could not be read is null. Section `recentOrders`.",
        directives=[ListSize(assumed_size=5)],
    )
    alerts: list[Alert | None] | None = strawberry.field(
        description="null when not known; an alert that could not be read is null. Section `alerts`.",
        directives=[ListSize(assumed_size=20)],
    )
    aggregated_at: datetime = strawberry.field(description="When this answer was put together.")
    degraded: list[Degraded] = strawberry.field(
        description="Empty when all sections that were asked for are fresh.", directives=[FEW_GAPS]
    )


async def compose_dashboard(context: WebContext, asked: frozenset[str]) -> Dashboard:
    """Fetch the sections behind the fields that were asked for, at once."""
    needed = {NEEDS[name] for name in asked if name in NEEDS}
    got = await context.fetch(DashboardSections, only=needed, user_id=context.user.subject)
    return Dashboard(
        user_id=strawberry.ID(context.user.subject),
        display_name=got.profile.display_name,
        tier=got.profile.account_tier,
        recent_orders=[order_of(one) for one in got.recent_orders.root],
        alerts=None if got.alerts is None else [alert_of(one) for one in got.alerts.root],
        aggregated_at=datetime.fromtimestamp(int(context.clock.wall_s()), UTC),
        degraded=gaps(got.degraded),
    )
