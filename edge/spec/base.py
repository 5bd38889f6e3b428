"""What every part of the spec is made of: frozen, closed, and aware of its line."""

from ipaddress import ip_network
from typing import Annotated, Any, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)  # fmt: skip

from edge.document import Block
from edge.problems import NOWHERE, Place
from edge.units import LIST_OR_LINE, ListenAddress, parse_names

# Dots are ours: they separate a fragment's name from the names in it.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Names = Annotated[tuple[str, ...], BeforeValidator(parse_names), LIST_OR_LINE]
Count = Annotated[int, Field(gt=0, le=1_000_000_000)]
Token = Annotated[str, StringConstraints(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]  # RFC 9110 §5.6.2
# One environment variable may leave it out: set, but empty.
_OR_EMPTY = BeforeValidator(lambda value: value or None)
OptionalAddress: TypeAlias = Annotated[ListenAddress | None, _OR_EMPTY, WithJsonSchema({"type": ["string", "null"]})]
OptionalPort: TypeAlias = Annotated[
    Annotated[int, Field(gt=0, lt=2**16)] | None, _OR_EMPTY, WithJsonSchema({"type": ["integer", "string", "null"]})
]


def _network(value: str) -> str:
    try:
        return str(ip_network(value, strict=True))
    except ValueError:
        raise ValueError("write a network, e.g. 10.0.0.0/8") from None


Network = Annotated[str, AfterValidator(_network)]


# Of a spec that may be written as one word: the schema for editors says so.
ONE_WORD = ConfigDict(json_schema_extra={"x-one-word": True})


class Spec(BaseModel):
    """Frozen, knows every allowed key, and remembers the line it was written on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: Place = Field(default=NOWHERE, alias="__place__", repr=False)

    @model_validator(mode="before")
    @classmethod
    def _remember_place(cls, value: Any) -> Any:
        return {**value, "__place__": value.place} if isinstance(value, Block) else value
