"""Every kind of change, in both directions: the same edit of the same schema, sent by clients and read by them."""

import copy
from typing import Any

import pytest

from dev.contracts.change import BREAKING, DANGEROUS, KINDS, SAFE
from dev.contracts.rest import rest_changes

Json = dict[str, Any]

ORDER: Json = {
    "type": "object",
    "required": ["id", "status", "lines"],
    "properties": {
        "id": {"type": "string"},
        "status": {"type": "string", "enum": ["open", "paid"]},
        "note": {"type": "string", "maxLength": 80, "default": "none"},
        "placedAt": {"type": "string", "format": "date-time"},
        "code": {"type": "string", "pattern": "^[A-Z]+$"},
        "total": {"type": "integer", "minimum": 0},
        "version": {"const": "v1"},
        "lines": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "buyer": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "closed": {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "string"}}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "payment": {
            "oneOf": [{"$ref": "#/components/schemas/Card"}, {"$ref": "#/components/schemas/Bank"}],
            "discriminator": {"propertyName": "kind"},
        },
    },
}
DOCUMENT: Json = {
    "openapi": "3.1.0",
    "paths": {
        "/orders/{id}": {
            "put": {
                "operationId": "put_order",
                "security": [{"bearer": ["orders"]}, {"key": []}],
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 20}},
                    {"name": "If-Match", "in": "header", "required": True, "schema": {"type": "string"}},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
                "responses": {
                    "200": {
                        "headers": {"ETag": {"required": True, "schema": {"type": "string"}}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}},
                    },
                    "404": {"content": {"application/problem+json": {"schema": {"type": "object"}}}},
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Order": ORDER,
            "Card": {"type": "object", "properties": {"kind": {"const": "card"}, "digits": {"type": "string"}}},
            "Bank": {"type": "object", "properties": {"kind": {"const": "bank"}, "iban": {"type": "string"}}},
            "Cash": {"type": "object", "properties": {"kind": {"const": "cash"}}},
        }
    },
}


def edited(edit: str) -> Json:
    """The document after one statement in which ``order``, ``of`` (its properties), ``op`` and ``doc`` are at hand."""
    document = copy.deepcopy(DOCUMENT)
    schemas = document["components"]["schemas"]
    order, operation = schemas["Order"], document["paths"]["/orders/{id}"]["put"]
    names = {"order": order, "of": order["properties"], "op": operation, "doc": document, "schemas": schemas}
    names["sent"] = operation["requestBody"]["content"]
    exec(edit, names)  # noqa: S102 - the table below
    return document


# (what is edited, the kind that is found, where, severity when clients send it, severity when they read it)
VALUES = [
    ("del of['note']", "property-removed", "Order.note", BREAKING, BREAKING),
    ("of['extra'] = {'type': 'string'}", "property-added", "Order.extra", SAFE, SAFE),
    (
        "of['extra'] = {'type': 'string'}; order['required'].append('extra')",
        "property-added-required", "Order.extra", BREAKING, SAFE,
    ),
    ("order['required'].append('note')", "property-became-required", "Order.note", BREAKING, SAFE),
    ("order['required'].remove('status')", "property-became-optional", "Order.status", SAFE, BREAKING),
    ("of['note']['deprecated'] = True", "property-deprecated", "Order.note", SAFE, SAFE),
    ("of['id'] = {'type': ['string', 'null']}", "became-nullable", "Order.id", SAFE, BREAKING),
    ("of['id'] = {'anyOf': [of['id'], {'type': 'null'}]}", "became-nullable", "Order.id", SAFE, BREAKING),
    ("of['buyer'] = {'type': 'string'}", "became-not-nullable", "Order.buyer", BREAKING, SAFE),
    ("of['id'] = {'type': 'boolean'}", "type-changed", "Order.id", BREAKING, BREAKING),
    ("of['id'] = {'type': ['string', 'integer']}", "type-widened", "Order.id", SAFE, BREAKING),
    ("of['id'] = {'anyOf': [{'type': 'string'}, {'type': 'integer'}]}", "type-widened", "Order.id", SAFE, BREAKING),
    ("of['id'] = {}", "type-widened", "Order.id", SAFE, BREAKING),
    ("of['total']['type'] = 'number'", "type-widened", "Order.total", SAFE, BREAKING),
    ("doc['was'] = of['total'].update(type='number')", "type-widened", "Order.total", SAFE, BREAKING),
    ("of['placedAt']['format'] = 'date'", "format-changed", "Order.placedAt", BREAKING, BREAKING),
    ("of['id']['format'] = 'uuid'", "format-added", "Order.id", BREAKING, SAFE),
    ("del of['placedAt']['format']", "format-removed", "Order.placedAt", SAFE, BREAKING),
    ("of['status']['enum'].remove('open')", "enum-value-removed", "Order.status", BREAKING, SAFE),
    ("of['status']['enum'].append('lost')", "enum-value-added", "Order.status", SAFE, DANGEROUS),
    ("of['note']['enum'] = ['a', 'b']", "enum-closed", "Order.note", BREAKING, SAFE),
    ("del of['status']['enum']", "enum-opened", "Order.status", SAFE, BREAKING),
    ("of['version']['const'] = 'v2'", "constant-changed", "Order.version", BREAKING, BREAKING),
    ("of['note']['pattern'] = '^a'", "pattern-added", "Order.note", BREAKING, SAFE),
    ("of['code']['pattern'] = '^[a-z]+$'", "pattern-changed", "Order.code", BREAKING, DANGEROUS),
    ("del of['code']['pattern']", "pattern-removed", "Order.code", SAFE, DANGEROUS),
    ("of['total']['multipleOf'] = 5", "pattern-added", "Order.total", BREAKING, SAFE),
    ("of['note']['maxLength'] = 40", "bound-tightened", "Order.note", BREAKING, SAFE),
    ("of['id']['minLength'] = 1", "bound-tightened", "Order.id", BREAKING, SAFE),
    ("of['note']['maxLength'] = 90", "bound-loosened", "Order.note", SAFE, DANGEROUS),
    ("del of['total']['minimum']", "bound-loosened", "Order.total", SAFE, DANGEROUS),
    ("of['lines']['minItems'] = 0", "bound-loosened", "Order.lines", SAFE, DANGEROUS),
    ("of['lines']['uniqueItems'] = True", "items-became-unique", "Order.lines", BREAKING, SAFE),
    ("del of['tags']['uniqueItems']", "items-no-longer-unique", "Order.tags", SAFE, DANGEROUS),
    ("of['lines']['items'] = {'type': 'integer'}", "type-changed", "Order.lines[]", BREAKING, BREAKING),
    ("order['additionalProperties'] = False", "unknown-properties-refused", "Order", BREAKING, SAFE),
    ("del of['closed']['additionalProperties']", "unknown-properties-allowed", "Order.closed", SAFE, SAFE),
    ("of['labels']['additionalProperties']['type'] = 'object'", "type-changed", "Order.labels.*", BREAKING, BREAKING),
    ("of['note']['default'] = 'some'", "default-changed", "Order.note", DANGEROUS, SAFE),
    ("of['payment']['oneOf'].pop()", "variant-removed", "Order.payment", BREAKING, SAFE),
    (
        "of['payment']['oneOf'].append({'$ref': '#/components/schemas/Cash'})",
        "variant-added", "Order.payment", SAFE, DANGEROUS,
    ),
    (
        "of['payment']['discriminator']['propertyName'] = 'type'",
        "discriminator-changed", "Order.payment", BREAKING, BREAKING,
    ),
    ("of['payment']['oneOf'].append({'type': 'null'})", "became-nullable", "Order.payment", SAFE, BREAKING),
    ("schemas['Card']['properties']['digits']['type'] = 'object'", "type-changed", "Card.digits", BREAKING, BREAKING),
]  # fmt: skip
ONE_WAY = [
    ("of['note']['readOnly'] = True", "property-removed", "Order.note", "request", BREAKING),
    ("of['note']['writeOnly'] = True", "property-removed", "Order.note", "response", BREAKING),
]
BACK = [  # the other way round: what was narrower becomes wider, and so on
    ("of['id'] = {'type': ['string', 'integer']}", "type-narrowed", "Order.id", BREAKING, SAFE),
    ("of['id'] = {}", "type-narrowed", "Order.id", BREAKING, SAFE),
    ("of['total']['type'] = 'number'", "type-narrowed", "Order.total", BREAKING, SAFE),
]
PUT = "PUT /orders/{id}"
WHOLE = [
    ("doc['paths']['/orders/{id}'].pop('put')", "operation-removed", PUT, "request", BREAKING),
    (
        "doc['paths']['/orders/{id}']['get'] = {'responses': {}}",
        "operation-added", "GET /orders/{id}", "request", SAFE,
    ),
    ("op['deprecated'] = True", "operation-deprecated", PUT, "request", SAFE),
    ("op['operationId'] = 'replace_order'", "operation-renamed", PUT, "request", DANGEROUS),
    ("op['security'] = []", "security-removed", PUT, "request", SAFE),
    ("op['security'].append({})", "security-removed", PUT, "request", SAFE),
    ("op['security'].pop()", "security-alternative-removed", PUT, "request", BREAKING),
    ("op['security'].append({'session': []})", "security-alternative-added", PUT, "request", SAFE),
    ("op['security'][0]['bearer'].append('write')", "scope-added", PUT, "request", BREAKING),
    ("op['security'][0]['bearer'].clear()", "scope-removed", PUT, "request", SAFE),
    ("op['parameters'].pop(1)", "parameter-removed", f"{PUT} query limit", "request", BREAKING),
    (
        "op['parameters'].append({'name': 'q', 'in': 'query', 'schema': {}})",
        "parameter-added", f"{PUT} query q", "request", SAFE,
    ),
    (
        "op['parameters'].append({'name': 'q', 'in': 'query', 'required': True, 'schema': {}})",
        "parameter-added-required", f"{PUT} query q", "request", BREAKING,
    ),
    ("op['parameters'][1]['required'] = True", "parameter-became-required", f"{PUT} query limit", "request", BREAKING),
    ("op['parameters'][2]['required'] = False", "parameter-became-optional", f"{PUT} header If-Match", "request", SAFE),
    ("op['parameters'][1]['explode'] = False", "parameter-style-changed", f"{PUT} query limit", "request", BREAKING),
    ("op['parameters'][1]['schema']['default'] = 5", "default-changed", f"{PUT} query limit", "request", DANGEROUS),
    ("op['parameters'][1]['schema']['maximum'] = 50", "bound-tightened", f"{PUT} query limit", "request", BREAKING),
    ("del op['requestBody']", "body-removed", f"{PUT} body", "request", BREAKING),
    ("op['requestBody']['required'] = True", "body-became-required", f"{PUT} body", "request", BREAKING),
    (
        "op['requestBody']['content'] = {'text/csv': {}}",
        "media-type-removed", f"{PUT} body", "request", BREAKING,
    ),
    ("op['requestBody']['content']['text/csv'] = {}", "media-type-added", f"{PUT} body", "request", SAFE),
    ("del op['responses']['200']", "status-removed", f"{PUT} 200", "response", BREAKING),
    ("op['responses']['202'] = {}", "status-added", f"{PUT} 202", "response", DANGEROUS),
    ("del op['responses']['404']", "error-status-removed", f"{PUT} 404", "response", SAFE),
    ("op['responses']['409'] = {}", "error-status-added", f"{PUT} 409", "response", SAFE),
    ("del op['responses']['200']['content']", "media-type-removed", f"{PUT} 200", "response", BREAKING),
    ("op['responses']['200']['headers'].pop('ETag')", "header-removed", f"{PUT} 200 header etag", "response", BREAKING),
    (
        "op['responses']['200']['headers']['Age'] = {'schema': {}}",
        "header-added", f"{PUT} 200 header age", "response", SAFE,
    ),
    (
        "op['responses']['200']['headers']['ETag']['required'] = False",
        "header-became-optional", f"{PUT} 200 header etag", "response", BREAKING,
    ),
]  # fmt: skip
WHOLE_BACK = [
    ("op['security'] = []", "security-added", PUT, "request", BREAKING),
    ("op['requestBody']['required'] = True", "body-became-optional", f"{PUT} body", "request", SAFE),
    ("del op['requestBody']", "body-added", f"{PUT} body", "request", SAFE),
    (
        "op['responses']['200']['headers']['ETag']['required'] = False",
        "header-became-required", f"{PUT} 200 header etag", "response", SAFE,
    ),
]  # fmt: skip


def found(old: Json, new: Json) -> set[tuple[str, str, str, str]]:
    return {(one.kind, one.side, one.where, one.severity) for one in rest_changes(old, new)}


def test_a_document_does_not_differ_from_itself() -> None:
    assert rest_changes(DOCUMENT, DOCUMENT) == ()


@pytest.mark.parametrize(("edit", "kind", "where", "sent", "read"), VALUES, ids=[one[0] for one in VALUES])
def test_a_value_changes(edit: str, kind: str, where: str, sent: str, read: str) -> None:
    """Found in both directions, each with its own severity, and nothing else is found."""
    assert found(DOCUMENT, edited(edit)) == {(kind, "request", where, sent), (kind, "response", where, read)}


@pytest.mark.parametrize(("edit", "kind", "where", "sent", "read"), BACK, ids=[one[0] for one in BACK])
def test_a_value_changes_back(edit: str, kind: str, where: str, sent: str, read: str) -> None:
    """From the edited document to the first."""
    assert found(edited(edit), DOCUMENT) == {(kind, "request", where, sent), (kind, "response", where, read)}


@pytest.mark.parametrize(
    ("edit", "kind", "where", "side", "severity"), [*ONE_WAY, *WHOLE], ids=lambda one: str(one)[:60]
)
def test_an_operation_changes(edit: str, kind: str, where: str, side: str, severity: str) -> None:
    """Where it stands, in the direction that it concerns."""
    assert (kind, side, where, severity) in found(DOCUMENT, edited(edit))


@pytest.mark.parametrize(("edit", "kind", "where", "side", "severity"), WHOLE_BACK, ids=lambda one: str(one)[:60])
def test_an_operation_changes_back(edit: str, kind: str, where: str, side: str, severity: str) -> None:
    assert found(edited(edit), DOCUMENT) == {(kind, side, where, severity)}


def test_a_required_body_is_new() -> None:
    """A client of before sends none."""
    before = edited("del op['requestBody']")
    after = edited("op['requestBody']['required'] = True")
    assert found(before, after) == {("body-added-required", "request", f"{PUT} body", BREAKING)}


def test_every_kind_of_the_table_is_tried() -> None:
    """At least forty kinds, and none that no test has seen."""
    tried = {one[1] for one in (*VALUES, *ONE_WAY, *BACK, *WHOLE, *WHOLE_BACK)} | {"body-added-required"}

    assert tried == set(KINDS)
    assert len(tried) >= 40


@pytest.mark.parametrize(
    "edit",
    [
        "doc['paths'] = {'/orders/{orderId}': doc['paths']['/orders/{id}']}; op['parameters'][0]['name'] = 'orderId'",
        "op['parameters'].reverse()",
        "op['parameters'][2]['name'] = 'if-match'",
        "schemas['Renamed'] = schemas.pop('Bank'); of['payment']['oneOf'][1]['$ref'] = '#/components/schemas/Renamed'",
        "of['buyer'] = {'type': ['null', 'string']}",
        "order['description'] = 'An order.'; of['id']['title'] = 'Id'; of['id']['examples'] = ['o-1']",
        "schemas['Order'] = {'allOf': [{'$ref': '#/components/schemas/Whole'}]}; schemas['Whole'] = order",
        "sent['application/json']['schema'] = {'allOf': [{'$ref': '#/components/schemas/Order'}]}",
        "op['parameters'][1]['style'] = 'form'",
        "doc['paths']['/orders/{id}']['parameters'] = [op['parameters'].pop(0)]",
    ],
)
def test_another_spelling_is_no_change(edit: str) -> None:
    """What nobody can see on the wire is not reported."""
    assert found(DOCUMENT, edited(edit)) == set()


def test_a_tree_that_holds_itself_comes_to_an_end() -> None:
    """A comment with answers is compared once."""

    def tree(text: str) -> Json:
        comment = {"type": "object", "properties": {"text": {"type": text}, "answers": {"type": "array", "items": ref}}}
        content = {"application/json": {"schema": ref}}
        return {
            "paths": {"/c": {"get": {"responses": {"200": {"content": content}}}}},
            "components": {"schemas": {"Comment": comment}},
        }

    ref = {"$ref": "#/components/schemas/Comment"}
    assert found(tree("string"), tree("integer")) == {("type-changed", "response", "Comment.text", BREAKING)}


def test_a_change_of_a_shared_schema_is_told_once_with_all_operations() -> None:
    """Not once for each of the paths that answer with it."""
    old, new = copy.deepcopy(DOCUMENT), edited("of['id'] = {'type': 'integer'}")
    for document in (old, new):
        document["paths"]["/orders"] = {"post": document["paths"]["/orders/{id}"]["put"] | {"parameters": []}}
    changes = [one for one in rest_changes(old, new) if one.side == "response"]

    assert [(one.where, set(one.operations)) for one in changes] == [("Order.id", {PUT, "POST /orders"})]
