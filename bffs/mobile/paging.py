"""Pages: what a client says of the one that it wants, and the cursor of the next.

A backend's own place in a list never leaves this BFF as it is: it is sealed for its list and its user
(``shared/cursors.py``), and what comes back from a phone is opened before anybody is asked.
"""

from typing import Annotated, Final, NamedTuple

from fastapi import Depends, Query
from msgspec import Meta

from shared.cursors import MAX_LENGTH, Cursors

# A screen shows a dozen; half a hundred are what a scroll needs on a train, and 10 KB on a radio.
MOST: Final = 50
USUAL: Final = 20

NextCursor = Annotated[str | None, Meta(description="Send it as `cursor` for the next page; absent at the end")]
Cursor = Annotated[str, Query(max_length=MAX_LENGTH, description="`next` of the page before; nothing: the first")]
Limit = Annotated[int, Query(ge=1, le=MOST, description=f"How many, at most {MOST}")]


class Page(NamedTuple):
    """Which page."""

    cursor: str
    limit: int


async def page_asked(cursor: Cursor = "", limit: Limit = USUAL) -> Page:
    """Read the two parameters."""
    return Page(cursor, limit)


AskedPage = Annotated[Page, Depends(page_asked)]


def place_of(cursors: Cursors, cursor: str, of: str, user: str) -> str:
    """Return where the backend is to go on; nowhere for the first page. Raises ProblemError."""
    return cursors.open(cursor, user=user, of=of, name="cursor") if cursor else ""


def next_cursor(cursors: Cursors, place: str | None, of: str, user: str) -> str | None:
    """Return the cursor of the next page; None at the end."""
    return cursors.seal(place, user=user, of=of) if place else None
