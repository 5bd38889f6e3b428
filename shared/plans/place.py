"""Places: where in an answer a value belongs, known twice over.

A ``Spot`` is what the plan knows of it: one field of one selection, or the items of its list. A ``Place`` is where it
is in one answer, as a plain tuple, because one is made for every object: the place above, the key or index, the dict or
list that holds it, the spot. From a place come the path of an error and the way up to what is null instead.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Optional

from graphql import FieldNode, GraphQLField, GraphQLObjectType
from graphql.pyutils import Path

if TYPE_CHECKING:
    from shared.plans.run import Run

# Where Strawberry keeps its own definition of a type or a field, in graphql-core's.
BACKREF: Final = "strawberry-definition"

Container = dict[str, Any] | list[Any]
Place = tuple[Optional["Place"], Any, Any, "Spot"]
# Completes a value that is there (GraphQL §6.4.3): neither null, nor an exception, nor something to wait for.
Complete = Callable[[Any, Place, "Run"], Any]


@dataclass(frozen=True, eq=False)
class Asked:
    """One field as an operation asks for it on one type: every node that names its key."""

    key: str
    nodes: list[FieldNode]
    on: GraphQLObjectType
    definition: GraphQLField

    @cached_property
    def told(self) -> tuple[Any, ...]:
        """The first parts of what its resolver is told."""
        return self.nodes[0].name.value, self.nodes, self.definition.type, self.on

    @property
    def called(self) -> str:
        """Its name for people: ``Order.lines``."""
        return f"{self.on}.{self.nodes[0].name.value}"


@dataclass(slots=True, eq=False)
class Spot:
    """One position: whose field, whether null may stand in it, and how its value is completed."""

    asked: Asked
    nullable: bool
    is_item: bool
    complete: Complete


def places_up(place: Place | None) -> Iterator[Place]:
    """Give a place and those above it, up to the root's field."""
    while place is not None:
        yield place
        place = place[0]


def keys_to(place: Place) -> list[str | int]:
    """Return the path as errors say it."""
    return [one[1] for one in places_up(place)][::-1]


def field_of(place: Place) -> Place:
    """Return the place of the field, where this may be an item of its list."""
    while place[3].is_item:
        assert place[0] is not None  # noqa: S101 - an item is in a list, which is in a field
        place = place[0]
    return place


def path_to(place: Place | None) -> Path | None:
    """Return the path as resolvers get it."""
    if place is None:
        return None
    above, key, _, spot = place
    # As Path(...) would, without its detour: every resolver's `info` has one.
    return tuple.__new__(Path, (path_to(above), key, None if spot.is_item else spot.asked.on.name))


def is_within(place: Place, above: Place) -> bool:
    """Tell whether a place is another one, or below it."""
    return any(one[2] is above[2] and one[1] == above[1] for one in places_up(place))
