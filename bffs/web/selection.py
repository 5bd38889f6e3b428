"""Which fields a document asks for: through fragments, without what ``@skip`` and ``@include`` leave out.

Each fragment is visited once. Strawberry's own ``selected_fields`` expands every spread anew, and ninety fragments
that each spread the next one twice would keep it busy for ever.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionNode,
    VariableNode,
)


def fields_of(
    selections: Iterable[SelectionNode],
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
) -> Iterator[FieldNode]:
    """Give the fields of one selection set, in no particular order. Unknown fragments are validation's business."""
    left = list(selections)
    visited: set[str] = set()
    while left:
        node = left.pop()
        if _is_left_out(node, variables):
            continue
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, InlineFragmentNode):
            left += node.selection_set.selections
        elif isinstance(node, FragmentSpreadNode) and (name := node.name.value) not in visited:
            visited.add(name)
            left += fragments[name].selection_set.selections if name in fragments else ()


def _is_left_out(node: SelectionNode, variables: Mapping[str, Any]) -> bool:
    for directive in node.directives or ():
        name = directive.name.value
        if name in {"skip", "include"} and directive.arguments:
            value = directive.arguments[0].value  # `if`, their only argument
            on = variables.get(value.name.value) if isinstance(value, VariableNode) else getattr(value, "value", None)
            if on is (name == "skip"):
                return True
    return False
