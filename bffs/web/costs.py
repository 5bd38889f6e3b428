"""What an operation may cost: declared on the schema's fields, summed up over a document, known before it runs.

Owns ``@cost`` and ``@listSize`` (after IBM's cost directives, with Int for String) and what a sum is. How one is made
of a document is ``costing.py``.

    field       its weight, and for each thing that it gives: 1 if that is an object, and what is asked of it
    list        as many things as its size: an argument's value, or what the field assumes
    connection  its ``sizedFields`` have the size, instead of the field itself

A weight of 1 is about one call to a backend. Sizes may be variables, so a sum is made once a document and solved once a
request.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import strawberry
from strawberry.schema_directive import Location, schema_directive

# What a list without a declared size is taken for; a test sees to it that none is left without.
ASSUMED: Final = 10
# Beyond it a page size is refused by its resolver anyway, and a sum must not run away before.
MOST_ITEMS: Final = 1000


@schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="cost",
    description="What a field costs beside the objects that it gives. 1 is about one call to a backend.",
)
class Cost:
    """``directives=[Cost(weight=3)]``."""

    weight: int = strawberry.directive_field(name="weight")


@schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="listSize",
    description="How many things a list is taken to have: what an argument says, or else `assumedSize`.",
)
class ListSize:
    """``directives=[ListSize(assumed_size=5)]``; with the other two, for a connection."""

    assumed_size: int = strawberry.directive_field(name="assumedSize")
    slicing_arguments: list[str] | None = strawberry.directive_field(name="slicingArguments", default=strawberry.UNSET)
    sized_fields: list[str] | None = strawberry.directive_field(name="sizedFields", default=strawberry.UNSET)


class Size(NamedTuple):
    """How many: a variable of the request, or ``otherwise``."""

    variable: str | None
    otherwise: int

    def of(self, variables: Mapping[str, Any]) -> int:
        """Return the number; what is no count counts as what is assumed, for its resolver will refuse it."""
        said = None if self.variable is None else variables.get(self.variable)
        if isinstance(said, bool) or not isinstance(said, int | float) or not said >= 0:  # NaN is not, either
            return self.otherwise
        return int(min(said, MOST_ITEMS))  # JSON's 5.0 is an Int, too


ONE: Final = Size(None, 1)


class OperationCost:
    """A sum: ``fixed``, and for each sized part how many times what it costs."""

    __slots__ = ("_fixed", "_sized")

    def __init__(self, fixed: int = 0, sized: Iterable[tuple[Size, "OperationCost"]] = ()) -> None:
        self._fixed = fixed
        self._sized = tuple(sized)

    def of(self, variables: Mapping[str, Any]) -> int:
        """Solve it for one request."""
        return self._fixed + sum(size.of(variables) * part.of(variables) for size, part in self._sized)

    def __add__(self, other: "OperationCost") -> "OperationCost":
        """Add two sums."""
        return OperationCost(self._fixed + other._fixed, (*self._sized, *other._sized))

    def times(self, size: Size) -> "OperationCost":
        """Return this sum, that many times."""
        if size.variable is None and not self._sized:
            return OperationCost(self._fixed * size.otherwise)
        return OperationCost(0, [(size, self)])
