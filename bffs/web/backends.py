"""The backends that the web BFF calls, and what it reads of their answers.

Payloads are the backends' words; ``graph/`` has the clients'. A list item that does not fit becomes null, so that one
bad order does not take the other four with it (field case W5).
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic.alias_generators import to_camel

from shared.backends.backend import Backend

T = TypeVar("T")


def _or_null(value: Any, fit: ValidatorFunctionWrapHandler) -> Any:
    try:
        return fit(value)
    except ValidationError:
        return None


Lenient = Annotated[T | None, WrapValidator(_or_null)]


class Payload(BaseModel):
    """How an answer is read: unknown fields ignored, numbers as ids welcome, NaN not."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, coerce_numbers_to_str=True, allow_inf_nan=False)


class ProfilePayload(Payload):
    """``/profile``."""

    user_id: str
    display_name: str
    account_tier: str


class OrderPayload(Payload):
    """One of ``/orders``."""

    id: str
    placed_at: datetime
    status: str
    amount: Decimal
    currency: str


class AlertPayload(Payload):
    """One of ``/alerts``."""

    id: str
    created_at: datetime
    severity: str
    message: str


USERS: Final = Backend("users")
ORDERS: Final = Backend("orders")
ALERTS: Final = Backend("alerts")

PROFILE: Final = USERS.get("/api/internal/users/{user_id}/profile", into=ProfilePayload)
ORDERS_OF: Final = ORDERS.get("/api/internal/orders?userId={user_id}&limit=5", into=tuple[Lenient[OrderPayload], ...])
ALERTS_OF: Final = ALERTS.get("/api/internal/alerts?userId={user_id}", into=tuple[Lenient[AlertPayload], ...])
