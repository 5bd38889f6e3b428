"""The alerts: a page at a time, read or not; and the two ways to mark them as read."""

import re
from typing import Annotated, Final

from msgspec import Meta

from bffs.mobile.backends import ALERT_PAGE, MARK_READ, MARK_SEVERAL, ReadableAlert
from bffs.mobile.paging import NextCursor, Page, next_cursor, place_of
from shared.asgi.caller import FetchSections
from shared.backends.content import content
from shared.backends.sections import Degraded, Sections, required
from shared.cursors import Cursors
from shared.shape import Shape

# What the alerts backend takes for an id; it refuses a whole list for one that is none.
AN_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class AlertsSections(Sections):
    """One page; without it there is nothing to show."""

    page = required(ALERT_PAGE)


class AlertsScreen(Shape, frozen=True, omit_defaults=True):
    """A page of alerts."""

    items: tuple[ReadableAlert, ...]
    degraded: tuple[Degraded, ...]
    next: NextCursor = None


class ReadSections(Sections):
    """One alert, marked."""

    alert = required(MARK_READ, subject=True)


class SeveralSections(Sections):
    """Several at once."""

    marked = required(MARK_SEVERAL)


class MarkedScreen(Shape, frozen=True):
    """What came of marking several."""

    read: tuple[str, ...]
    missing: Annotated[tuple[str, ...], Meta(description="Ids that are none of the user's alerts")]


async def compose_alerts(
    fetch: FetchSections, cursors: Cursors, user_id: str, page: Page, which: str
) -> AlertsScreen:  # fmt: skip
    """Ask for the page that begins where the last one of the same list ended."""
    of = f"alerts {which}"
    after = place_of(cursors, page.cursor, of, user_id)
    got = await fetch(AlertsSections, user_id=user_id, limit=str(page.limit), after=after, which=which)
    following = next_cursor(cursors, got.page.next, of, user_id)
    return AlertsScreen(items=got.page.items, next=following, degraded=got.degraded)


async def mark_read(fetch: FetchSections, user_id: str, alert_id: str) -> ReadableAlert:
    """Mark one; again is no change."""
    return (await fetch(ReadSections, user_id=user_id, alert_id=alert_id)).alert


async def mark_several(fetch: FetchSections, user_id: str, ids: list[str]) -> MarkedScreen:
    """Mark several; again is no change. What can be no id is none of the user's, and nobody is asked about it."""
    strange = tuple(one for one in ids if not AN_ID.fullmatch(one))
    asked = [one for one in ids if one not in strange]
    if not asked:
        return MarkedScreen(read=(), missing=strange)
    got = await fetch(SeveralSections, contents={"marked": content({"ids": asked})}, user_id=user_id)
    return MarkedScreen(read=got.marked.read, missing=(*got.marked.missing, *strange))
