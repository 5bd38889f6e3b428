"""How the sample backends misbehave when told to."""

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

Backends = dict[str, httpx.AsyncClient]

ORDERS = "/api/internal/orders?userId=u-1"
PROFILE = "/api/internal/users/u-1/profile"


@pytest.fixture
def orders(backends: Backends) -> httpx.AsyncClient:
    """Return the backend that misbehaves."""
    return backends["orders"]


async def answer_with(client: httpx.AsyncClient, path: str = ORDERS, **fault: Any) -> httpx.Response:
    """Set a fault and make one call."""
    assert (await client.put("/__fault", json=fault)).status_code == 200
    return await client.get(path)


async def test_a_status_comes_as_a_problem(orders: httpx.AsyncClient) -> None:
    """With Retry-After if asked for."""
    answer = await answer_with(orders, status=503, retry_after_s=2)

    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "2"
    assert answer.json()["status"] == 503
    assert "retry-after" not in (await answer_with(orders, status=429)).headers
    assert (await answer_with(orders, status=599)).status_code == 599


async def test_latency_comes_first(orders: httpx.AsyncClient) -> None:
    """The answer is good, only later."""
    started = time.perf_counter()
    answer = await answer_with(orders, latency_ms=60)

    assert time.perf_counter() - started >= 0.06
    assert len(answer.json()) == 5


async def test_silence_lasts_until_the_client_leaves(orders: httpx.AsyncClient) -> None:
    """No answer at all; the call stays in flight, is seen to end, and counts as a client that left."""
    await orders.put("/__fault", json={"silent": True})
    call = asyncio.create_task(orders.get(ORDERS))
    for _ in range(1000):
        await asyncio.sleep(0)  # in this process nothing else makes way for the call
        if (await orders.get("/__seen")).json()["inFlight"] == 1:
            break
    assert not call.done()

    call.cancel()
    await asyncio.wait([call], timeout=5)

    seen = (await orders.get("/__seen")).json()
    assert (seen["inFlight"], seen["disconnects"], len(seen["calls"])) == (0, 1, 1)


@pytest.mark.parametrize("wish", [True, "html"])
async def test_html_in_place_of_json(wish: object, orders: httpx.AsyncClient) -> None:
    """The commonest kind, and what ``true`` means."""
    answer = await answer_with(orders, invalid=wish)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(("name", "path"), [("orders", ORDERS), ("users", PROFILE), ("orders", f"{ORDERS}0")])
async def test_each_kind_is_wrong_in_one_way_only(name: str, path: str, backends: Backends) -> None:
    """Cut in half; one NaN; ten megabytes of good JSON; a redirect; nothing. For objects, lists and empty lists."""
    client = backends[name]
    good = (await client.get(path)).json()

    truncated = await answer_with(client, path, invalid="truncated")
    with pytest.raises(json.JSONDecodeError):
        truncated.json()
    assert truncated.headers["content-length"] == str(len(truncated.content))

    nan = await answer_with(client, path, invalid="nan")
    assert nan.content.count(b"NaN") == 1
    assert len(json.loads(nan.content)) == max(1, len(good))

    huge = await answer_with(client, path, invalid="huge")
    assert len(huge.content) > 10 * 1024 * 1024
    assert huge.json() == good

    redirect = await answer_with(client, path, invalid="redirect")
    assert (redirect.status_code, redirect.headers["location"]) == (302, "http://elsewhere.invalid/")

    empty = await answer_with(client, path, invalid="empty")
    assert (empty.status_code, empty.content) == (200, b"")


async def test_a_share_of_the_calls_is_drawn_from_a_seed(orders: httpx.AsyncClient) -> None:
    """Set again, the same calls fail: a test that uses it is repeatable."""

    async def pattern() -> list[int]:
        await orders.put("/__fault", json={"status": 503, "probability": 0.3})
        return [(await orders.get(ORDERS)).status_code for _ in range(100)]

    first = await pattern()

    assert first == await pattern()
    assert 15 <= first.count(503) <= 45
    assert first.count(503) + first.count(200) == 100


async def test_controls_and_health_stay_honest(orders: httpx.AsyncClient) -> None:
    """A silent backend is still ready, can be asked about its fault, and be cured."""
    await orders.put("/__fault", json={"silent": True, "probability": 0.5})

    assert (await orders.get("/health/ready")).status_code == 200
    assert (await orders.get("/__fault")).json() == {
        "latency_ms": None,
        "status": None,
        "retry_after_s": None,
        "silent": True,
        "invalid": None,
        "probability": 0.5,
    }
    assert (await orders.delete("/__fault")).status_code == 204
    assert (await orders.get(ORDERS)).status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        {"latency": 5},
        {"latency_ms": -1},
        {"status": 200},
        {"status": 700},
        {"invalid": "xml"},
        {"probability": 1.1},
        {"silent": "maybe"},
        [],
    ],
    ids=str,
)
async def test_a_fault_that_is_not_one_is_refused(fault: Any, orders: httpx.AsyncClient) -> None:
    """And the old one stays."""
    await orders.put("/__fault", json={"status": 503})

    assert (await orders.put("/__fault", json=fault)).status_code == 400
    assert (await orders.get("/__fault")).json()["status"] == 503


async def test_a_new_fault_replaces_the_old_one(orders: httpx.AsyncClient) -> None:
    """They do not add up."""
    await answer_with(orders, status=503)

    assert (await answer_with(orders, latency_ms=1)).status_code == 200
