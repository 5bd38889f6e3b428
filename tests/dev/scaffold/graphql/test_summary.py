"""The summary: whole, degraded, failed, for nobody in particular, and for people who ask too much."""

from typing import Any

import httpx
import pytest

from dev.scaffold.graphql.backends import ORDERS, USERS
from shared.testing.bff import Bff
from shared.testing.clock import ManualClock
from shared.testing.faults import silent, status
from shared.testing.sockets import SocketBackends

GRAPH = "/newcomer/graphql"
QUERY = "{ summary { name purchases { id amount placedAt } degraded { section reason source } } }"


async def ask(newcomer: Bff, query: str, **options: Any) -> httpx.Response:
    return await newcomer.post(GRAPH, json={"query": query}, **options)


async def test_a_summary(newcomer: Bff) -> None:
    """The customer and what they bought."""
    assert (await ask(newcomer, QUERY)).json()["data"]["summary"] == {
        "name": "Ada",
        "purchases": [{"id": "7", "amount": "12.30", "placedAt": "2026-11-24T21:59:59+00:00"}],
        "degraded": [],
    }


async def test_without_purchases(manual_clock: ManualClock, newcomer: Bff, backends: SocketBackends) -> None:
    """Null, and named; no error."""
    backends[ORDERS].fault(silent())
    body = (await ask(newcomer, QUERY)).json()

    assert "errors" not in body
    assert body["data"]["summary"]["purchases"] is None
    assert body["data"]["summary"]["degraded"] == [{"section": "purchases", "reason": "timeout", "source": "none"}]


async def test_without_a_customer(newcomer: Bff, backends: SocketBackends) -> None:
    """An error with its code, and nothing of its cause."""
    backends[USERS].fault(status(500))
    (error,) = (await ask(newcomer, QUERY)).json()["errors"]

    assert error["path"] == ["summary"]
    assert error["extensions"]["code"] == "backend_faulted"


async def test_for_nobody(newcomer: Bff, backends: SocketBackends) -> None:
    """401, and no backend is asked."""
    answer = await ask(newcomer, QUERY, user=None)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert backends.requests == []


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { types { name } } }",
        "{" + " ".join(f"a{n}: summary {{ name }}" for n in range(20)) + "}",
        "{ summary { " + "name " * 600 + "} }",
        "{ nope }",
    ],
    ids=["introspection", "aliases", "tokens", "an unknown field"],
)
async def test_too_much(newcomer: Bff, backends: SocketBackends, query: str) -> None:
    """Refused with a code before any backend is asked."""
    body = (await ask(newcomer, query)).json()

    assert body.get("data") is None
    assert {one["extensions"]["code"] for one in body["errors"]} == {"invalid_request"}
    assert backends.requests == []


async def test_a_get_reaches_nothing(newcomer: Bff, backends: SocketBackends) -> None:
    """No link and no form can ask."""
    assert (await newcomer.get(GRAPH, params={"query": QUERY})).status_code == 400
    assert backends.requests == []
