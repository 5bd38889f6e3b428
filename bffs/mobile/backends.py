"""The backends that the mobile BFF calls, what it asks of them, and the part of their answers that it reads.

Each shape is both: ``Called`` is the backend's name for a field, its own in camelCase is the client's. So a backend may
rename a field without a shipped app noticing, and a field that nobody declared never reaches a phone.
"""

from typing import Annotated, Final

from shared.backends.backend import Backend
from shared.backends.cache import CachePolicy
from shared.backends.payload import Identifier, Money
from shared.shape import Called, Moment, Shape


class Profile(Shape, frozen=True):
    """Who the dashboard greets."""

    user_id: Identifier
    display_name: str
    tier: Annotated[str, Called("accountTier")]


class Order(Shape, frozen=True):
    """One order, as far as a list shows it. Ids are strings: they exceed what a JavaScript number holds."""

    id: Identifier
    status: str
    amount: Money
    currency: str
    placed_at: Moment


class Alert(Shape, frozen=True):
    """One thing the user should know."""

    id: Identifier
    severity: str
    message: str
    created_at: Moment


USERS: Final = Backend("users")
ORDERS: Final = Backend("orders")
ALERTS: Final = Backend("alerts")

# Every screen greets: as long as the users backend says that a profile holds, it is not asked for again.
PROFILE: Final = USERS.get("/api/internal/users/{user_id}/profile", into=Profile, cache=CachePolicy())
RECENT_ORDERS: Final = ORDERS.get("/api/internal/orders?userId={user_id}&limit=5", into=tuple[Order, ...])
ACTIVE_ALERTS: Final = ALERTS.get("/api/internal/alerts?userId={user_id}", into=tuple[Alert, ...])
