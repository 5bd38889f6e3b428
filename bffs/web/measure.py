"""How large a document is, before anything that takes longer than reading it looks at it.

Owns one walk over what an operation selects, fragments expanded, fields of one name in one place put together as
execution does. It knows no schema and trusts nothing: fragments may be unknown, cyclic, or spread ninety times.

``pairs`` and ``fragments`` bound what validation takes: graphql-core compares the fields of one name, and fragments,
each with each (OverlappingFieldsCanBeMerged), half a second of it for a thousand tokens made for the purpose.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)


class TooLargeError(Exception):
    """The document is over a limit; the text says over which, for whoever wrote the document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeLimits:
    """What a document may have. Every number is well above the largest page that we know of."""

    # Each field of the root is a fan-out of its own, and no page has more parts (field case W4).
    root_fields: int = 10
    # A page renames a field now and then; somebody who tries passwords does it fifty times.
    aliases: int = 30
    # A connection's item with its lines is five deep; GraphiQL's introspection has fifteen.
    depth: int = 16
    # Fields after fragments are expanded: a thousand tokens name at most as many.
    fields: int = 2000
    # At 5 us a pair some ten milliseconds of validation. Forty-five components that each ask for one field make 990.
    pairs: int = 2000
    # The largest page has a dozen.
    fragments: int = 60


LIMITS: Final = SizeLimits()


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Return a document's fragments by their names."""
    return {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}


def refuse_too_large(document: DocumentNode, limits: SizeLimits = LIMITS) -> None:
    """Raise TooLargeError when any operation or fragment of the document is over a limit."""
    fragments = fragments_of(document)
    if len(fragments) > limits.fragments:
        raise TooLargeError(f"A document has at most {limits.fragments} fragments.")
    walk = _Walk(fragments, limits)
    for one in document.definitions:
        if isinstance(one, OperationDefinitionNode):
            walk.root(one)
    for name, fragment in fragments.items():  # validation looks into those that nobody spreads, too
        if name not in walk.reached:
            walk.into([fragment.selection_set], 1)


class _Walk:
    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], limits: SizeLimits) -> None:
        self._fragments = fragments
        self._limits = limits
        self._fields = self._pairs = 0
        self.reached: set[str] = set()

    def root(self, operation: OperationDefinitionNode) -> None:
        names = {(one.alias or one.name).value for one in self._flat([operation.selection_set])}
        if len(names) > self._limits.root_fields:
            raise TooLargeError(f"An operation has at most {self._limits.root_fields} root fields.")
        if self.into([operation.selection_set], 1) > self._limits.aliases:
            raise TooLargeError(f"An operation has at most {self._limits.aliases} aliases.")

    def into(self, sets: Iterable[SelectionSetNode], depth: int) -> int:
        """Count one place and all below it; return its aliases."""
        if depth > self._limits.depth:
            raise TooLargeError(f"Fields are nested at most {self._limits.depth} deep.")
        places: dict[str, list[FieldNode]] = {}
        for field in self._flat(sets):
            places.setdefault((field.alias or field.name).value, []).append(field)
        aliases = 0
        for fields in places.values():
            aliases += any(one.alias is not None for one in fields)
            self._count_pairs(len(fields))
            below = [one.selection_set for one in fields if one.selection_set]
            if below:
                aliases += self.into(below, depth + 1)
        return aliases

    def _flat(self, sets: Iterable[SelectionSetNode]) -> Iterator[FieldNode]:
        """Give the fields of one place; a fragment counts once in it, as it does when it is executed."""
        left = [one for each in sets for one in each.selections]
        spread: set[str] = set()
        while left:
            node = left.pop()
            self._fields += 1
            if self._fields > self._limits.fields:
                raise TooLargeError(f"A document has at most {self._limits.fields} fields, fragments expanded.")
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                left += node.selection_set.selections
            elif isinstance(node, FragmentSpreadNode) and (name := node.name.value) not in spread:
                spread.add(name)
                left += self._fragments[name].selection_set.selections if name in self._fragments else ()
        self.reached |= spread

    def _count_pairs(self, many: int) -> None:
        self._pairs += many * (many - 1) // 2
        if self._pairs > self._limits.pairs:
            raise TooLargeError("Too many fields have one name in one place.")
