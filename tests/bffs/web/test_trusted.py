"""Trusted documents: pages send what was deployed, by its id; nothing that is sent is ever registered."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from bffs.web.app import create_app
from bffs.web.settings import WebSettings
from shared.testing.faults import status
from shared.testing.issuer import Issuer
from shared.testing.sockets import SocketBackends
from tests.bffs.web.conftest import OpenWeb
from tests.bffs.web.web import PATH, Web

TIER = "query Tier { viewer { tier } }"
PICKED = "query Picked($with: Boolean!) { viewer { tier userId @include(if: $with) } }"
WHO = "query Who { dashboard { userId } }"
FREE = "{ viewer { displayName } }"
UNKNOWN = "0" * 64


def id_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def persisted(text_id: str) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": text_id}}}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    file = tmp_path / "documents.json"
    file.write_text(json.dumps({id_of(text): text for text in (TIER, PICKED, WHO)}))
    return file


@pytest.fixture
async def page(open_web: OpenWeb, manifest: Path, issuer: Issuer) -> Web:
    """A page: signed in without the scope of an explorer."""
    web = await open_web(documents=manifest)
    web.http.headers.update(issuer.signed_in("u-1"))
    return web


def code(answer: httpx.Response) -> str:
    """The one error of an answer of which nothing was executed."""
    assert answer.status_code == 400, answer.text
    assert answer.json().keys() == {"errors"}
    (error,) = answer.json()["errors"]
    assert error["extensions"]["traceId"] == answer.headers["x-trace-id"]
    return error["extensions"]["code"]


FORMS: dict[str, dict[str, Any]] = {
    "id": {"documentId": id_of(TIER)},
    "id_with_its_algorithm": {"documentId": f"sha256:{id_of(TIER)}"},
    "id_in_capitals": {"documentId": id_of(TIER).upper()},
    "apollo": persisted(id_of(TIER)),
    "apollo_with_the_text": {"query": TIER, **persisted(id_of(TIER))},
    "the_text": {"query": TIER},
    "id_and_name": {"documentId": id_of(TIER), "operationName": "Tier"},
}


@pytest.mark.parametrize("body", FORMS.values(), ids=FORMS)
async def test_a_trusted_document_is_executed(page: Web, body: dict) -> None:
    """By its id in any form, or by its text."""
    assert (await page.post(body)).json()["data"] == {"viewer": {"tier": "Gold"}}


async def test_variables_come_with_the_id(page: Web) -> None:
    """One document, many requests."""
    for wanted in (True, False):
        answer = await page.post({"documentId": id_of(PICKED), "variables": {"with": wanted}})
        assert ("userId" in answer.json()["data"]["viewer"]) is wanted


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "free_text": ({"query": FREE}, "forbidden"),
    "a_trusted_text_changed": ({"query": TIER + " "}, "forbidden"),
    "free_text_under_its_own_hash": ({"query": FREE, **persisted(id_of(FREE))}, "forbidden"),
    "free_text_under_a_trusted_id": ({"query": FREE, "documentId": id_of(TIER)}, "invalid_request"),
    "introspection": ({"query": "{ __schema { types { name } } }"}, "forbidden"),
    "unknown_id": ({"documentId": UNKNOWN}, "not_found"),
    "unknown_hash": (persisted(UNKNOWN), "not_found"),
    "no_hash_at_all": ({"documentId": "../../etc/passwd"}, "not_found"),
    "another_algorithm": ({"documentId": f"md5:{id_of(TIER)}"}, "not_found"),
    "half_a_surrogate_pair": ({"query": "{ \ud800 }"}, "forbidden"),
    "another_operation": ({"documentId": id_of(TIER), "operationName": "Other"}, "invalid_request"),
    "a_variable_of_the_wrong_kind": ({"documentId": id_of(PICKED), "variables": {"with": "yes"}}, "invalid_request"),
    "a_variable_left_out": ({"documentId": id_of(PICKED)}, "invalid_request"),
}


@pytest.mark.parametrize(("body", "expected"), REFUSED.values(), ids=REFUSED)
async def test_what_is_not_trusted_is_not_executed(
    page: Web, backends: SocketBackends, body: dict, expected: str
) -> None:
    """A code says which fault it is; nothing that was sent comes back, and no backend is asked."""
    answer = await page.post(json.dumps(body).encode(), headers={"content-type": "application/json"})

    assert code(answer) == expected
    assert "displayName" not in answer.text
    assert "passwd" not in answer.text
    assert backends.counts() == {}


async def test_a_hash_is_never_registered(page: Web, issuer: Issuer) -> None:
    """Sent with its text once, by a page and by an explorer: an id that is not deployed stays unknown."""
    explorer = issuer.signed_in("u-1", scope="graphql:explore")
    await page.post({"query": FREE, **persisted(id_of(FREE))})
    await page.post({"query": FREE, **persisted(id_of(FREE))}, headers=explorer)

    for headers in ({}, explorer):
        assert code(await page.post(persisted(id_of(FREE)), headers=headers)) == "not_found"


async def test_an_explorer_may_send_any_text(page: Web, issuer: Issuer, open_web: OpenWeb, manifest: Path) -> None:
    """Who has the scope; in local mode, everybody. Apollo's link is told to send the text, too."""
    explorer = issuer.signed_in("u-1", scope="dashboard graphql:explore")
    local = await open_web(documents=manifest, mode="local")
    local.http.headers.update(issuer.signed_in("u-1"))

    for web, headers in ((page, explorer), (local, {})):
        assert (await web.query(FREE, headers=headers)).status_code == 200
        answer = await web.post(persisted(UNKNOWN), headers=headers)
        assert answer.json()["errors"][0]["message"] == "PersistedQueryNotFound"


@pytest.mark.parametrize("scope", ["dashboard", "", "graphql:explorer", "graphql", "GRAPHQL:EXPLORE"])
async def test_another_scope_is_not_that_scope(page: Web, issuer: Issuer, scope: str) -> None:
    """A scope counts whole."""
    assert code(await page.query(FREE, headers=issuer.signed_in("u-1", scope=scope))) == "forbidden"


# GET: for what a browser may keep


async def asked(web: Web, headers: dict[str, str] | None = None, **parts: Any) -> httpx.Response:
    query = {name: part if isinstance(part, str) else json.dumps(part) for name, part in parts.items()}
    return await web.http.get(f"{PATH}?{urlencode(query)}", headers=headers)


async def test_a_query_may_be_a_link(page: Web) -> None:
    """The id and the variables are the address; what comes is this caller's, to be asked about before it is used."""
    forms: list[dict[str, Any]] = [{"documentId": id_of(PICKED)}, persisted(id_of(PICKED))]
    for form in forms:
        answer = await asked(page, **form, variables={"with": False}, operationName="Picked")
        assert answer.json()["data"] == {"viewer": {"tier": "Gold"}}
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.headers["vary"] == "Authorization, Accept"


async def test_an_answer_that_is_known_is_not_sent_again(page: Web, backends: SocketBackends) -> None:
    """304 without a body while it is the same, under the validator as it is or weakened by the edge; then 200."""
    first = await asked(page, documentId=id_of(TIER))
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        again = await asked(page, {"if-none-match": known}, documentId=id_of(TIER))
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)

    assert (await asked(page, {"if-none-match": '"other"'}, documentId=id_of(TIER))).status_code == 200


async def test_case_a7_a_kept_answer_is_its_callers_own(page: Web, issuer: Issuer) -> None:
    """Another caller with the first one's validator gets his own answer; nobody gets one without a good token."""
    first = await asked(page, documentId=id_of(WHO))
    known = {"if-none-match": first.headers["etag"]}

    other = await asked(page, {**issuer.signed_in("u-2"), **known}, documentId=id_of(WHO))
    bad = await asked(page, {"authorization": "Bearer x", **known}, documentId=id_of(WHO))
    del page.http.headers["authorization"]
    nobody = await asked(page, known, documentId=id_of(WHO))

    assert [one.json()["data"]["dashboard"]["userId"] for one in (first, other)] == ["u-1", "u-2"]
    for refused in (bad, nobody):
        assert (refused.status_code, refused.headers["cache-control"]) == (401, "no-store")


async def test_what_is_not_whole_is_not_kept(open_web: OpenWeb, tmp_path: Path, backends: SocketBackends) -> None:
    """A declared gap, an error, a refusal: ``no-store``, and no validator."""
    gap, error = "query Gap { dashboard { alerts { id } degraded { reason } } }", TIER
    file = tmp_path / "documents.json"
    file.write_text(json.dumps({id_of(text): text for text in (gap, error)}))
    web = await open_web(documents=file)
    for name in ("users", "alerts"):
        backends[name].fault(status(500))

    for text_id in (id_of(gap), id_of(error), UNKNOWN):
        answer = await asked(web, documentId=text_id)
        assert answer.headers["cache-control"] == "no-store", answer.text
        assert "etag" not in answer.headers


BAD_LINKS: dict[str, tuple[dict[str, str], int, str]] = {
    "nothing": ({}, 404, "not_found"),
    "something_else": ({"page": "1"}, 404, "not_found"),
    "variables_that_are_no_json": ({"documentId": id_of(TIER), "variables": "{"}, 400, "invalid_request"),
    "variables_that_are_a_list": ({"documentId": id_of(TIER), "variables": "[]"}, 400, "invalid_request"),
    "brackets": ({"documentId": id_of(TIER), "variables": "[" * 5_000}, 400, "invalid_request"),
    "extensions_that_are_no_json": ({"extensions": "x"}, 400, "invalid_request"),
}


@pytest.mark.parametrize(("parts", "expected", "problem"), BAD_LINKS.values(), ids=BAD_LINKS)
async def test_a_link_that_is_no_operation_is_a_problem(page: Web, parts: dict, expected: int, problem: str) -> None:
    """The same problems as in a body."""
    answer = await asked(page, **parts)

    assert (answer.status_code, answer.json()["code"]) == (expected, problem)


# The manifest itself

MANIFESTS = {
    "missing": (None, "no manifest can be read"),
    "not_json": ("{", "no manifest can be read"),
    "a_list": ("[]", "not one object"),
    "a_wrong_id": (json.dumps({UNKNOWN: TIER}), f"{UNKNOWN}: the id is not the SHA-256"),
    "no_text": (json.dumps({UNKNOWN: 7}), "the id is not the SHA-256"),
    "an_unknown_field": (json.dumps({id_of("{ nothing }"): "{ nothing }"}), "Cannot query field 'nothing'"),
}


@pytest.mark.parametrize(("content", "said"), MANIFESTS.values(), ids=MANIFESTS)
async def test_a_manifest_that_is_wrong_stops_the_start(
    open_web: OpenWeb, tmp_path: Path, content: str | None, said: str
) -> None:
    """The file, the id, what is wrong and the remedy: a page must not find out."""
    file = tmp_path / "documents.json"
    if content is not None:
        file.write_text(content)

    with pytest.raises(ValueError, match=r"python -m bffs\.web documents") as raised:
        await open_web(documents=file)

    assert str(file) in str(raised.value)
    assert said in str(raised.value)


def test_the_committed_manifest_starts() -> None:
    """What is in the image."""
    settings = WebSettings(
        listen="127.0.0.1:1",
        issuer="x",
        jwks_url="http://x",
        users_url="http://x",
        orders_url="http://x",
        alerts_url="http://x",
    )

    assert len(create_app(settings).state.admission.documents) > 0
