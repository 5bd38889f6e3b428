"""The backends that the web BFF calls, and what it reads of their answers.

Payloads are the backends' words; ``graph/`` has the clients'. Text is text, a moment has its offset, money is written
out; only ids may come as numbers.
"""

from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from shared.backends.backend import Backend
from shared.backends.cache import CachePolicy
from shared.backends.payload import Identifier, LenientItems, Money


class Payload(BaseModel):
    """How an answer is read: in camelCase, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel)


class ProfilePayload(Payload):
    """``/profile``."""

    user_id: Identifier
    display_name: str
    account_tier: str


class OrderPayload(Payload):
    """One of ``/orders``."""

    id: Identifier
    placed_at: AwareDatetime
    status: str
    amount: Money
    currency: str


class AlertPayload(Payload):
    """One of ``/alerts``."""

    id: Identifier
    created_at: AwareDatetime
    severity: str
    message: str


USERS: Final = Backend("users")
ORDERS: Final = Backend("orders")
ALERTS: Final = Backend("alerts")

# Every screen greets: as long as the users backend says that a profile holds, it is not asked for again.
PROFILE: Final = USERS.get("/api/internal/users/{user_id}/profile", into=ProfilePayload, cache=CachePolicy())
ORDERS_OF: Final = ORDERS.get("/api/internal/orders?userId={user_id}&limit=5", into=LenientItems[OrderPayload])
ALERTS_OF: Final = ALERTS.get("/api/internal/alerts?userId={user_id}", into=LenientItems[AlertPayload])
