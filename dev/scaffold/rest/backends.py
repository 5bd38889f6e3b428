"""What the newcomer BFF asks of its backends, and the part of their answers that its clients get."""

from typing import Final

from shared.backends.backend import Backend
from shared.backends.payload import Identifier, Money
from shared.shape import Moment, Shape

USERS: Final = Backend("users")
ORDERS: Final = Backend("orders")


class Customer(Shape, frozen=True):
    """Whom newcomer's answer is about."""

    user_id: Identifier
    display_name: str


CUSTOMER: Final = USERS.get("/api/internal/users/{user_id}/profile", into=Customer)


class Purchase(Shape, frozen=True):
    """One order, as newcomer shows it."""

    id: Identifier
    amount: Money
    currency: str
    placed_at: Moment


PURCHASES: Final = ORDERS.get("/api/internal/orders?userId={user_id}&limit=5", into=tuple[Purchase, ...])
