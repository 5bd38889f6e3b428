"""Field types for what backends send, where plain ``str``, ``float`` and ``list`` would lose or invent something.

They mean the same in a shape and in a pydantic model.
"""

from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, Self, TypeVar

from msgspec import Meta
from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    RootModel,
    Strict,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)

from shared.shape import AsText

T = TypeVar("T")


def _or_null(value: Any, fit: ValidatorFunctionWrapHandler) -> Any:
    try:
        return fit(value)
    except ValidationError:
        return None


# Ids beyond 2^53 come as text or as whole numbers, and are text for every client; NaN and 1.5 are no ids.
# Text, the usual case, is judged without a call into Python.
_Number = Annotated[int, Strict(), AfterValidator(str)]
_TextOrNumber = Annotated[Annotated[str, Strict()] | _Number, Field(union_mode="left_to_right")]
if TYPE_CHECKING:
    Identifier = str  # what it is once it has been read
else:
    Identifier = Annotated[
        str | int, AsText(), GetPydanticSchema(lambda _type, rest: rest.generate_schema(_TextOrNumber)),
        WithJsonSchema({"type": "string"}),
    ]  # fmt: skip

# Plain notation: neither 1E+2 nor a binary float's 12.299999 ever stands on a screen as a price.
PRICE: Final = r"^-?[0-9]{1,15}(\.[0-9]{1,4})?"
# One for Rust's regular expressions, and JSON Schema's; one for Python's, whose "$" is before a last line break, too.
Money = Annotated[str, StringConstraints(pattern=f"{PRICE}$"), Meta(pattern=rf"{PRICE}\Z")]


# The first judges a list of good items without a call into Python; the second comes when one of them is bad.
_Items = Annotated[
    tuple[T, ...] | tuple[Annotated[T | None, WrapValidator(_or_null)], ...], Field(union_mode="left_to_right")
]


class LenientItems(RootModel[_Items[T]], Generic[T]):
    """A list of which one bad item is null and does not take the others with it (field case W5)."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _something_fits(self) -> Self:
        """Refuse a list of which nothing fits: that is another payload, not one bad item."""
        if self.root and not any(item is not None for item in self.root):
            raise ValueError("no item fits")
        return self
