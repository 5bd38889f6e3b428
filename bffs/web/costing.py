"""Sums up what a document may cost (``costs.py``), once for all requests that send it.

Fields of one name in one place count once, as they are executed once; each alias of a field counts. What ``@skip``
leaves out by a variable counts all the same, and so does every type that an abstract field may turn out to be: a cost
is the most that an operation can take.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
)

from bffs.web.costs import ASSUMED, MOST_ITEMS, ONE, Cost, ListSize, OperationCost, Size


def cost_of(
    schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> OperationCost:
    """Sum up a valid operation."""
    root = schema.get_root_type(operation.operation)
    defaults = {
        one.variable.name.value: int(one.default_value.value)
        for one in operation.variable_definitions or ()
        if isinstance(one.default_value, IntValueNode)
    }
    if root is None:
        return OperationCost()
    return _Count(schema, fragments, defaults).of([(root.name, operation.selection_set)], {})


class _Asked(NamedTuple):
    """Fields of one name of the answer, in one type."""

    owner: str
    definition: GraphQLField
    nodes: list[FieldNode]


class _Count:
    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], defaults: Mapping[str, int]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._defaults = defaults

    def of(self, sets: Iterable[tuple[str, SelectionSetNode]], sized: Mapping[str, Size]) -> OperationCost:
        """Sum up one place of the answer. ``sized`` are the fields that have the size of the connection above."""
        total = OperationCost()
        asked: dict[tuple[str, str], _Asked] = {}
        for owner, node in self._flat(sets):
            definition = self._definition(owner, node.name.value)
            if definition is not None:
                key = (owner, (node.alias or node.name).value)
                asked.setdefault(key, _Asked(owner, definition, [])).nodes.append(node)
        for field in asked.values():
            total += self._field(field, sized)
        return total

    def _field(self, asked: _Asked, sized: Mapping[str, Size]) -> OperationCost:
        node, kind = asked.nodes[0], get_named_type(asked.definition.type)
        weight, declared = _declared(asked.definition)
        size = self._size(asked.definition, node, declared)
        below = {} if declared is None or not declared.sized_fields else dict.fromkeys(declared.sized_fields, size)
        each = self.of([(kind.name, one.selection_set) for one in asked.nodes if one.selection_set], below)
        if is_composite_type(kind):
            each += OperationCost(1)
        times = sized.get(node.name.value, ONE if below else size)
        return OperationCost(weight) + each.times(times)

    def _size(self, definition: GraphQLField, node: FieldNode, declared: ListSize | None) -> Size:
        if declared is None:
            return Size(None, ASSUMED) if _is_list(definition) else ONE
        for name in declared.slicing_arguments or ():
            given = next((one.value for one in node.arguments or () if one.name.value == name), None)
            if given is not None:
                return self._given(given, declared.assumed_size)
        return Size(None, declared.assumed_size)

    def _given(self, value: ValueNode, assumed: int) -> Size:
        if isinstance(value, IntValueNode):
            return Size(None, min(abs(int(value.value)), MOST_ITEMS))
        if isinstance(value, VariableNode):
            return Size(value.name.value, self._defaults.get(value.name.value, assumed))
        return Size(None, assumed)

    def _definition(self, owner: str, name: str) -> GraphQLField | None:
        kind = self._schema.type_map.get(owner)
        if name.startswith("__") or not is_composite_type(kind):  # what the schema says of itself costs no backend
            return None
        return self._schema.get_field(kind, name)

    def _flat(self, sets: Iterable[tuple[str, SelectionSetNode]]) -> Iterator[tuple[str, FieldNode]]:
        """Give the fields of one place with their types; a fragment counts once in it, as when it is executed."""
        left = [(owner, one) for owner, each in sets for one in each.selections]
        spread: set[tuple[str, str]] = set()
        while left:
            owner, node = left.pop()
            if isinstance(node, FieldNode):
                yield owner, node
            elif isinstance(node, InlineFragmentNode):
                inner = node.type_condition.name.value if node.type_condition else owner
                left += [(inner, one) for one in node.selection_set.selections]
            elif isinstance(node, FragmentSpreadNode) and (owner, node.name.value) not in spread:
                spread.add((owner, node.name.value))
                fragment = self._fragments.get(node.name.value)
                if fragment is not None:
                    inner = fragment.type_condition.name.value
                    left += [(inner, one) for one in fragment.selection_set.selections]


def _declared(definition: GraphQLField) -> tuple[int, ListSize | None]:
    ours = definition.extensions.get("strawberry-definition")
    directives = getattr(ours, "directives", ())
    weight = next((one.weight for one in directives if isinstance(one, Cost)), 0)
    return weight, next((one for one in directives if isinstance(one, ListSize)), None)


def _is_list(definition: GraphQLField) -> bool:
    kind = definition.type
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)
