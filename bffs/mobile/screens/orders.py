"""The orders: all of them, a page at a time, newest first."""

from bffs.mobile.backends import ORDER_PAGE, Order
from bffs.mobile.paging import NextCursor, Page, next_cursor, place_of
from shared.asgi.caller import FetchSections
from shared.backends.sections import Degraded, Sections, required
from shared.cursors import Cursors
from shared.shape import Shape

LIST = "orders"


class OrdersSections(Sections):
    """One page; without it there is nothing to show."""

    page = required(ORDER_PAGE)


class OrdersScreen(Shape, frozen=True, omit_defaults=True):
    """A page of orders."""

    items: tuple[Order, ...]
    degraded: tuple[Degraded, ...]
    next: NextCursor = None


async def compose_orders(fetch: FetchSections, cursors: Cursors, user_id: str, page: Page) -> OrdersScreen:
    """Ask for the page that begins where the last one ended."""
    after = place_of(cursors, page.cursor, LIST, user_id)
    got = await fetch(OrdersSections, user_id=user_id, limit=str(page.limit), after=after)
    following = next_cursor(cursors, got.page.next, LIST, user_id)
    return OrdersScreen(items=got.page.items, next=following, degraded=got.degraded)
