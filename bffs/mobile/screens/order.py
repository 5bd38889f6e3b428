"""One order: what it is made of, and for whom."""

from typing import Annotated

from msgspec import Meta

from bffs.mobile.backends import ORDER, PROFILE, OrderLine, OrderStatus, Profile
from shared.asgi.caller import FetchSections
from shared.backends.payload import Money
from shared.backends.sections import Degraded, Sections, nullable, required
from shared.shape import Moment, Shape


class OrderSections(Sections):
    """The order; who it is for is good to know."""

    order = required(ORDER, subject=True)
    customer = nullable(PROFILE)


class OrderScreen(Shape, frozen=True):
    """One order in full."""

    id: str
    status: OrderStatus
    amount: Money
    currency: str
    placed_at: Moment
    lines: tuple[OrderLine, ...]
    customer: Annotated[Profile | None, Meta(description="null when it is not known now; see `degraded`")]
    degraded: tuple[Degraded, ...]


async def compose_order(fetch: FetchSections, user_id: str, order_id: str) -> tuple[OrderScreen, str]:
    """Ask for both at once; return the screen and the order's version."""
    got = await fetch(OrderSections, user_id=user_id, order_id=order_id)
    order = got.order
    shown = OrderScreen(
        id=order.id,
        status=order.status,
        amount=order.amount,
        currency=order.currency,
        placed_at=order.placed_at,
        lines=order.lines,
        customer=got.customer,
        degraded=got.degraded,
    )
    return shown, order.version
