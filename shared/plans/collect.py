"""Which fields a selection has on one object type (GraphQL §6.3.2), once ``@skip`` and ``@include`` are decided.

graphql-core does this for every request. Here the values of the variables that ``@skip`` and ``@include`` read, the
operation's switches, are part of what a plan is made for, so that each plan has one order of fields.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    is_abstract_type,
)
from graphql.language import FragmentSpreadNode

Fragments = Mapping[str, FragmentDefinitionNode]
Switches = Mapping[str, bool]

SKIP: Final = "skip"
DECIDED: Final = frozenset({SKIP, "include"})
# Their answers are about the schema and are rare; graphql-core knows them.
INTROSPECTION: Final = frozenset({"__schema", "__type"})


class NotCompiled(Exception):
    """The operation has something that plans do not say; graphql-core executes it. The text says what."""


class Scope(NamedTuple):
    """Where a selection stands: its schema, its document's fragments, and what its switches say."""

    schema: GraphQLSchema
    fragments: Fragments
    switches: Switches


def fields_by_key(
    scope: Scope, on: GraphQLObjectType, selection_sets: Iterable[SelectionSetNode]
) -> dict[str, list[FieldNode]]:
    """Return the fields of one object, by response key, in the order of the answer."""
    found: dict[str, list[FieldNode]] = {}
    visited: set[str] = set()
    for selection_set in selection_sets:
        for field in _fields(scope, on, selection_set, visited):
            found.setdefault((field.alias or field.name).value, []).append(field)
    return found


def _fields(
    scope: Scope, on: GraphQLObjectType, selection_set: SelectionSetNode, visited: set[str]
) -> Iterator[FieldNode]:
    for node in selection_set.selections:
        if not _is_asked_for(node, scope.switches):
            continue
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, InlineFragmentNode):
            if node.type_condition is None or _matches(scope.schema, node.type_condition.name.value, on):
                yield from _fields(scope, on, node.selection_set, visited)
        elif isinstance(node, FragmentSpreadNode) and node.name.value not in visited:
            fragment = scope.fragments[node.name.value]
            if _matches(scope.schema, fragment.type_condition.name.value, on):
                visited.add(node.name.value)
                yield from _fields(scope, on, fragment.selection_set, visited)


def _matches(schema: GraphQLSchema, condition: str, on: GraphQLObjectType) -> bool:
    named = schema.get_type(condition)
    return named is on or (is_abstract_type(named) and schema.is_sub_type(named, on))


def _is_asked_for(node: SelectionNode, switches: Switches) -> bool:
    return all(_value(one, switches) is not (one.name.value == SKIP) for one in node.directives or ())


def _value(directive: DirectiveNode, switches: Switches) -> bool:
    assert directive.arguments  # noqa: S101 - `if`, their only one, without which validation lets none of them pass
    value = directive.arguments[0].value
    if isinstance(value, VariableNode):
        return switches[value.name.value]
    assert isinstance(value, BooleanValueNode)  # noqa: S101 - by validation
    return value.value


def switches_of(operation: OperationDefinitionNode, fragments: Fragments) -> tuple[str, ...]:
    """Return the variables that ``@skip`` and ``@include`` read, of the operation or of any fragment beside it."""
    values = [
        directive.arguments[0].value
        for node in _selections(operation, fragments)
        for directive in node.directives or ()
        if directive.arguments
    ]
    return tuple({value.name.value: None for value in values if isinstance(value, VariableNode)})


def _selections(operation: OperationDefinitionNode, fragments: Fragments) -> Iterator[SelectionNode]:
    left: list[SelectionSetNode] = [operation.selection_set, *(one.selection_set for one in fragments.values())]
    while left:
        for node in left.pop().selections:
            yield node
            inner = getattr(node, "selection_set", None)
            if inner is not None:
                left.append(inner)


def refuse_what_is_not_said(operation: OperationDefinitionNode, fragments: Fragments) -> None:
    """Raise NotCompiled for what no plan says: subscriptions, introspection, directives that are not decided here."""
    if operation.operation is OperationType.SUBSCRIPTION:
        raise NotCompiled("it is a subscription")
    named: Sequence[Node] = (operation, *(operation.variable_definitions or ()), *fragments.values())
    if any(getattr(node, "directives", None) for node in named):
        raise NotCompiled("it has a directive on something else than a selection")
    if any(fragment.variable_definitions for fragment in fragments.values()):
        raise NotCompiled("it has a fragment with variables")
    for node in _selections(operation, fragments):
        if isinstance(node, FieldNode) and node.name.value in INTROSPECTION:
            raise NotCompiled(f"it asks for {node.name.value}")
        for directive in node.directives or ():
            if directive.name.value not in DECIDED:
                raise NotCompiled(f"it has @{directive.name.value}")
