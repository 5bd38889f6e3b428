"""Field types for what backends send, where plain ``str``, ``float`` and ``list`` would lose or invent something."""

from typing import Annotated, Any, Generic, Self, TypeVar

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
Identifier = Annotated[
    str, GetPydanticSchema(lambda _type, rest: rest.generate_schema(_TextOrNumber)), WithJsonSchema({"type": "string"})
]

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
