"""Field types for what backends send, where plain ``str``, ``float`` and ``list`` would lose or invent something."""

from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import (
    BeforeValidator,
    ConfigDict,
    RootModel,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

T = TypeVar("T")


def _number_as_text(value: Any) -> Any:
    return str(value) if type(value) is int else value  # not isinstance: to Python, true is a number


def _or_null(value: Any, fit: ValidatorFunctionWrapHandler) -> Any:
    try:
        return fit(value)
    except ValidationError:
        return None


# Ids beyond 2^53 come as text or as whole numbers, and are text for every client; NaN and 1.5 are no ids.
Identifier = Annotated[str, BeforeValidator(_number_as_text)]

# Plain notation: neither 1E+2 nor a binary float's 12.299999 ever stands on a screen as a price.
Money = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,4})?$")]


class LenientItems(RootModel[tuple[Annotated[T | None, WrapValidator(_or_null)], ...]], Generic[T]):
    """A list of which one bad item is null and does not take the others with it (field case W5)."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _something_fits(self) -> Self:
        """Refuse a list of which nothing fits: that is another payload, not one bad item."""
        if self.root and not any(item is not None for item in self.root):
            raise ValueError("no item fits")
        return self
