"""The reference of a GraphQL surface: what can be asked, with an operation to copy and to send; then every type."""

import json

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_specified_scalar_type,
)

from dev.portal.html import Html, tag
from dev.portal.layout import badge, example, note, page, ways
from dev.portal.samples import ORIGIN, curl, operation_for
from dev.portal.tree import Bff


def graph_reference(bff: Bff, bffs: tuple[Bff, ...], *, ca: str, traces: str) -> str:
    """Return the page."""
    assert bff.graph is not None  # noqa: S101 - asked for graphs alone
    roots = [(kind, root) for kind, root in _roots(bff.graph) if root is not None]
    types = [one for name, one in sorted(bff.graph.type_map.items()) if _is_shown(name, one, roots)]
    contents = tag(
        "nav",
        *(
            tag("a", badge(kind), tag("span", name), href=f"#{kind}-{name}")
            for kind, root in roots
            for name in root.fields
        ),
        *(tag("a", tag("span", one.name), href=f"#{one.name}") for one in types),
        class_="contents",
        aria_label="Fields and types",
    )
    title = tag(
        "section",
        tag("h1", f"{bff.name.capitalize()}: the graph"),
        note(bff.graph.query_type.description if bff.graph.query_type else None),
        tag("p", tag("a", "Open GraphiQL", href=f"/portal/{bff.name}/graphiql", class_="button")),
        class_="hero",
    )
    asked = [
        _field(bff, bff.graph, kind, name, field, ca) for kind, root in roots for name, field in root.fields.items()
    ]
    body = tag("div", contents, tag("div", title, *asked, *map(_type, types)), class_="columns")
    return page(f"{bff.name} graph", bffs, body, here=bff.name, traces=traces, wide=True)


def _roots(schema: GraphQLSchema) -> tuple[tuple[str, GraphQLObjectType | None], ...]:
    return ("query", schema.query_type), ("mutation", schema.mutation_type), ("subscription", schema.subscription_type)


def _is_shown(name: str, one: GraphQLNamedType, roots: list[tuple[str, GraphQLObjectType]]) -> bool:
    ours = not name.startswith("__") and not is_specified_scalar_type(one)
    return ours and one not in [root for _, root in roots]


def _path(bff: Bff) -> str:
    return next((one.match for one in bff.routes if "POST" in one.methods), f"/{bff.name}/graphql")


def _field(bff: Bff, schema: GraphQLSchema, kind: str, name: str, field: GraphQLField, ca: str) -> Html:
    operation, path = operation_for(name, field, schema, kind), _path(bff)
    body = {"query": operation}
    head = tag("h2", badge(kind), tag("code", name), tag("span", str(field.type), class_="type"))
    arguments = [
        tag("li", tag("code", arg, class_="name"), tag("span", str(one.type), class_="type"), note(one.description))
        for arg, one in field.args.items()
    ]
    call = example(
        "Example", curl("POST", ORIGIN + path, ca, body=body),
        send=kind == "query", method="POST", path=path, body=json.dumps(body),
    )  # fmt: skip
    return tag(
        "section",
        head,
        note(field.description),
        note(f"Deprecated: {field.deprecation_reason}") if field.deprecation_reason else None,
        ways(bff.route_of("POST", path)),
        tag("div", tag("h3", "Arguments"), tag("ul", *arguments, class_="members")) if arguments else None,
        call,
        class_="operation",
        id=f"{kind}-{name}",
    )


def _type(one: GraphQLNamedType) -> Html:
    return tag(
        "section", tag("h2", tag("code", one.name)), note(one.description), _inside(one), class_="kind", id=one.name
    )


def _inside(one: GraphQLNamedType) -> Html | None:
    if isinstance(one, GraphQLEnumType):
        values = [
            tag("li", tag("code", name, class_="name"), note(value.description)) for name, value in one.values.items()
        ]
        return tag("ul", *values, class_="members")
    if isinstance(one, GraphQLUnionType):
        return tag("p", *(tag("a", tag("code", kind.name), href=f"#{kind.name}") for kind in one.types), class_="enum")
    if isinstance(one, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        members = [
            tag(
                "li",
                tag("code", name, class_="name"),
                tag("a", str(field.type), href=f"#{get_named_type(field.type).name}", class_="type"),
                note(field.description),
                note(f"Deprecated: {field.deprecation_reason}") if field.deprecation_reason else None,
            )
            for name, field in one.fields.items()
        ]
        return tag("ul", *members, class_="members")
    return None
