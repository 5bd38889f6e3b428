"""The backends that the mobile BFF calls, what it asks of them, and the part of their answers that it reads.

Each model is both: ``validation_alias`` is the backend's name for a field, the camelCase alias is the client's. So a
backend may rename a field without a shipped app noticing, and a field that nobody declared never reaches a phone.
"""

from decimal import Decimal
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from shared.backends.backend import Backend


class Section(BaseModel):
    """How a part of an answer is read and written: frozen, camelCase, no NaN."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, allow_inf_nan=False, coerce_numbers_to_str=True
    )


def _money(value: object) -> object:
    """Refuse binary floats: 0.1 + 0.2 is no price."""
    if isinstance(value, float):
        raise ValueError("money is a decimal string")  # noqa: TRY004 - pydantic turns ValueError into a finding
    return value


Money = Annotated[Decimal, BeforeValidator(_money), PlainSerializer(str, return_type=str, when_used="json")]


class Profile(Section):
    """Who the dashboard greets."""

    user_id: str
    display_name: str
    tier: str = Field(validation_alias="accountTier")


class Order(Section):
    """One order, as far as a list shows it. Ids are strings: they exceed what a JavaScript number holds."""

    id: str
    status: str
    amount: Money
    currency: str
    placed_at: AwareDatetime


class Alert(Section):
    """One thing the user should know."""

    id: str
    severity: str
    message: str
    created_at: AwareDatetime


USERS: Final = Backend("users")
ORDERS: Final = Backend("orders")
ALERTS: Final = Backend("alerts")

PROFILE: Final = USERS.get("/api/internal/users/{user_id}/profile", into=Profile)
RECENT_ORDERS: Final = ORDERS.get("/api/internal/orders?userId={user_id}&limit=5", into=tuple[Order, ...])
ACTIVE_ALERTS: Final = ALERTS.get("/api/internal/alerts?userId={user_id}", into=tuple[Alert, ...])
