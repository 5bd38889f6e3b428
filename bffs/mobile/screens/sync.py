"""The sync: what has changed in every section since the phone last asked, for apps that work without a network.

A cursor holds one place for each section, so each goes on by itself: a section that cannot be had now stays where it is
and is named in ``degraded``, and a backend that begins anew (another database) resets its own section alone.
"""

from typing import Annotated, Any, Final

from msgspec import Meta

from bffs.mobile.backends import Order, ReadableAlert, Tier
from bffs.mobile.changes import ALERT_CHANGES, ORDER_CHANGES, PROFILE_CHANGES, Changes, ProfileNow
from shared.asgi.caller import FetchSections
from shared.backends.payload import Identifier
from shared.backends.sections import Degraded, Sections, nullable
from shared.cursors import Cursors
from shared.shape import Shape

# Three sections of a hundred are 30 KB: a second on a bad radio. More comes with the next one.
MOST: Final = 100
USUAL: Final = 50
# Raised when the places in a cursor become others: then phones begin anew, which they can.
LIST: Final = "sync 1"
APART: Final = "\n"

Reset = Annotated[bool, Meta(description="Throw away what you hold of this section: these are all, from the beginning")]
Removed = Annotated[tuple[Identifier, ...], Meta(description="Ids of what is gone")]


class SyncSections(Sections):
    """Each by itself. None: not now."""

    profile = nullable(PROFILE_CHANGES)
    orders = nullable(ORDER_CHANGES)
    alerts = nullable(ALERT_CHANGES)


class SyncedProfile(Shape, frozen=True):
    """Who is signed in."""

    user_id: Identifier
    display_name: str
    tier: Tier
    email: str | None
    region: str


class ProfileNews(Shape, frozen=True):
    """What has changed of the profile."""

    reset: Reset
    changed: tuple[SyncedProfile, ...]
    removed: Removed


class OrderNews(Shape, frozen=True):
    """What has changed among the orders, each as it is now."""

    reset: Reset
    changed: tuple[Order, ...]
    removed: Removed


class AlertNews(Shape, frozen=True):
    """What has changed among the alerts, each as it is now."""

    reset: Reset
    changed: tuple[ReadableAlert, ...]
    removed: Removed


class SyncScreen(Shape, frozen=True):
    """What has changed, section by section."""

    profile: ProfileNews
    orders: OrderNews
    alerts: AlertNews
    more: Annotated[bool, Meta(description="There is more already: ask again at once")]
    next: Annotated[str, Meta(description="Send it as `since` next time")]
    degraded: tuple[Degraded, ...]


async def compose_sync(fetch: FetchSections, cursors: Cursors, user_id: str, since: str, limit: int) -> SyncScreen:
    """Ask every backend for what came after its place in the cursor, and say where each goes on."""
    profile, orders, alerts = places = _places(cursors, since, user_id)
    got = await fetch(SyncSections, user_id=user_id, limit=str(limit), profile=profile, orders=orders, alerts=alerts)
    news: tuple[Changes | None, ...] = (got.profile, got.orders, got.alerts)
    following = [place if one is None else one.next for place, one in zip(places, news, strict=True)]
    return SyncScreen(
        profile=ProfileNews(**_news(got.profile, _profile)),
        orders=OrderNews(**_news(got.orders)),
        alerts=AlertNews(**_news(got.alerts)),
        more=any(one.more for one in news if one is not None),
        next=cursors.seal(APART.join(following), user=user_id, of=LIST),
        degraded=got.degraded,
    )


def _places(cursors: Cursors, since: str, user_id: str) -> tuple[str, str, str]:
    """Return the places of profile, orders and alerts."""
    if not since:
        return "", "", ""
    profile, orders, alerts = cursors.open(since, user=user_id, of=LIST, name="since").split(APART)
    return profile, orders, alerts


def _profile(now: ProfileNow) -> SyncedProfile:
    return SyncedProfile(
        user_id=now.user_id, display_name=now.display_name, tier=now.account_tier, email=now.email, region=now.region
    )


def _news(changes: Any, shown: Any = lambda value: value) -> dict[str, Any]:
    """Part what is there from what is gone; nothing is known of a section that could not be had."""
    items = () if changes is None else changes.items
    return {
        "reset": changes is not None and changes.reset,
        "changed": tuple(shown(one.value) for one in items if one.value is not None),
        "removed": tuple(one.id for one in items if one.value is None),
    }
