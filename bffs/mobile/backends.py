"""The backends that the mobile BFF calls, what it asks of them, and the part of their answers that it reads.

Each shape is both: ``Called`` is the backend's name for a field, its own in camelCase is the client's. So a backend may
rename a field without a shipped app noticing, and a field that nobody declared never reaches a phone.
"""

from typing import Annotated, Final

from shared.backends.backend import Backend
from shared.backends.cache import CachePolicy
from shared.backends.payload import Identifier, Money
from shared.open_enum import OpenEnum
from shared.shape import Called, Moment, Shape


class Tier(OpenEnum):
    """What the user has signed up for; `OTHER` is one that this version does not know."""

    FREE = "Free"
    SILVER = "Silver"
    GOLD = "Gold"
    OTHER = "OTHER"


class OrderStatus(OpenEnum):
    """Where an order is; `OTHER` is somewhere that this version does not know."""

    PLACED = "placed"
    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    OTHER = "OTHER"


class AlertSeverity(OpenEnum):
    """How much an alert matters; `OTHER` is a degree that this version does not know."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    OTHER = "OTHER"


class Profile(Shape, frozen=True):
    """Who the dashboard greets."""

    user_id: Identifier
    display_name: str
    tier: Annotated[Tier, Called("accountTier")]


class ProfileRecord(Shape, frozen=True):
    """All that a user may see of himself, and its version."""

    user_id: Identifier
    display_name: str
    tier: Annotated[Tier, Called("accountTier")]
    email: str | None
    region: str
    version: str


class Order(Shape, frozen=True):
    """One order, as far as a list shows it. Ids are strings: they exceed what a JavaScript number holds."""

    id: Identifier
    status: OrderStatus
    amount: Money
    currency: str
    placed_at: Moment


class OrderPage(Shape, frozen=True):
    """Some orders, and where the next ones begin; None at the end."""

    items: tuple[Order, ...]
    next: str | None


class OrderLine(Shape, frozen=True):
    """One line of an order; `amount` is `quantity` times `unitAmount`."""

    product_id: Identifier
    name: str
    quantity: int
    unit_amount: Money
    amount: Money
    currency: str


class OrderRecord(Shape, frozen=True):
    """One order with its lines, and its version."""

    id: Identifier
    status: OrderStatus
    amount: Money
    currency: str
    placed_at: Moment
    lines: tuple[OrderLine, ...]
    version: str


class Alert(Shape, frozen=True):
    """One thing the user should know."""

    id: Identifier
    severity: AlertSeverity
    message: str
    created_at: Moment


class ReadableAlert(Shape, frozen=True):
    """One thing the user should know, and when he has read it; null: not yet."""

    id: Identifier
    severity: AlertSeverity
    message: str
    created_at: Moment
    read_at: Moment | None


class Made(Shape, frozen=True):
    """That something is there now; what it says is known already."""

    id: Identifier


class AlertPage(Shape, frozen=True):
    """Some alerts, and where the next ones begin; None at the end."""

    items: tuple[ReadableAlert, ...]
    next: str | None


class Marked(Shape, frozen=True):
    """Alerts that count as read now, and those that are none of the user's."""

    read: tuple[Identifier, ...]
    missing: tuple[Identifier, ...]


USERS: Final = Backend("users")
ORDERS: Final = Backend("orders")
ALERTS: Final = Backend("alerts")

# Every screen greets: as long as the users backend says that a profile holds, it is not asked for again.
PROFILE: Final = USERS.get("/api/internal/users/{user_id}/profile", into=Profile, cache=CachePolicy())
RECENT_ORDERS: Final = ORDERS.get("/api/internal/orders?userId={user_id}&limit=5", into=tuple[Order, ...])
ACTIVE_ALERTS: Final = ALERTS.get("/api/internal/alerts?userId={user_id}", into=tuple[Alert, ...])

# What is changed here is read here: not together with a read that began before the change.
MY_PROFILE: Final = USERS.get("/api/internal/users/{user_id}", into=ProfileRecord, coalesce=False)
CHANGE_PROFILE: Final = USERS.write("PATCH", "/api/internal/users/{user_id}", into=ProfileRecord)

ORDER_PAGE: Final = ORDERS.get("/api/internal/users/{user_id}/orders?limit={limit}&after={after}", into=OrderPage)
ORDER: Final = ORDERS.get("/api/internal/users/{user_id}/orders/{order_id}", into=OrderRecord)

# Once for each key, however often it comes: that is the backend's promise.
ORDER_AGAIN: Final = ORDERS.write("POST", "/api/internal/users/{user_id}/orders", into=Order, repeatable=True)

ALERT_PAGE: Final = ALERTS.get(
    "/api/internal/users/{user_id}/alerts?limit={limit}&after={after}&only={which}", into=AlertPage, coalesce=False
)
MARK_READ: Final = ALERTS.write("PUT", "/api/internal/users/{user_id}/alerts/{alert_id}/read", into=ReadableAlert)
TELL: Final = ALERTS.write("PUT", "/api/internal/users/{user_id}/alerts/{alert_id}", into=Made)
MARK_SEVERAL: Final = ALERTS.write("PUT", "/api/internal/users/{user_id}/alerts/read", into=Marked)
