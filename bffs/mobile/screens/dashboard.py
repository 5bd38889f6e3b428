"""The dashboard: who you are, your last orders, your alerts."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from msgspec import Meta

from bffs.mobile.backends import ACTIVE_ALERTS, PROFILE, RECENT_ORDERS, Alert, Order, Profile, Tier
from shared.asgi.caller import FetchSections
from shared.asgi.parts import Parts
from shared.backends.sections import Degraded, Sections, nullable, optional
from shared.clock import Clock
from shared.shape import Moment, Shape

# A dashboard without a name is still a dashboard (the seed's own defaults).
NOBODY: Final = Profile(user_id="", display_name="User", tier=Tier.FREE)


class DashboardSections(Sections):
    """Orders of five minutes ago are better than none. No default for alerts: "none" would be a claim, null is not."""

    profile = optional(PROFILE, default=NOBODY, subject=True)
    recent_orders = optional(RECENT_ORDERS, default=(), stale_for=timedelta(minutes=5))
    alerts = nullable(ACTIVE_ALERTS)


class Dashboard(Shape, frozen=True):
    """The first screen, in one answer."""

    user_id: str
    display_name: str
    tier: Tier
    recent_orders: tuple[Order, ...]
    alerts: Annotated[tuple[Alert, ...] | None, Meta(description="null when the alerts are not known; see `degraded`")]
    aggregated_at: Moment
    degraded: Annotated[
        tuple[Degraded, ...], Meta(description="Sections not served fresh; empty when the answer is whole")
    ]


# Name and tier are the profile's; every other section has a member of its own.
PARTS: Final = Parts(Dashboard, DashboardSections, profile=("displayName", "tier"))


async def compose_dashboard(
    fetch: FetchSections, user_id: str, clock: Clock, only: Collection[str] | None = None
) -> Dashboard:
    """Ask for everything, or only some sections, at once and say what came back."""
    got = await fetch(DashboardSections, only=only, user_id=user_id)
    return Dashboard(
        user_id=user_id,
        display_name=got.profile.display_name,
        tier=got.profile.tier,
        recent_orders=got.recent_orders,
        alerts=got.alerts,
        aggregated_at=datetime.fromtimestamp(int(clock.wall_s()), UTC),
        degraded=got.degraded,
    )
