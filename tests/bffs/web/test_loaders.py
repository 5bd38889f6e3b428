"""Loaders: one call for what is asked together, and nothing that outlives its request (field case W1)."""

import asyncio
from collections.abc import Mapping

import pytest

from bffs.web.backends import LINES_OF, ORDERS_AMONG, USERS_OF
from bffs.web.loaders import LONGEST_KEY, MOST_KEYS, Loader
from shared.testing.clock import ManualClock
from shared.testing.faults import held, silent, status
from shared.testing.issuer import Issuer
from shared.testing.sockets import SocketBackends
from tests.bffs.web.conftest import OpenWeb
from tests.bffs.web.shop import Shop
from tests.bffs.web.web import EXPLORER, Web


class Batches:
    """Answers batches, and records them."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.running: set = set()
        self.fails: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def __call__(self, keys: list[str]) -> Mapping[str, str]:
        self.asked.append(keys)
        if self.gate is not None:
            await self.gate.wait()
        if self.fails is not None:
            raise self.fails
        return {key: key.upper() for key in keys if key != "gone"}

    def loader(self) -> Loader[str]:
        return Loader(self, self.running)


async def test_keys_of_one_turn_are_one_batch() -> None:
    """Each key once, in the order in which they came; what does not exist is None."""
    batches = Batches()
    loader = batches.loader()

    found = await asyncio.gather(*(loader.load(key) for key in ("b", "a", "b", "gone")))

    assert found == ["B", "A", "B", None]
    assert batches.asked == [["b", "a", "gone"]]
    assert await loader.load("a") == "A"
    assert len(batches.asked) == 1
    assert batches.running == set()


@pytest.mark.parametrize(("keys", "sizes"), [(MOST_KEYS, [100]), (MOST_KEYS + 1, [100, 1]), (250, [100, 100, 50])])
async def test_a_batch_is_capped(keys: int, sizes: list[int]) -> None:
    """More go out as several calls at once."""
    batches = Batches()
    loader = batches.loader()

    await asyncio.gather(*(loader.load(str(key)) for key in range(keys)))

    assert [len(batch) for batch in batches.asked] == sizes


@pytest.mark.parametrize("key", ["", "a,b", ",", "x" * (LONGEST_KEY + 1)])
async def test_what_can_be_no_key_is_never_asked_for(key: str) -> None:
    """A comma would make two of it."""
    batches = Batches()

    assert await batches.loader().load(key) is None
    assert batches.asked == []


async def test_a_failure_is_everybodys_who_asked_with_it() -> None:
    """And stays within its batch."""
    batches = Batches()
    loader = batches.loader()
    batches.fails = ValueError("broken")

    found = await asyncio.gather(loader.load("a"), loader.load("b"), return_exceptions=True)
    batches.fails = None

    assert found == [batches.asked and found[0]] * 2
    assert isinstance(found[0], ValueError)
    assert await loader.load("c") == "C"


async def test_a_field_that_is_given_up_does_not_take_the_key_from_others() -> None:
    """Null propagation cancels one of two that wait for the same."""
    batches = Batches()
    batches.gate = asyncio.Event()
    loader = batches.loader()
    one, other = asyncio.ensure_future(loader.load("a")), asyncio.ensure_future(loader.load("a"))
    await asyncio.sleep(0)
    one.cancel()
    await asyncio.sleep(0)
    batches.gate.set()

    assert await other == "A"
    assert one.cancelled()


# Within requests

ORDER = "query ($id: ID!) { a: order(id: $id) { status } b: order(id: $id) { status amount } c: order(id: $id) { id } }"


@pytest.fixture
def shop(web: Web, backends: SocketBackends) -> Shop:
    return Shop(backends)


async def test_case_w1_one_key_five_times_is_asked_for_once(web: Web, shop: Shop, backends: SocketBackends) -> None:
    """Within one request."""
    await web.data(ORDER, {"id": str(shop.orders[0]["id"])})

    assert [one.target for one in backends.requests] == [
        f"/api/internal/orders/batch?userId=u-1&ids={shop.orders[0]['id']}"
    ]


async def test_case_w1_nothing_is_kept_for_the_next_request(
    web: Web, shop: Shop, backends: SocketBackends, issuer: Issuer
) -> None:
    """A change is seen by the next request; another caller's request asks for himself, as himself."""
    own_id = str(shop.orders[0]["id"])
    await web.data(ORDER, {"id": own_id})
    shop.orders[0]["status"] = "delivered"
    again = await web.data(ORDER, {"id": own_id})
    await web.data(ORDER, {"id": own_id}, headers=issuer.signed_in("u-2", scope=EXPLORER))

    assert again["a"]["status"] == "delivered"
    assert [one.target.partition("&")[0].rpartition("=")[2] for one in backends.requests] == ["u-1", "u-1", "u-2"]


async def test_case_w1_one_callers_failure_is_not_the_others(
    web: Web, shop: Shop, backends: SocketBackends, issuer: Issuer
) -> None:
    """The first finds the backend broken; the next one asks it anew."""
    own_id = str(shop.orders[0]["id"])
    backends["orders"].fault(status(500))
    failed = await web.query(ORDER, {"id": own_id})
    backends["orders"].well()

    answer = await web.data(ORDER, {"id": own_id}, headers=issuer.signed_in("u-2", scope=EXPLORER))

    assert failed.json()["data"] == {"a": None, "b": None, "c": None}
    assert answer["a"]["status"] == "shipped"


async def test_case_w1_two_callers_at_the_same_tick_are_two_batches(
    web: Web, shop: Shop, backends: SocketBackends, issuer: Issuer
) -> None:
    """Neither's keys nor identity are in the other's call."""
    together = asyncio.Barrier(2)
    backends["orders"].fault(held(together), on=ORDERS_AMONG)
    first, second = (str(one["id"]) for one in shop.orders[:2])

    async with asyncio.timeout(5):
        await asyncio.gather(
            web.data(ORDER, {"id": first}),
            web.data(ORDER, {"id": second}, headers=issuer.signed_in("u-2", scope=EXPLORER)),
        )

    assert {one.target for one in backends.requests} == {
        f"/api/internal/orders/batch?userId=u-1&ids={first}",
        f"/api/internal/orders/batch?userId=u-2&ids={second}",
    }


async def test_batches_count_against_the_cap_of_their_request(open_web: OpenWeb, backends: SocketBackends) -> None:
    """A page and its lines are two branches: with room for one, the lines are an error, and not the page."""
    web = await open_web(max_branches=3)
    web.app.state.backends.max_branches = 1
    Shop(backends)

    body = (await web.query("{ orders(first: 2) { nodes { id lines { name } } } }")).json()

    assert [one["lines"] for one in body["data"]["orders"]["nodes"]] == [None, None]
    assert {one["extensions"]["code"] for one in body["errors"]} == {"overloaded"}


async def test_a_batch_ends_by_the_requests_deadline(
    manual_clock: ManualClock, web: Web, backends: SocketBackends
) -> None:
    """Customers never come: the orders are there in time, and each ``customer`` is an error that says why."""
    shop = Shop(backends, orders=2)
    backends["users"].fault(silent(), on=USERS_OF)
    began = manual_clock.now_s()

    text = "{ orders { nodes { id customer { displayName } } } }"
    body = (await web.query(text, headers={"x-deadline-ms": "400"})).json()

    assert 0 < manual_clock.now_s() - began <= 0.4
    ids = [str(one["id"]) for one in shop.orders]
    assert body["data"]["orders"]["nodes"] == [{"id": own_id, "customer": None} for own_id in ids]
    assert [(one["path"], one["extensions"]["code"]) for one in body["errors"]] == [
        (["orders", "nodes", at, "customer"], "deadline_exceeded") for at in (0, 1)
    ]


async def test_batches_share_the_retries_of_their_request(web: Web, backends: SocketBackends) -> None:
    """Two loaders whose backends are down have two retries between them."""
    Shop(backends, orders=2)
    for call in (USERS_OF, LINES_OF):
        backends[call.backend].fault(status(503), on=call)

    await web.query("{ orders { nodes { customer { tier } lines { name } } } alerts { nodes { id } } }")

    asked = [one.call for one in backends.requests]
    assert asked.count(f"GET {USERS_OF.template}") + asked.count(f"GET {LINES_OF.template}") == 2 + 2


async def test_case_m5_a_caller_who_leaves_takes_his_batches_with_him(
    web: Web, shop: Shop, backends: SocketBackends
) -> None:
    """The backend sees its caller leave, and nothing of the request is left running."""
    backends["users"].fault(held(asyncio.Event()), on=USERS_OF)
    asking = asyncio.ensure_future(web.query("{ orders(first: 2) { nodes { customer { displayName } } } }"))
    await backends.until(lambda: "users" in backends.counts(), "the customers are asked for")
    asking.cancel()

    await backends.until(lambda: backends["users"].left == 1, "the backend sees it leave")
