"""What a client's documents read, and which change of a schema they meet."""

import pytest
from graphql import GraphQLSchema, build_schema, parse

from dev.contracts.graph import concerns, coordinates, graph_changes

SDL = """
type Query {
  orders(first: Int = 10, filter: OrderFilter): [Order!]!
  hit: Hit
}
type Order implements Node { id: ID! amount: String! status: Status! note(length: Int): String }
type Alert implements Node { id: ID! message: String! }
interface Node { id: ID! }
interface Named { id: ID! }
union Hit = Order | Alert
enum Status { open paid }
input OrderFilter { status: Status, paged: Page }
input Page { size: Int = 5 }
"""
READER = parse("query O($f: OrderFilter) { orders(filter: $f) { id amount } }")
# (edit, kind, where, side, severity, whether READER meets it)
CHANGES = [
    ("amount: String! status", "status", "field-removed", "Order.amount", "response", "breaking", True),
    ("note(length: Int): String", "", "field-removed", "Order.note", "response", "breaking", False),
    ("amount: String!", "amount: Int!", "field-changed-kind", "Order.amount", "response", "breaking", True),
    ("amount: String!", "amount: String", "field-changed-kind", "Order.amount", "response", "breaking", True),
    ("open paid }", "open }", "value-removed-from-enum", "Status.paid", "response", "breaking", True),
    ("open paid }", "open paid lost }", "value-added-to-enum", "Status.lost", "response", "dangerous", True),
    ("Order | Alert", "Order", "type-removed-from-union", "Hit", "response", "breaking", False),
    (
        "paged: Page }",
        "paged: Page, q: String! }",
        "required-input-field-added",
        "OrderFilter.q",
        "request",
        "breaking",
        True,
    ),
    (
        "paged: Page }",
        "paged: Page, q: Int }",
        "optional-input-field-added",
        "OrderFilter.q",
        "request",
        "dangerous",
        True,
    ),
    ("size: Int = 5", "size: Int = 6", "input-field-default-value-change", "Page.size", "request", "dangerous", True),
    ("size: Int = 5", "", "field-removed", "Page.size", "request", "breaking", True),
    (
        "filter: OrderFilter)",
        "filter: OrderFilter, q: Int!)",
        "required-arg-added",
        "Query.orders(q:)",
        "request",
        "breaking",
        True,
    ),
    (
        "filter: OrderFilter)",
        "filter: OrderFilter, q: Int)",
        "optional-arg-added",
        "Query.orders(q:)",
        "request",
        "dangerous",
        True,
    ),
    ("first: Int = 10, ", "", "arg-removed", "Query.orders(first:)", "request", "breaking", True),
    (
        "first: Int = 10",
        "first: Int = 20",
        "arg-default-value-change",
        "Query.orders(first:)",
        "request",
        "dangerous",
        True,
    ),
    (
        "note(length: Int)",
        "note(length: String)",
        "arg-changed-kind",
        "Order.note(length:)",
        "request",
        "breaking",
        False,
    ),
    ("Order implements Node", "Order", "implemented-interface-removed", "Order", "response", "breaking", True),
    (
        "Order implements Node",
        "Order implements Node & Named",
        "implemented-interface-added",
        "Order",
        "response",
        "dangerous",
        True,
    ),
    ("enum Status { open paid }", "scalar Status", "type-changed-kind", "Status", "response", "breaking", True),
    ("interface Named { id: ID! }", "", "type-removed", "Named", "response", "breaking", False),
]


def schema(old: str = "", new: str = "") -> GraphQLSchema:
    assert old in SDL
    text = SDL.replace(old, new) if old else SDL
    return build_schema(text.replace("{  }", "{ unused: Int }"))


@pytest.mark.parametrize(("old", "new", "kind", "where", "side", "severity", "met"), CHANGES)
def test_a_change_has_its_coordinate_and_its_readers(
    old: str, new: str, kind: str, where: str, side: str, severity: str, met: bool
) -> None:
    """Where a person would look for it, in which direction, and whether this client's documents meet it."""
    changes = [one for one in graph_changes(schema(), schema(old, new)) if one.kind == kind]

    assert [(one.where, one.side, str(one.severity)) for one in changes] == [(where, side, severity)]
    assert concerns(changes[0], coordinates(schema(), READER)) is met


def test_what_a_document_reads_goes_through_fragments_and_literals() -> None:
    """Fields by the type they stand on, arguments by name, and every field that a variable may carry."""
    document = parse(
        "query($n: Int) { hit { ... on Order { ...o } ... on Alert { message } }"
        " orders(first: 3) { note(length: $n) } }"
        "fragment o on Order { status }"
    )
    reads = coordinates(schema(), document)

    assert {"Order.status", "Alert.message", "Query.orders(first:)", "Order.note(length:)", "Status", "Hit"} <= reads
    assert "Order.amount" not in reads
    assert {"OrderFilter", "OrderFilter.paged", "Page.size", "Status"} <= coordinates(schema(), READER)
