"""Pages of lists, forwards: what a connection of any kind has (Relay's cursor connections).

Owns the arguments, ``PageInfo``, and the cursors of a page. What follows a cursor is the same whatever was added to the
list meanwhile: a cursor is a place in the backend's own order (``shared/cursors.py`` seals it).
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final, NamedTuple, TypeVar

import strawberry

from bffs.web.backends import PagePayload
from bffs.web.context import WebContext, WebInfo
from bffs.web.costs import ListSize
from shared.errors import ProblemCode, ProblemError

# What a screen shows, and the most that one may ask for at once.
PAGE: Final = 20
MOST: Final = 50

First = Annotated[int, strawberry.argument(description=f"How many, 1 to {MOST}.")]
After = Annotated[str | None, strawberry.argument(description="Begin after this cursor; without one, at the newest.")]

SIZED: Final = ListSize(assumed_size=PAGE, slicing_arguments=["first"], sized_fields=["edges", "nodes"])

T = TypeVar("T")


class Asked(NamedTuple):
    """Which page: so many, after a place of the backend's, of the caller's list ``of``."""

    first: int
    after: str
    of: str


def page_of(context: WebContext, first: int, after: str | None, of: str) -> Asked:
    """Read the arguments. Raises ProblemError(INVALID_REQUEST)."""
    if not 1 <= first <= MOST:
        raise ProblemError(ProblemCode.INVALID_REQUEST, f"`first` is 1 to {MOST}.")
    return Asked(first, _place(context, after, of), of)


def _place(context: WebContext, after: str | None, of: str) -> str:
    return "" if after is None else context.cursors.open(after, user=context.user.subject, of=of)


class Place:
    """A place in a list, whose cursor is sealed when somebody asks for it."""

    __slots__ = ("_of", "_text")

    def __init__(self, text: str, of: str) -> None:
        self._text = text
        self._of = of

    def cursor(self, context: WebContext) -> str:
        """Return the cursor."""
        return context.cursors.seal(self._text, user=context.user.subject, of=self._of)


def places(page: PagePayload[T], asked: Asked, place_of: Callable[[T], str]) -> Iterator[Place]:
    """Give the place of each item. One that could not be read has that of the item before: nothing is ever skipped."""
    here = asked.after
    for item in page.items.root:
        here = here if item is None else place_of(item)
        yield Place(here, asked.of)


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Forwards only: a list grows at its front, and `before` would mean something else a moment later."""

    has_next_page: bool = strawberry.field(description="Whether there is more after this page.")
    has_previous_page: bool = strawberry.field(description="Whether this page began after a cursor.")
    start: strawberry.Private[Place | None]
    end: strawberry.Private[Place | None]

    @strawberry.field(description="Cursor of the first item; null on an empty page.")
    def start_cursor(self, info: WebInfo) -> str | None:
        """Seal it."""
        return None if self.start is None else self.start.cursor(info.context)

    @strawberry.field(description="Cursor of the last item: the next page's `after`; null on an empty page.")
    def end_cursor(self, info: WebInfo) -> str | None:
        """Seal it."""
        return None if self.end is None else self.end.cursor(info.context)


def page_info(page: PagePayload[Any], asked: Asked, found: list[Place]) -> PageInfo:
    """Say where a page stands."""
    end = found[-1] if found else None
    return PageInfo(
        has_next_page=page.next is not None,
        has_previous_page=bool(asked.after),
        start=found[0] if found else None,
        end=Place(page.next, asked.of) if page.next is not None else end,
    )
