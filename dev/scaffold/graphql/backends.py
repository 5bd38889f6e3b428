"""What the newcomer BFF asks of its backends, and what it reads of their answers."""

from typing import Final

from shared.backends.backend import Backend
from shared.backends.payload import Identifier, Money
from shared.shape import Moment, Shape

USERS: Final = Backend("users")
ORDERS: Final = Backend("orders")


class CustomerPayload(Shape, frozen=True):
    """Whom newcomer's answer is about."""

    user_id: Identifier
    display_name: str


CUSTOMER: Final = USERS.get("/api/internal/users/{user_id}/profile", into=CustomerPayload)


class PurchasePayload(Shape, frozen=True):
    """One order, as newcomer reads it."""

    id: Identifier
    amount: Money
    currency: str
    placed_at: Moment


PURCHASES: Final = ORDERS.get("/api/internal/orders?userId={user_id}&limit=5", into=tuple[PurchasePayload, ...])
