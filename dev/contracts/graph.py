"""What changed between two GraphQL schemas, and what of them a client's documents read.

What is a change, graphql-core decides; owns the coordinates (``Order.amount``, ``Query.orders(first:)``) by which a
change meets its readers.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from graphql import (
    ArgumentNode,
    BreakingChange,
    DangerousChange,
    DocumentNode,
    FieldNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    Visitor,
    find_breaking_changes,
    find_dangerous_changes,
    get_named_type,
    type_from_ast,
    validate,
    visit,
)

from dev.contracts.change import BREAKING, DANGEROUS, Change, Side

_COORDINATE: Final = re.compile(r"@\w+|\b\w+\.\w+(?:\(\w+:\))?")
# Sentences of graphql-core that name what joined or left first, and what it joined or left last.
_WHOLE_LAST: Final = {"type-removed-from-union", "type-added-to-union", "implemented-interface-added"}
# What concerns everybody who reads the type: no document names the value or the member itself.
_OF_THE_TYPE: Final = {
    "value-removed-from-enum", "value-added-to-enum", "type-removed", "type-changed-kind", "required-input-field-added",
    "optional-input-field-added", "implemented-interface-removed", *_WHOLE_LAST,
}  # fmt: skip


def graph_changes(old: GraphQLSchema, new: GraphQLSchema) -> tuple[Change, ...]:
    """Return every breaking and dangerous change, the worst first."""
    found: Iterable[BreakingChange | DangerousChange] = (
        *find_breaking_changes(old, new),
        *find_dangerous_changes(old, new),
    )
    changes = (_change(one, old, new) for one in found)
    return tuple(sorted(changes, key=lambda one: (one.severity != BREAKING, one.key)))


def _change(found: BreakingChange | DangerousChange, old: GraphQLSchema, new: GraphQLSchema) -> Change:
    kind = found.type.name.lower().replace("_", "-")
    where = _where(kind, found.description, {**old.type_map, **new.type_map})
    return Change(
        kind=kind,
        side=_side(kind, where, old),
        where=where,
        says=found.description,
        severity=BREAKING if isinstance(found, BreakingChange) else DANGEROUS,
    )


def _where(kind: str, said: str, types: dict[str, Any]) -> str:
    if coordinate := _COORDINATE.search(said):
        return coordinate[0]
    named = [word for word in re.findall(r"\w+", said) if word in types]
    return named[-1 if kind in _WHOLE_LAST else 0] if named else said


def _side(kind: str, where: str, old: GraphQLSchema) -> Side:
    sent = (
        "arg" in kind.split("-") or "input" in kind or isinstance(old.get_type(_type_in(where)), GraphQLInputObjectType)
    )
    return "request" if sent else "response"


def _type_in(where: str) -> str:
    return where.partition(".")[0]


def concerns(change: Change, reads: frozenset[str]) -> bool:
    """Whether a client that reads these coordinates meets the change."""
    if change.where in reads or change.where.partition("(")[0] in reads:
        return True
    return change.kind in _OF_THE_TYPE and _type_in(change.where) in reads


def coordinates(schema: GraphQLSchema, document: DocumentNode) -> frozenset[str]:
    """Return every type, field, argument and input field that a document reads or sends."""
    types = TypeInfo(schema)
    reader = _Reader(schema, types)
    visit(document, TypeInfoVisitor(types, reader))
    return frozenset(reader.found)


class _Reader(Visitor):
    def __init__(self, schema: GraphQLSchema, types: TypeInfo) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._schema = schema
        self._types = types

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent, result = self._types.get_parent_type(), get_named_type(self._types.get_type())
        if parent is not None:
            self.found |= {parent.name, f"{parent.name}.{node.name.value}"}
        if result is not None:
            self.found.add(result.name)

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        parent, field = self._types.get_parent_type(), self._types.get_field_def()
        if parent is not None and field is not None and field.ast_node is not None:
            self.found.add(f"{parent.name}.{field.ast_node.name.value}({node.name.value}:)")

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        # What a program puts into a variable, no document says: all of it may be sent.
        self.found |= set(_sent(get_named_type(type_from_ast(self._schema, node.type)), frozenset()))


def _sent(kind: Any, above: frozenset[str]) -> Iterator[str]:
    if isinstance(kind, GraphQLEnumType | GraphQLInputObjectType) and kind.name not in above:
        yield kind.name
        for name, field in kind.fields.items() if isinstance(kind, GraphQLInputObjectType) else ():
            yield f"{kind.name}.{name}"
            yield from _sent(get_named_type(field.type), above | {kind.name})


def misfits(schema: GraphQLSchema, document: DocumentNode) -> list[str]:
    """Return why a schema would refuse a client's documents; empty when it would not."""
    return [one.message for one in validate(schema, document)]
