"""The backends that the web BFF calls, and what it reads of their answers.

Payloads are the backends' words; ``graph/`` has the clients'. Text is text, a moment has its offset, money is written
out; only ids may come as numbers.
"""

from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    RootModel,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from shared.backends.backend import Backend

T = TypeVar("T")


def _number_as_text(value: Any) -> Any:
    return str(value) if type(value) is int else value  # not isinstance: to Python, true is a number


def _or_null(value: Any, fit: ValidatorFunctionWrapHandler) -> Any:
    try:
        return fit(value)
    except ValidationError:
        return None


Id = Annotated[str, BeforeValidator(_number_as_text)]
# Plain notation: neither 1E+2 nor a binary float's 12.299999 ever stands on a page as a price.
Money = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,4})?$")]
Lenient = Annotated[T | None, WrapValidator(_or_null)]


class Payload(BaseModel):
    """How an answer is read: in camelCase, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel)


class Items(RootModel[tuple[Lenient[T], ...]], Generic[T]):
    """A list of which one bad item is null and does not take the others with it (field case W5)."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _something_fits(self) -> "Items[T]":
        """Refuse a list of which nothing fits: that is another payload, not one bad item."""
        if len(self.root) > 1 and not any(item is not None for item in self.root):
            raise ValueError("no item fits")
        return self


class ProfilePayload(Payload):
    """``/profile``."""

    user_id: Id
    display_name: str
    account_tier: str


class OrderPayload(Payload):
    """One of ``/orders``."""

    id: Id
    placed_at: AwareDatetime
    status: str
    amount: Money
    currency: str


class AlertPayload(Payload):
    """One of ``/alerts``."""

    id: Id
    created_at: AwareDatetime
    severity: str
    message: str


USERS: Final = Backend("users")
ORDERS: Final = Backend("orders")
ALERTS: Final = Backend("alerts")

PROFILE: Final = USERS.get("/api/internal/users/{user_id}/profile", into=ProfilePayload)
ORDERS_OF: Final = ORDERS.get("/api/internal/orders?userId={user_id}&limit=5", into=Items[OrderPayload])
ALERTS_OF: Final = ALERTS.get("/api/internal/alerts?userId={user_id}", into=Items[AlertPayload])
