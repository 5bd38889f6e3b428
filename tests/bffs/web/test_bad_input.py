"""What clients send that is no operation: a problem or a GraphQL error with a stable code, soon, never a 500."""

import gzip
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
from graphql import build_client_schema, get_introspection_query

from bffs.web.measure import LIMITS
from bffs.web.operation import MAX_BODY_BYTES
from shared.testing.issuer import Issuer
from shared.testing.sockets import SocketBackends
from tests.bffs.web.conftest import OpenWeb
from tests.bffs.web.web import PATH, Web

QUERY = "{ viewer { tier } }"
JSON = {"content-type": "application/json"}
# An idle machine needs a quarter of a second for the worst; a busy one, four times that.
MAX_CPU_S = 2.0


def check_problem(answer: Any, status: int, code: str) -> dict:
    """Check that an answer is the problem of this code, and return it."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"urn:frontage:problem:{code}"
    assert problem["instance"] == PATH
    assert problem["traceId"] == answer.headers["x-trace-id"]
    return problem


def check_errors(answer: Any) -> list[dict]:
    """Check that an answer is a GraphQL request error, and return the errors."""
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")
    body = answer.json()
    assert body.keys() == {"errors"}, "execution never began: there is no data"
    assert 0 < len(body["errors"]) <= 101
    for error in body["errors"]:
        assert error["extensions"] == {
            "code": "invalid_request",
            "retryable": False,
            "traceId": answer.headers["x-trace-id"],
        }
        assert "path" not in error
    return body["errors"]


# Bodies that are no operation

BODIES: dict[str, bytes] = {
    "empty": b"",
    "blank": b"  \n",
    "not_json": b"query { viewer { tier } }",
    "cut": b'{"query": "{ viewer',
    "two_values": b'{"query": "{ viewer { tier } }"} {}',
    "not_utf_8": b'{"query": "\xff"}',
    "null": b"null",
    "text": b'"{ viewer { tier } }"',
    "number": b"7",
    "nan": b"NaN",
    "batch": json.dumps([{"query": QUERY}, {"query": QUERY}]).encode(),
    "empty_batch": b"[]",
    "no_query": b"{}",
    "query_null": b'{"query": null}',
    "query_empty": b'{"query": ""}',
    "query_number": b'{"query": 7}',
    "query_list": b'{"query": ["{ viewer { tier } }"]}',
    "query_object": b'{"query": {"a": 1}}',
    "id_number": b'{"documentId": 7}',
    "id_empty": b'{"documentId": ""}',
    "hash_number": b'{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 7}}}',
    "persisted_query_text": b'{"extensions": {"persistedQuery": "00"}}',
    "extensions_list": json.dumps({"query": QUERY, "extensions": []}).encode(),
    "variables_list": json.dumps({"query": QUERY, "variables": []}).encode(),
    "variables_text": json.dumps({"query": QUERY, "variables": "{}"}).encode(),
    "variables_false": json.dumps({"query": QUERY, "variables": False}).encode(),
    "name_number": json.dumps({"query": QUERY, "operationName": 1}).encode(),
    "name_list": json.dumps({"query": QUERY, "operationName": [1]}).encode(),
    "brackets": b"[" * 200_000,
    "objects": b'{"query":' * 20_000,
    "huge_number": b'{"query": ' + b"9" * 10_000 + b"}",
    "gzip": gzip.compress(json.dumps({"query": QUERY}).encode()),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_that_is_no_operation_is_an_invalid_request(
    web: Web, backends: SocketBackends, body: bytes
) -> None:
    """400 with what to send instead; nothing of the body comes back, no backend is asked."""
    problem = check_problem(await web.post(body, headers=JSON), 400, "invalid_request")

    assert problem["detail"]
    assert "tier" not in problem["detail"]
    assert backends.counts() == {}


async def test_null_stands_for_left_out(web: Web) -> None:
    """Clients send ``null`` for what they do not have."""
    answer = await web.post({"query": QUERY, "variables": None, "operationName": None, "extensions": None})

    assert answer.json()["data"] == {"viewer": {"tier": "Gold"}}


async def test_a_body_too_large_is_refused(web: Web, backends: SocketBackends) -> None:
    """One byte over the limit, announced or in chunks; at the limit it is read."""
    filler = b" " * (MAX_BODY_BYTES - len(json.dumps({"query": QUERY})))
    fits = json.dumps({"query": QUERY}).encode() + filler

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b" " * 1024

    assert len(fits) == MAX_BODY_BYTES
    assert (await web.post(fits, headers=JSON)).status_code == 200
    check_problem(await web.post(fits + b" ", headers=JSON), 413, "payload_too_large")
    check_problem(await web.http.post(PATH, content=chunks(), headers=JSON), 413, "payload_too_large")
    assert backends.counts() == {"users": 1}


# Documents that are no operation of this schema

DOCUMENTS: dict[str, dict[str, Any]] = {
    "blank": {"query": "  "},
    "comment": {"query": "# nothing"},
    "syntax": {"query": "{ viewer { tier }"},
    "not_graphql": {"query": "SELECT 1"},
    "control_characters": {"query": "{ viewer \x00 { tier } }"},
    "open_string": {"query": '{ viewer(x: "'},
    "half_a_surrogate_pair": {"query": "{ \ud800 }"},
    "half_a_surrogate_pair_in_text": {"query": '{ viewer(x: "\ud800") { tier } }'},
    "half_a_surrogate_pair_in_a_name": {"query": QUERY, "operationName": "\udfff"},
    "unknown_field": {"query": "{ viewer { password } }"},
    "unknown_root": {"query": "{ admin { id } }"},
    "unknown_type": {"query": "{ viewer { ... on Admin { id } } }"},
    "unknown_fragment": {"query": "{ viewer { ...Missing } }"},
    "unknown_argument": {"query": "{ viewer(id: 1) { tier } }"},
    "unknown_directive": {"query": "{ viewer { tier @upper } }"},
    "defer": {"query": "{ viewer { ... @defer { tier } } }"},
    "no_selection": {"query": "{ viewer }"},
    "selection_of_a_leaf": {"query": "{ viewer { tier { x } } }"},
    "only_a_fragment": {"query": "fragment F on Viewer { tier }"},
    "only_a_type": {"query": "type Query { x: Int }"},
    "mutation": {"query": "mutation { pay { id } }"},
    "subscription": {"query": "subscription { viewer { tier } }"},
    "unknown_operation": {"query": f"query A {QUERY}", "operationName": "B"},
    "empty_operation_name": {"query": f"query A {QUERY}", "operationName": ""},
    "two_operations_no_name": {"query": f"query A {QUERY} query B {QUERY}"},
    "two_anonymous_operations": {"query": f"{QUERY} {QUERY}"},
    "undefined_variable": {"query": "{ viewer { tier @skip(if: $x) } }"},
    "unused_variable": {"query": f"query ($x: Int) {QUERY}"},
    "missing_variable": {"query": "query ($x: Boolean!) { viewer { tier @skip(if: $x) } }"},
    "wrong_variable": {"query": "query ($x: Boolean!) { viewer { tier @skip(if: $x) } }", "variables": {"x": "yes"}},
    "deep_variable": {
        "query": "query ($x: Boolean!) { viewer { tier @skip(if: $x) } }",
        "variables": {"x": json.loads("[" * 300 + "]" * 300)},
    },
    "variable_of_half_a_surrogate_pair": {
        "query": "query ($x: Boolean!) { viewer { tier @skip(if: $x) } }",
        "variables": {"x": "\ud800"},
    },
    "fragment_cycle": {"query": "{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }"},
    "fields_that_clash": {"query": "{ viewer { a: tier a: userId } }"},
}


@pytest.mark.parametrize("body", DOCUMENTS.values(), ids=DOCUMENTS)
async def test_a_document_that_does_not_fit_is_a_request_error(web: Web, backends: SocketBackends, body: dict) -> None:
    """``errors`` without ``data``, 400, each with a code and the trace; no resolver is called."""
    check_errors(await web.post(json.dumps(body).encode(), headers=JSON))

    assert backends.counts() == {}


# Documents made to hurt

BOMBS: dict[str, str] = {
    "braces": "{" * 10_000,
    "nested_fields": "{ a " * 10_000,
    "nested_inline_fragments": "{ ... " * 10_000 + "{ __typename }" + "}" * 10_000,
    "nested_lists": "{ viewer(x: " + "[" * 10_000,
    "nested_objects": "{ viewer(x: " + "{a:" * 10_000,
    "nested_list_types": "query ($x: " + "[" * 10_000,
    "many_fields": "{" + " __typename" * 20_000 + "}",
    "many_aliases": "{" + "".join(f" a{n}: viewer {{ tier }}" for n in range(5_000)) + "}",
    "many_clashes": "{" + " dashboard { tier }" * 10_000 + "}",
    "many_operations": "".join(f"query Q{n} {{ __typename }}" for n in range(5_000)),
    "many_unknown_fields": "{" + " x" * 50_000 + "}",
    "many_directives": "{ viewer { tier " + "@skip(if: false) " * 5_000 + "} }",
    "many_comments": "#\n" * 60_000 + QUERY,
    "a_long_name": "{ " + "x" * 200_000 + " }",
    "a_long_text": '{ viewer(x: "' + "x" * 200_000 + '") { tier } }',
    "introspection": "{ __schema { types " + "{ fields { type " * 9 + "{ name }" + "} }" * 9 + "} }",
    "aliases_at_the_limit": "{" + "".join(f" a{n}: viewer {{ tier }}" for n in range(160)) + "}",
    "one_root_field_too_many": "{" + "".join(f" a{n}: viewer {{ tier }}" for n in range(LIMITS.root_fields + 1)) + "}",
    "root_fields_through_fragments": "{ ...F } fragment F on Query { ... {"
    + "".join(f" a{n}: dashboard {{ tier }}" for n in range(LIMITS.root_fields + 1))
    + "} }",
    "clashes_at_the_limit": "{ viewer {" + " ... { tier }" * 190 + " a: tier a: userId } }",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
async def test_a_document_made_to_hurt_is_refused_soon(web: Web, backends: SocketBackends, text: str) -> None:
    """Refused with one short answer before any resolver, within a bound on the time taken from everybody else."""
    assert len(text) < MAX_BODY_BYTES
    began = time.process_time()

    answer = await web.query(text)

    assert time.process_time() - began < MAX_CPU_S
    check_errors(answer)
    assert len(answer.content) < 2 * len(text) + 64 * 1024
    assert backends.counts() == {}


@pytest.mark.parametrize("depth", [*range(1, 120, 7), *range(120, 260, 3)])
async def test_nesting_is_served_or_refused_at_any_depth(web: Web, depth: int) -> None:
    """Near Python's own limit the parser may pass what validation or execution cannot: never a 500 or `internal`."""
    answer = await web.query("{ ... " * depth + "{ viewer { tier } }" + "}" * depth)

    if answer.status_code == 200:
        assert answer.json()["data"] == {"viewer": {"tier": "Gold"}}
    else:
        check_errors(answer)


async def test_as_many_root_fields_as_are_allowed_are_served(web: Web, backends: SocketBackends) -> None:
    """The limit itself is inside; what they all ask of a backend is asked once."""
    text = "{" + "".join(f" a{n}: viewer {{ tier }}" for n in range(LIMITS.root_fields)) + "}"

    assert len(await web.data(text)) == LIMITS.root_fields
    assert backends.counts() == {"users": 1}


LARGE = {
    "aliases": "{ viewer {" + "".join(f" a{n}: tier" for n in range(LIMITS.aliases)) + " } }",
    "the_same_field": "{ viewer {" + " tier" * 60 + " } }",
    "the_same_root_field": "{" + " viewer { tier }" * 44 + " }",
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
async def test_the_largest_documents_are_served_soon(web: Web, backends: SocketBackends, text: str) -> None:
    """What is within the limits is served, and does not hold up everybody else."""
    began = time.process_time()

    await web.data(text)

    assert time.process_time() - began < MAX_CPU_S
    assert backends.counts() == {"users": 1}


async def test_introspection_as_graphiql_asks_for_it_is_served_locally(open_web: OpenWeb) -> None:
    """The limits leave tools alone."""
    data = await (await open_web(mode="local")).data(get_introspection_query(input_value_deprecation=True))

    assert "Dashboard" in build_client_schema(data).type_map


@pytest.mark.parametrize("text", ["{ __schema { types { name } } }", '{ __type(name: "Viewer") { name } }'])
async def test_in_production_the_schema_does_not_tell_of_itself(web: Web, text: str) -> None:
    """Not to explorers, either; nor does a misspelt field call up its neighbours' names."""
    check_errors(await web.query(text))
    (error,) = check_errors(await web.query("{ viewer { tie } }"))

    assert "tier" not in error["message"]


async def test_one_of_two_operations_is_executed_by_its_name(web: Web, backends: SocketBackends) -> None:
    """``operationName`` chooses; the other one asks nobody."""
    text = "query A { dashboard { alerts { id } } } query B { viewer { tier } }"

    answer = await web.post({"query": text, "operationName": "B"})

    assert answer.json()["data"] == {"viewer": {"tier": "Gold"}}
    assert backends.counts() == {"users": 1}


# Forms that a browser sends without asking first (field case W7)

FORMS: dict[str, tuple[str, bytes]] = {
    "multipart": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n'
        + json.dumps({"query": QUERY}).encode()
        + b'\r\n--x\r\nContent-Disposition: form-data; name="map"\r\n\r\n{}\r\n--x--\r\n',
    ),
    "text": ("text/plain", json.dumps({"query": QUERY}).encode()),
    "text_with_json_in_a_parameter": ("text/plain; application/json", json.dumps({"query": QUERY}).encode()),
    "urlencoded": ("application/x-www-form-urlencoded", urlencode({"query": QUERY}).encode()),
    "graphql": ("application/graphql", QUERY.encode()),
    "json_like": ("application/json5", json.dumps({"query": QUERY}).encode()),
    "two_types": ("text/plain, application/json", json.dumps({"query": QUERY}).encode()),
    "nothing": ("", json.dumps({"query": QUERY}).encode()),
}


@pytest.mark.parametrize(("media_type", "body"), FORMS.values(), ids=FORMS)
async def test_case_w7_a_form_reaches_no_resolver(
    web: Web, backends: SocketBackends, media_type: str, body: bytes
) -> None:
    """Whatever a page of another origin can send without a preflight is 415, with a good token too."""
    headers = {"origin": "https://evil.test", "content-type": media_type}

    check_problem(await web.post(body, headers=headers), 415, "unsupported_media_type")
    assert backends.counts() == {}


async def test_case_w7_a_link_changes_nothing(web: Web, backends: SocketBackends) -> None:
    """A mutation in a link is refused, and no link is anything without a bearer token, which no browser adds."""
    token = web.http.headers.pop("authorization")
    answer = await web.http.get(PATH, params={"query": QUERY})
    check_problem(answer, 401, "unauthenticated")

    answer = await web.http.get(PATH, params={"query": "mutation { pay }"}, headers={"authorization": token})
    check_errors(answer)
    assert backends.counts() == {}


async def test_case_w7_json_passes_whatever_its_spelling(web: Web) -> None:
    """Media types know no case, and may have parameters."""
    for media_type in ("application/json", "Application/JSON; charset=utf-8", "application/json;x=y"):
        answer = await web.post(json.dumps({"query": QUERY}).encode(), headers={"content-type": media_type})
        assert answer.json()["data"] == {"viewer": {"tier": "Gold"}}


# The path and who may use it

METHODS = {"PUT": 405, "PATCH": 405, "DELETE": 405, "OPTIONS": 405, "TRACE": 405}


@pytest.mark.parametrize("method", METHODS)
async def test_another_method_is_not_allowed(web: Web, method: str) -> None:
    """405 with the methods that are."""
    answer = await web.http.request(method, PATH)

    check_problem(answer, 405, "method_not_allowed")
    assert {"GET", "POST"} >= {one.strip() for one in answer.headers["allow"].split(",")} != set()


async def test_graphiql_is_for_a_developers_machine(open_web: OpenWeb) -> None:
    """In local mode, without a token, the way to the portal's; elsewhere nothing is there."""
    for mode, status in (("local", 307), ("production", 404)):
        answer = await (await open_web(mode=mode)).bff.get(PATH, user=None, headers={"accept": "text/html"})
        assert answer.status_code == status
        assert len(answer.headers["x-trace-id"]) == 32
        assert answer.headers.get("location") == ("/portal/web/graphiql" if mode == "local" else None)


@pytest.mark.parametrize(
    "path", ["/web", "/web/graphql/", "/web/graphql/x", "/graphql", "/web/schema", "/docs", "/openapi.json"]
)
async def test_nothing_else_is_mounted(web: Web, path: str) -> None:
    """404 for any other path, under any method that has a body."""
    answer = await web.http.post(path, json={"query": QUERY})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


TOKENS = {"none": None, "basic": "Basic dTpw", "no_token": "Bearer", "garbage": "Bearer x.y.z", "bare": "{token}"}


@pytest.mark.parametrize("value", TOKENS.values(), ids=TOKENS)
async def test_without_a_good_token_nothing_is_read(web: Web, backends: SocketBackends, value: str | None) -> None:
    """401 with the challenge, before the body is looked at; a token in the query is no token."""
    token = web.http.headers.pop("authorization").removeprefix("Bearer ")
    headers = {} if value is None else {"authorization": value.format(token=token)}

    answer = await web.post(b"not json", headers={**headers, "content-type": "text/plain"}, params={"token": "secret"})

    problem = check_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "secret" not in json.dumps(problem)
    assert backends.counts() == {}


async def test_expired_tokens_and_tokens_for_others_are_refused(
    web: Web, backends: SocketBackends, issuer: Issuer
) -> None:
    """The BFF verifies again what the edge verified."""
    for changes in ({"exp": 1}, {"aud": "another"}, {"iss": "http://attacker.test"}):
        answer = await web.query(QUERY, headers=issuer.signed_in(**changes))
        check_problem(answer, 401, "unauthenticated")
    assert backends.counts() == {}
