"""The backends that the mobile BFF calls, what it asks of them, and the part of their answers that it reads.

Each model is both: ``validation_alias`` is the backend's name for a field, the camelCase alias is the client's. So a
backend may rename a field without a shipped app noticing, and a field that nobody declared never reaches a phone.
"""

from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from shared.backends.backend import Backend
from shared.backends.cache import CachePolicy
from shared.backends.payload import Identifier, Money


class Section(BaseModel):
    """How a part of an answer is read and written: frozen, camelCase, no NaN, and no payload in an error's text."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, allow_inf_nan=False, hide_input_in_errors=True
    )


class Profile(Section):
    """Who the dashboard greets."""

    user_id: Identifier
    display_name: str
    tier: str = Field(validation_alias="accountTier")


class Order(Section):
    """One order, as far as a list shows it. Ids are strings: they exceed what a JavaScript number holds."""

    id: Identifier
    status: str
    amount: Money
    currency: str
    placed_at: AwareDatetime


class Alert(Section):
    """One thing the user should know."""

    id: Identifier
    severity: str
    message: str
    created_at: AwareDatetime


USERS: Final = Backend("users")
ORDERS: Final = Backend("orders")
ALERTS: Final = Backend("alerts")

# Every screen greets: as long as the users backend says that a profile holds, it is not asked for again.
PROFILE: Final = USERS.get("/api/internal/users/{user_id}/profile", into=Profile, cache=CachePolicy())
RECENT_ORDERS: Final = ORDERS.get("/api/internal/orders?userId={user_id}&limit=5", into=tuple[Order, ...])
ACTIVE_ALERTS: Final = ALERTS.get("/api/internal/alerts?userId={user_id}", into=tuple[Alert, ...])
