"""The dashboard family: who you are, your last orders, your alerts, and what of it is not fresh."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import strawberry

from bffs.web.backends import ALERTS_OF, ORDERS_OF, PROFILE, AlertPayload, OrderPayload, ProfilePayload
from bffs.web.context import WebContext
from bffs.web.graph.gaps import Degraded, gaps
from shared.backends.sections import Sections, nullable, optional

STRANGER: Final = ProfilePayload.model_validate({"userId": "", "displayName": "User", "accountTier": "Free"})

# Which sections a field of the type needs; fields not named here need none.
NEEDS: Final = {"displayName": "profile", "tier": "profile", "recentOrders": "recent_orders", "alerts": "alerts"}


class DashboardSections(Sections):
    """As on the phone: without a name, with orders of five minutes ago, it is still a dashboard."""

    profile = optional(PROFILE, default=STRANGER, subject=True)
    recent_orders = optional(ORDERS_OF, default=(), stale_for=timedelta(minutes=5))
    alerts = nullable(ALERTS_OF)


@strawberry.type(description="One order, as far as a list shows it.")
class Order:
    """Ids are strings: they exceed what a JavaScript number holds."""

    id: strawberry.ID
    status: str
    amount: Decimal = strawberry.field(description="Decimal string, in `currency`.")
    currency: str = strawberry.field(description="ISO 4217.")
    placed_at: datetime


@strawberry.type(description="One thing the user should know.")
class Alert:
    """An alert."""

    id: strawberry.ID
    severity: str
    message: str
    created_at: datetime


@strawberry.type(description="The first page, in one operation.")
class Dashboard:
    """The answer; its nullable fields are those whose declared stand-in is null."""

    user_id: strawberry.ID
    display_name: str
    tier: str
    recent_orders: list[Order | None] = strawberry.field(description="An order that could not be read is null.")
    alerts: list[Alert | None] | None = strawberry.field(description="null when not known; see `degraded`.")
    aggregated_at: datetime
    degraded: list[Degraded] = strawberry.field(description="Empty when the answer is whole.")


async def compose_dashboard(context: WebContext, asked: frozenset[str]) -> Dashboard:
    """Fetch the sections behind the fields that were asked for, at once."""
    needed = {NEEDS[name] for name in asked if name in NEEDS}
    got = await context.fetch(DashboardSections, only=needed, user_id=context.user.subject)
    return Dashboard(
        user_id=strawberry.ID(context.user.subject),
        display_name=got.profile.display_name,
        tier=got.profile.account_tier,
        recent_orders=[_order(one) for one in got.recent_orders],
        alerts=None if got.alerts is None else [_alert(one) for one in got.alerts],
        aggregated_at=datetime.fromtimestamp(int(context.clock.wall_s()), UTC),
        degraded=gaps(got.degraded),
    )


def _order(found: OrderPayload | None) -> Order | None:
    if found is None:
        return None
    return Order(
        id=strawberry.ID(found.id), status=found.status, amount=found.amount, currency=found.currency,
        placed_at=found.placed_at,
    )  # fmt: skip


def _alert(found: AlertPayload | None) -> Alert | None:
    if found is None:
        return None
    return Alert(
        id=strawberry.ID(found.id), severity=found.severity, message=found.message, created_at=found.created_at
    )
