"""A JSON Schema for people: members with their types, as deep as one wants to look."""

from typing import Any, Final

from dev.contracts.schema import Node, Schemas
from dev.portal.html import Html, tag
from dev.portal.layout import note

# Deeper than any answer of ours; a tree that holds itself ends here too.
DEEPEST: Final = 6
_SHOWN: Final = ("format", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "default")


def shown_schema(schemas: Schemas, schema: Any) -> Html:
    """Return a schema: its members, or what it is when it has none."""
    node = schemas.node(schema)
    return _members(schemas, node, 0) or tag("p", _type_of(schemas, node), class_="type")


def _members(schemas: Schemas, node: Node, depth: int) -> Html | None:
    inner = _inside(schemas, node)
    properties = inner.keywords.get("properties", {})
    if not properties or depth > DEEPEST:
        return None
    must = set(inner.keywords.get("required", ()))
    rows = (_member(schemas, name, one, name in must, depth) for name, one in properties.items())
    return tag("ul", *rows, class_="members")


def _member(schemas: Schemas, name: str, schema: Any, must: bool, depth: int) -> Html:
    node = schemas.node(schema)
    _, whole = schemas.resolve(schema)
    rules = [f"{key} {node.keywords[key]}" for key in _SHOWN if node.keywords.get(key) is not None]
    values = [tag("code", str(value)) for value in node.keywords.get("enum", ())]
    line = (
        tag("code", name, class_="name"),
        tag("span", _type_of(schemas, node), class_="type"),
        tag("span", "required", class_="must") if must else None,
        *(tag("span", one, class_="rule") for one in rules),
        note(schema.get("description") or whole.get("description")),
        tag("p", *values, class_="enum") if values else None,
    )
    below = _members(schemas, node, depth + 1)
    if below is None:
        return tag("li", *line)
    return tag("li", *line, tag("details", tag("summary", "members"), below, open=depth < 1))


def _inside(schemas: Schemas, node: Node) -> Node:
    """Go through lists to what they hold."""
    while "items" in node.keywords:
        node = schemas.node(node.keywords["items"])
    return node


def _type_of(schemas: Schemas, node: Node) -> str:
    if "items" in node.keywords:
        said = f"list of {_type_of(schemas, schemas.node(node.keywords['items']))}"
    elif node.variants:
        said = " or ".join(node.variants)
    else:
        said = node.name or " or ".join(sorted(node.types)) or "anything"
    return f"{said} or null" if node.nullable else said
