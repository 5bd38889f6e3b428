"""The backends that the web BFF calls, and what it reads of their answers.

Payloads are the backends' words; ``graph/`` has the clients'. Text is text, a moment has its offset, money is written
out; only ids may come as numbers.
"""

from typing import Final, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from shared.backends.backend import Backend
from shared.backends.cache import CachePolicy
from shared.backends.payload import Identifier, LenientItems, Money

T = TypeVar("T")


class Payload(BaseModel):
    """How an answer is read: in camelCase, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel)


class ProfilePayload(Payload):
    """``/profile``."""

    user_id: Identifier
    display_name: str
    account_tier: str


class OrderPayload(Payload):
    """One of ``/orders``. ``user_id`` is whose it is, where the backend says so."""

    user_id: Identifier = ""
    placed: str = Field(alias="placedAt")  # letter by letter: its place in the list is made of it

    id: Identifier
    placed_at: AwareDatetime
    status: str
    amount: Money
    currency: str


class AlertPayload(Payload):
    """One of ``/alerts``; a page has those that were read, too."""

    id: Identifier
    created_at: AwareDatetime
    created: str = Field(alias="createdAt")  # as ``placed`` of an order
    severity: str
    message: str
    read_at: AwareDatetime | None = None


class LinePayload(Payload):
    """One line of an order."""

    product_id: Identifier
    name: str
    quantity: int
    unit_amount: Money
    amount: Money
    currency: str


class LinesPayload(Payload):
    """What one order is made of."""

    order_id: Identifier
    lines: LenientItems[LinePayload]


class ProductPayload(Payload):
    """One of ``/products``."""

    id: Identifier
    name: str
    category: str


class UserPayload(ProfilePayload):
    """One of ``/users``: what he may change, and the version that he changes."""

    email: str | None
    region: str
    version: Identifier


class PagePayload(Payload, Generic[T]):
    """A page of a list; ``next`` is the place after it, null at the end."""

    items: LenientItems[T]
    next: str | None


class MarkedPayload(Payload):
    """Which alerts have been read, and which are not the user's."""

    read: tuple[str, ...]
    missing: tuple[str, ...]


USERS: Final = Backend("users")
ORDERS: Final = Backend("orders")
ALERTS: Final = Backend("alerts")

# Every screen greets: as long as the users backend says that a profile holds, it is not asked for again.
PROFILE: Final = USERS.get("/api/internal/users/{user_id}/profile", into=ProfilePayload, cache=CachePolicy())
ORDERS_OF: Final = ORDERS.get("/api/internal/orders?userId={user_id}&limit=5", into=LenientItems[OrderPayload])
ALERTS_OF: Final = ALERTS.get("/api/internal/alerts?userId={user_id}", into=LenientItems[AlertPayload])

# Lists, a page at a time; ``after`` is a place that the backend named (``shared/cursors.py``).
ORDERS_PAGE: Final = ORDERS.get(
    "/api/internal/users/{user_id}/orders?limit={limit}&after={after}", into=PagePayload[OrderPayload]
)
ALERTS_PAGE: Final = ALERTS.get(
    "/api/internal/users/{user_id}/alerts?limit={limit}&after={after}&only={which}", into=PagePayload[AlertPayload]
)

# Several at once, for the loaders (``loaders.py``): what does not exist, or is another user's, is left out.
USER: Final = USERS.get("/api/internal/users/{user_id}", into=UserPayload, coalesce=False)
USERS_OF: Final = USERS.get("/api/internal/users?ids={ids}", into=LenientItems[UserPayload])
ORDERS_AMONG: Final = ORDERS.get(
    "/api/internal/orders/batch?userId={user_id}&ids={ids}", into=LenientItems[OrderPayload]
)
LINES_OF: Final = ORDERS.get("/api/internal/orders/lines?userId={user_id}&ids={ids}", into=LenientItems[LinesPayload])
PRODUCTS_OF: Final = ORDERS.get("/api/internal/products?ids={ids}", into=LenientItems[ProductPayload], public=True)
# Read after a write of the same request: one that was under way before would have missed it.
ALERTS_AMONG: Final = ALERTS.get(
    "/api/internal/alerts/batch?userId={user_id}&ids={ids}", into=LenientItems[AlertPayload], coalesce=False
)

# Writes. The patch is done once however often it comes: it names the version that it changes.
CHANGE_USER: Final = USERS.write("PATCH", "/api/internal/users/{user_id}", into=UserPayload, repeatable=True)
MARK_READ: Final = ALERTS.write("PUT", "/api/internal/users/{user_id}/alerts/read", into=MarkedPayload)
