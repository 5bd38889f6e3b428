"""Everything that hurts at once: each has its documented answer, nothing leaks, and whoever asks well is served."""

import asyncio
import json
from typing import Any

import httpx

from bffs.web.graph.pages import MOST
from shared.errors import ProblemCode
from shared.testing.sockets import SocketBackends
from tests.bffs.web.shop import Shop
from tests.bffs.web.web import PATH, VIEWER, Web

JSON = {"content-type": "application/json"}
# What never stands in an answer, whatever was sent.
LEAKS = ("Traceback", '.py"', "127.0.0.1", "graphql.error", "strawberry", "object at 0x")


def operation(query: str, **variables: Any) -> bytes:
    return json.dumps({"query": query, "variables": variables}).encode()


HOSTILE: dict[str, tuple[bytes, int, str]] = {
    "five_megabytes": (operation("{ viewer { tier } } #" + "x" * 5_000_000), 413, "payload_too_large"),
    "five_megabytes_of_fields": (operation("{" + " viewer { tier }" * 320_000 + "}"), 413, "payload_too_large"),
    "ten_thousand_aliases": (operation("{" + "".join(f" a{n}: __typename" for n in range(10_000)) + "}"), 400, ""),
    "cyclic_fragments": (
        operation("{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }"), 400, "",
    ),
    "a_cycle_through_fields": (
        operation("{ orders { ...A } } fragment A on OrderConnection { edges { node { nodeId } } ...A }"), 400, "",
    ),
    "a_variable_of_another_kind": (operation("query ($n: Int!) { orders(first: $n) { __typename } }", n=[1]), 400, ""),
    "an_unknown_variable": (operation("{ orders(first: $n) { nodes { id } } }", n=1), 400, ""),
    "an_unknown_id": (b'{"documentId": "%s"}' % (b"0" * 64), 400, "not_found"),
    "an_unknown_field": (operation("{ viewer { password } }"), 400, ""),
    "a_huge_page": (operation("{ orders(first: 2147483647) { nodes { id } } }"), 400, ""),
    "a_page_beyond_32_bits": (operation("{ orders(first: 99999999999) { nodes { id } } }"), 400, ""),
    "a_negative_page": (operation("{ orders(first: -1) { nodes { id } } }"), 200, ""),
    "a_page_too_large": (operation(f"{{ orders(first: {MOST + 1}) {{ nodes {{ id }} }} }}"), 200, ""),
    "a_forged_cursor": (operation('{ orders(after: "2026-11-20T10:00:00Z,1") { nodes { id } } }'), 200, ""),
    "a_forged_node": (operation('{ node(nodeId: "../../x") { nodeId } }'), 200, ""),
    "too_dear": (operation("{ orders(first: 50) { nodes { lines { product { name } } } } o: orders(first: 50) { nodes {"
                           " lines { product { name } } } } }"), 400, ""),
    "a_batch": (json.dumps([{"query": "{ viewer { tier } }"}] * 100).encode(), 400, "invalid_request"),
    "not_json": (b"{" * 100_000, 400, "invalid_request"),
    "nothing": (b"", 400, "invalid_request"),
}  # fmt: skip


def code_of(answer: httpx.Response) -> str:
    """The code, from a problem or from the errors, which all have one."""
    body = answer.json()
    if answer.headers["content-type"] == "application/problem+json":
        return body["code"]
    (code,) = {one["extensions"]["code"] for one in body["errors"]}
    return code


async def test_a_flood_of_bad_input_ends_with_a_healthy_service(web: Web, backends: SocketBackends) -> None:
    """Three rounds of all of it at once; beside it, every good query is answered; after it, nothing is left open."""
    Shop(backends)

    async def hostile(name: str) -> None:
        body, status, code = HOSTILE[name]
        answer = await web.http.post(PATH, content=body, headers=JSON, timeout=60)
        assert (answer.status_code, code_of(answer)) == (status, code or "invalid_request"), name
        assert not [leak for leak in LEAKS if leak in answer.text], name
        assert len(answer.content) < 64 * 1024, name

    async def good() -> None:
        assert (await web.http.post(PATH, json={"query": VIEWER}, timeout=60)).json()["data"]["viewer"][
            "tier"
        ] == "Gold"
        assert (await web.http.get("/health/ready", timeout=60)).status_code == 200

    for _ in range(3):
        await asyncio.gather(*(hostile(name) for name in HOSTILE), *(good() for _ in range(5)))

    metrics = (await web.http.get("/metrics")).text
    for name in ("users", "orders", "alerts"):
        assert f'frontage_backend_in_flight{{backend="{name}"}} 0.0' in metrics
        assert backends[name].busy == 0
    assert {one.backend for one in backends.requests} == {"users"}, "nothing hostile reached a backend"


async def test_every_code_is_of_the_closed_list(web: Web) -> None:
    """What these answers say is what ``docs/problems.md`` explains."""
    codes = {
        code_of(await web.http.post(PATH, content=body, headers=JSON, timeout=60)) for body, _, _ in HOSTILE.values()
    }

    assert codes <= {one.value for one in ProblemCode}
    assert codes == {"invalid_request", "payload_too_large", "not_found"}
