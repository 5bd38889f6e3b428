"""Example calls: a body that fits a schema, an operation that fits a graph, and the curl that sends either."""

import json
from typing import Any, Final

from graphql import (
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from dev.contracts.schema import Json, Schemas

# What the page puts the signed-in user's token in place of.
TOKEN: Final = "$TOKEN"  # noqa: S105 - a place, not a token
# Where the edge is unless it is elsewhere; the page puts its own address in place of it.
ORIGIN: Final = "https://localhost:8443"
# A tree that holds itself ends here.
DEEPEST: Final = 6
_PLAIN: Final[dict[str, Any]] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True}
_FORMATS: Final = {
    "date-time": "2026-11-24T22:00:00Z",
    "date": "2026-11-24",
    "uuid": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
}


def value_for(schemas: Schemas, schema: Any, depth: int = 0) -> Any:
    """Return a value that a schema allows: its own example where it has one."""
    _, whole = schemas.resolve(schema)
    for key in ("const", "default", "example"):
        if whole.get(key) is not None:
            return whole[key]
    if whole.get("examples") or whole.get("enum"):
        return (whole.get("examples") or whole["enum"])[0]
    node = schemas.node(schema)
    if node.variants:
        return value_for(schemas, (whole.get("oneOf") or whole.get("anyOf") or [{}])[0], depth + 1)
    kind = next(iter(sorted(node.types)), "object")
    if kind == "array":
        return [value_for(schemas, node.keywords.get("items", {}), depth + 1)]
    if kind == "object":
        members = node.keywords.get("properties", {}) if depth < DEEPEST else {}
        return {name: value_for(schemas, one, depth + 1) for name, one in members.items()}
    return _FORMATS.get(node.keywords.get("format", ""), _PLAIN.get(kind))


def operation_for(name: str, field: GraphQLField, schema: GraphQLSchema, kind: str = "query") -> str:
    """Return an operation that asks a root field for what it has without going deep."""
    arguments = [f"{arg}: {_literal(one.type, schema)}" for arg, one in field.args.items() if is_required_argument(one)]
    given = f"({', '.join(arguments)})" if arguments else ""
    return f"{kind} {{ {name}{given}{_selection(get_named_type(field.type), 2)} }}".replace("  ", " ")


def _selection(kind: GraphQLNamedType, levels: int) -> str:
    if is_leaf_type(kind):
        return ""
    if not isinstance(kind, GraphQLObjectType):
        return " { __typename }"
    own = [name for name, one in kind.fields.items() if is_leaf_type(get_named_type(one.type)) and not one.args]
    deeper = [
        f"{name}{_selection(get_named_type(one.type), levels - 1)}"
        for name, one in kind.fields.items()
        if levels > 1 and isinstance(get_named_type(one.type), GraphQLObjectType) and not one.args
    ]
    return f" {{ {' '.join([*own, *deeper]) or '__typename'} }}"


def _literal(kind: Any, schema: GraphQLSchema) -> str:
    named = get_named_type(kind)
    if fields := getattr(named, "fields", None):
        given = [f"{name}: {_literal(one.type, schema)}" for name, one in fields.items() if is_required_argument(one)]
        return f"{{{', '.join(given)}}}"
    if values := getattr(named, "values", None):
        return str(next(iter(values)))
    return {"Int": "1", "Float": "1.5", "Boolean": "true"}.get(named.name, '"text"')


def curl(
    method: str, url: str, ca: str, *, body: Any = None, media: str = "application/json", headers: Json | None = None
) -> str:
    """Return a call as one shell command; ``$TOKEN`` stands where the token belongs."""
    parts = [f"curl --cacert {ca}"]
    if method != "GET":
        parts[0] += f" -X {method}"
    said = {
        "authorization": f"Bearer {TOKEN}",
        **(headers or {}),
        **({"content-type": media} if body is not None else {}),
    }
    parts += [f'-H "{name}: {value}"' for name, value in said.items()]
    if body is not None:
        text = json.dumps(body, ensure_ascii=False).replace("'", "'\\''")
        parts.append(f"-d '{text}'")
    return " \\\n  ".join([*parts, f"'{url}'"])
