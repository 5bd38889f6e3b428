"""Ordering again: two backends, one write, done once however often it is sent."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from bffs.mobile.backends import ALERTS, ORDER_AGAIN, ORDERS, TELL
from shared.testing.bff import Bff
from shared.testing.calls import BackendCalls
from shared.testing.faults import down, held, silent, status
from shared.testing.playing import Fault
from shared.testing.sockets import SocketBackends
from tests.bffs.conftest import OpenSampled
from tests.bffs.mobile.conftest import OpenMobile
from tests.bffs.mobile.sample import ALERTS_SCREEN, ORDER, ORDERS_SCREEN
from tests.shared.store.servers import Server, serving

WISH = {"repeats": "9007199254740993"}
# A busy machine must not look like a slow store.
PATIENT = timedelta(seconds=2)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("valkey") as running:
        yield running


@pytest.fixture
async def shop(open_mobile: OpenMobile, backends: SocketBackends, server: Server) -> Bff:
    """The BFF with a store, over backends that do as they are told."""
    bff = await open_mobile(store_url=server.url, store_answer_within=PATIENT)
    backends.answers(ORDER_AGAIN, ORDER, status=201)
    backends.answers(TELL, {"id": "order-1"}, status=201)
    return bff


async def order(bff: Bff, key: str | None, wish: Any = WISH, **options: Any) -> httpx.Response:
    """Order the same again."""
    return await bff.post(ORDERS_SCREEN, json=wish, headers={} if key is None else {"idempotency-key": key}, **options)


async def test_it_is_ordered_and_told_once(open_sampled: OpenSampled, server: Server) -> None:
    """Over the sample backends: one order and one alert, however often it is sent, each time the same answer."""
    bff = await open_sampled(store_url=server.url, store_answer_within=PATIENT)
    before = (await bff.get(ORDERS_SCREEN)).json()["items"]
    wish = {"repeats": before[0]["id"]}
    first = await order(bff, "end-to-end", wish)
    again = await order(bff, "end-to-end", wish)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    made = first.json()["order"]
    assert first.headers["location"] == again.headers["location"] == f"{ORDERS_SCREEN}/{made['id']}"
    assert (await bff.get(first.headers["location"])).json()["amount"] == before[0]["amount"]
    assert [one["id"] for one in (await bff.get(ORDERS_SCREEN)).json()["items"]][:2] == [made["id"], before[0]["id"]]
    alerts = (await bff.get(ALERTS_SCREEN)).json()["items"]
    assert [one["id"] for one in alerts].count(f"order-{made['id']}") == 1
    assert (await order(bff, "end-to-end", {"repeats": before[1]["id"]})).json()["code"] == "idempotency_key_reused"
    assert (await order(bff, "of-another-user", wish, user="u-2")).status_code == 404


@pytest.mark.parametrize(
    ("fault", "notice", "status_", "code"),
    [
        (silent(), "unknown", 504, "deadline_exceeded"), (down(), "unknown", 503, "backend_unreachable"),
        (status(500), "unknown", 502, "backend_faulted"), (status(403), "not_done", 502, "backend_refused"),
    ],
    ids=["silent", "down", "500", "403"],
)  # fmt: skip
async def test_half_of_it_happened(
    shop: Bff, backends: SocketBackends, backend_calls: BackendCalls, fault: Fault, notice: str, status_: int, code: str
) -> None:
    """Which half, in ``steps``; sent again with the same key it goes on, and the order is not made twice."""
    key = f"half-{code}"
    backends[ALERTS].fault(fault)
    half = await order(shop, key)

    assert (half.status_code, half.json()["code"]) == (status_, code)
    assert half.json()["steps"] == [{"step": "order", "outcome": "done"}, {"step": "notice", "outcome": notice}]
    backends[ALERTS].well()
    with backend_calls.exactly({ORDER_AGAIN: 1, TELL: 1}):
        whole = await order(shop, key)
    assert (whole.status_code, whole.json()["order"]["id"]) == (201, WISH["repeats"])
    keys = [one.header("idempotency-key") for one in backends[ORDERS].requests]
    assert len(set(keys)) == 1  # so the orders backend knows that it is the same wish
    with backend_calls.exactly({}):
        assert (await order(shop, key)).headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    ("fault", "outcome", "code"),
    [(silent(), "unknown", "deadline_exceeded"), (status(409), "not_done", "backend_refused")],
    ids=["silent", "409"],
)
async def test_the_first_half_did_not_happen_or_nobody_knows(
    shop: Bff, backends: SocketBackends, backend_calls: BackendCalls, fault: Fault, outcome: str, code: str
) -> None:
    """Then the second was not begun, and that is said."""
    backends[ORDERS].fault(fault)
    answer = await order(shop, f"first-{code}")

    assert answer.json()["code"] == code
    assert answer.json()["steps"] == [
        {"step": "order", "outcome": outcome},
        {"step": "notice", "outcome": "not_started"},
    ]
    assert not backends[ALERTS].requests


async def test_two_at_once_are_one(shop: Bff, backends: SocketBackends, backend_calls: BackendCalls) -> None:
    """While one is executed the other is 409 and told when to come; then it gets the same answer."""
    release = asyncio.Event()
    backends[ORDERS].fault(held(release))
    with backend_calls.exactly({ORDER_AGAIN: 1, TELL: 1}):
        running = asyncio.create_task(order(shop, "at-once"))
        await backends.until(lambda: bool(backends[ORDERS].requests), "the first order")
        told = await order(shop, "at-once")
        assert (told.status_code, told.json()["code"]) == (409, "conflict")
        assert 1 <= int(told.headers["retry-after"]) <= 10
        release.set()
        first = await running
        second = await order(shop, "at-once")
    assert (first.status_code, second.content) == (201, first.content)


async def test_without_the_store_nothing_is_ordered(
    open_mobile: OpenMobile, backends: SocketBackends, backend_calls: BackendCalls
) -> None:
    """503 in place of an order that might be made twice: with none configured, and with one that is down."""
    with serving("valkey") as gone:
        pass
    for settings in ({}, {"store_url": gone.url}):
        bff = await open_mobile(**settings)
        with backend_calls.exactly({}):
            answer = await order(bff, "no-store")
        assert (answer.status_code, answer.json()["code"]) == (503, "backend_unreachable")
        assert answer.headers["retry-after"] == "2"
        assert (await bff.get("/mobile/v1/dashboard")).status_code == 200


@pytest.mark.parametrize("key", [None, "", "x" * 256, "with space", "tab\tin"])
async def test_without_a_key_nothing_is_ordered(shop: Bff, backend_calls: BackendCalls, key: str | None) -> None:
    """400 that names the header."""
    with backend_calls.exactly({}):
        answer = await order(shop, key)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert "Idempotency-Key" in answer.json()["detail"]


@pytest.mark.parametrize(
    "wish",
    [{}, {"repeats": 7}, {"repeats": ""}, {"repeats": "x"}, {"repeats": "9" * 20}, {"repeats": None}, [], "7",
     {"repeats": "7", "amount": "0.01"}, {"repeats": "\u0667"}],
    ids=json.dumps,
)  # fmt: skip
async def test_a_wish_of_the_wrong_kind_is_refused(shop: Bff, backend_calls: BackendCalls, wish: Any) -> None:
    """400, and the key is still free for a good one."""
    with backend_calls.exactly({}):
        answer = await order(shop, "bad-wish", wish)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


async def test_the_answer_is_nobody_elses(shop: Bff, backends: SocketBackends) -> None:
    """Another user with the same key gets an order of his own; what is kept shows neither."""
    await order(shop, "shared-key", user="ada")
    bobs = await order(shop, "shared-key", user="bob")

    assert "idempotency-replayed" not in bobs.headers
    asked = [one.target for one in backends[ORDERS].requests]
    assert asked == ["/api/internal/users/ada/orders", "/api/internal/users/bob/orders"]


async def test_case_m5_a_client_that_leaves_lets_go(shop: Bff, backends: SocketBackends) -> None:
    """The backend sees it leave, the claim is let go, and what is sent again is executed, under the same key."""
    release = asyncio.Event()
    backends[ORDERS].fault(held(release))
    running = asyncio.create_task(order(shop, "leaves"))
    await backends.until(lambda: bool(backends[ORDERS].requests), "the order")
    running.cancel()
    await backends.until(lambda: backends[ORDERS].left == 1, "the leave")
    backends[ORDERS].well()

    async def claimed_again() -> httpx.Response:
        async with asyncio.timeout(5):
            while (answer := await order(shop, "leaves")).status_code == 409:  # noqa: ASYNC110 - the store tells nobody
                await asyncio.sleep(0.01)
        return answer

    assert (await claimed_again()).status_code == 201
    assert len({one.header("idempotency-key") for one in backends[ORDERS].requests}) == 1
