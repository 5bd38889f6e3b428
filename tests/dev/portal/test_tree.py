"""Which route takes an operation, and examples that fit what they are examples of."""

import json
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from dev.contracts.schema import Schemas
from dev.portal.html import joined, prose, tag
from dev.portal.samples import curl, operation_for, value_for
from dev.portal.tree import Route, read_tree

ROOT = Path(__file__).resolve().parents[3]


def route(match: str, *methods: str) -> Route:
    return Route("x", "x", match, methods, ())


@pytest.mark.parametrize(
    ("match", "path", "taken"),
    [
        ("/mobile/{**rest}", "/mobile/v1/orders/{id}", True),
        ("/mobile/{**rest}", "/mobile", True),
        ("/mobile/{**rest}", "/mobiles", False),
        ("/web/graphql", "/web/graphql", True),
        ("/web/graphql", "/web/graphql/x", False),
        ("/orders/{id}", "/orders/{orderId}", True),
        ("/orders/{id}", "/orders/{orderId}/lines", False),
    ],
)
def test_a_route_takes_what_its_match_says(match: str, path: str, taken: bool) -> None:
    """A prefix never cuts a segment; a parameter is one segment."""
    assert route(match).takes("GET", path) is taken
    assert not route(match, "POST").takes("GET", path)


def test_every_operation_of_every_surface_has_its_route() -> None:
    """Nothing in a contract is unreachable, and what the portal shows is the route's own policy."""
    bffs, routes = read_tree(ROOT)
    assert {"mobile", "web"} <= {one.name for one in bffs}
    for bff in bffs:
        for operation in bff.operations():
            method, _, path = operation.shown.partition(" ")
            found = bff.route_of(method, path)
            assert found in routes
            assert found.says("auth")


def test_an_example_of_every_root_field_is_valid() -> None:
    """The graph itself would take it."""
    (web,) = (one for one in read_tree(ROOT)[0] if one.name == "web")
    assert web.graph is not None
    roots = {"query": web.graph.query_type, "mutation": web.graph.mutation_type}
    fields = [(kind, name, field) for kind, root in roots.items() if root for name, field in root.fields.items()]
    asked = [operation_for(name, field, web.graph, kind) for kind, name, field in fields]
    assert len(asked) >= 2
    for text in asked:
        assert validate(web.graph, parse(text)) == [], text


def test_an_example_value_fits_its_schema() -> None:
    """Closed lists, formats, lists and choices."""
    kind, node = {"$ref": "#/components/schemas/Kind"}, {"$ref": "#/components/schemas/Node"}
    members = {"kind": kind, "next": node}
    document = {
        "components": {"schemas": {"Kind": {"enum": ["a", "b"]}, "Node": {"type": "object", "properties": members}}}
    }
    schemas = Schemas(document)
    assert value_for(schemas, kind) == "a"
    assert value_for(schemas, {"type": "array", "items": {"type": "string", "format": "date"}}) == ["2026-11-24"]
    assert value_for(schemas, {"anyOf": [{"type": "integer"}, {"type": "null"}]}) == 1
    assert value_for(schemas, node)["next"]["kind"] == "a"  # and it comes to an end


def test_required_arguments_are_given() -> None:
    """With something of their kind."""
    graph = build_schema(
        "type Query { find(by: By!, n: Int! = 3, kind: Kind!): String } input By { id: ID!, more: String }"
        "enum Kind { x y }"
    )
    assert graph.query_type is not None
    text = operation_for("find", graph.query_type.fields["find"], graph)
    assert text == 'query { find(by: {id: "text"}, kind: x) }'
    assert validate(graph, parse(text)) == []


def test_a_body_with_quotes_survives_the_shell() -> None:
    """As data of one argument."""
    said = curl(
        "PATCH", "https://localhost:8443/x", "/ca.pem", body={"a": "it's"}, media="application/merge-patch+json"
    )
    assert "-X PATCH" in said
    assert json.dumps({"a": "it's"}).replace("'", "'\\''") in said


def test_text_is_never_markup() -> None:
    """Whatever a contract says."""
    assert tag("p", "<script>", title='"') == '<p title="&quot;">&lt;script&gt;</p>'
    assert prose("a `<b>` c") == "a <code>&lt;b&gt;</code> c"
    assert joined(["<", tag("i", "x"), None]) == "&lt;<i>x</i>"
