"""Field case L7: whoever leaves before an answer comes must not leave it to the next one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.store.address import read_address
from shared.store.command import Script
from shared.store.errors import StoreTimedOut
from shared.store.store import Store, StorePolicy
from tests.shared.store.proxy import Proxy, proxied
from tests.shared.store.servers import KINDS, NEVER_DOWN, PATIENT, clustering, free_port, serving

ROUNDS = 1_000
AT_ONCE = 200
MINUTE = timedelta(minutes=1)
ECHO = Script("return {KEYS[1], ARGV[1], redis.call('GET', KEYS[1])}", tuple)
FEW = replace(PATIENT, connections=3, cluster_connections=128, most_waiting=10_000)


@pytest.fixture(scope="module", params=[f"{kind}-{topology}" for topology in ("single", "cluster") for kind in KINDS])
def ports(request) -> Iterator[list[tuple[int, int]]]:
    """Servers, as pairs: the port, and the one that clients know it by, where a proxy is to listen."""
    kind, topology = request.param.split("-")
    if topology == "single":
        with serving(kind) as server:
            yield [(server.port, free_port())]
    else:
        announced = tuple(free_port() for _ in range(3))
        with clustering(kind, announced=announced) as nodes:
            yield [(node.port, port) for node, port in zip(nodes, announced, strict=True)]


@pytest.fixture
async def place(ports: list[tuple[int, int]]) -> AsyncIterator[tuple[str, list[Proxy]]]:
    async with contextlib.AsyncExitStack() as stack:
        proxies = [await stack.enter_async_context(proxied(port, at)) for port, at in ports]
        kind = "valkey" if len(proxies) == 1 else "valkey+cluster"
        yield f"{kind}://127.0.0.1:{proxies[0].port}", proxies


async def by_get(store: Store, key: bytes) -> None:
    """One GET."""
    assert await store.get(key) == b"value of " + key


async def by_pipeline(store: Store, key: bytes) -> None:
    """Several of one moment, which share an exchange."""
    got = await asyncio.gather(store.get(key), store.get(key), store.get(b"none"))
    assert got == [b"value of " + key, b"value of " + key, None]


async def by_script(store: Store, key: bytes) -> None:
    """A script, which says what it was asked."""
    assert await store.run(ECHO, [key], [b"for " + key]) == (key, b"for " + key, b"value of " + key)


async def cancelled(work: Awaitable[None]) -> None:
    """The client leaves after 10 ms."""
    task = asyncio.ensure_future(work)
    await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def timed_out(work: Awaitable[None]) -> None:
    """The caller's patience ends after 10 ms."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await work


async def all_closed(proxies: list[Proxy]) -> None:
    async with asyncio.timeout(5):
        while any(proxy.now_open for proxy in proxies):  # noqa: ASYNC110 - what ends it happens in a kernel
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("leaves", [cancelled, timed_out])
@pytest.mark.parametrize("ask", [by_get, by_pipeline, by_script])
async def test_case_l7_no_reply_reaches_anybody_else(
    place: tuple[str, list[Proxy]],
    ask: Callable[[Store, bytes], Awaitable[None]],
    leaves: Callable[[Awaitable[None]], Awaitable[None]],
) -> None:
    """1,000 rounds behind 50 ms: A leaves after 10 ms, B reads another key; 0 mismatches, no connection more."""
    url, proxies = place
    store = Store.open(read_address(url), policy=FEW)
    await asyncio.gather(*[store.put(b"%d" % index, b"value of %d" % index, MINUTE) for index in range(2 * AT_ONCE)])
    before = sum(proxy.made for proxy in proxies)
    for proxy in proxies:
        proxy.delay_s = 0.05

    async def one(place: int) -> None:
        for _ in range(ROUNDS // AT_ONCE):
            await leaves(ask(store, b"%d" % place))
            await ask(store, b"%d" % (AT_ONCE + place))

    await asyncio.gather(*[one(place) for place in range(AT_ONCE)])

    most = FEW.connections if len(proxies) == 1 else FEW.cluster_connections * len(proxies)
    assert before <= sum(proxy.made for proxy in proxies) <= most + len(proxies)
    await store.aclose()
    await all_closed(proxies)


async def test_case_l7_a_connection_with_an_unread_reply_is_closed(place: tuple[str, list[Proxy]]) -> None:
    """The store's own time is over before every reply: the connections go, and what is read later is right."""
    url, proxies = place
    policy = StorePolicy(answer_within=timedelta(milliseconds=20), connections=3, standing=NEVER_DOWN)
    store = Store.open(read_address(url), policy=policy)
    patient = Store.open(read_address(url), policy=FEW)
    keys = [b"%d" % index for index in range(60)]
    await asyncio.gather(*[patient.put(key, b"value of " + key, MINUTE) for key in keys])
    for turn in range(5):
        for proxy in proxies:
            proxy.delay_s = 0.05
        late = await asyncio.gather(*[store.get(key) for key in keys], return_exceptions=True)
        assert {type(one) for one in late} == {StoreTimedOut}, turn
        for proxy in proxies:
            proxy.delay_s = 0.0
        async with asyncio.timeout(5):
            while True:
                answers = await asyncio.gather(*[store.get(key) for key in keys], return_exceptions=True)
                wrong = [
                    one
                    for key, one in zip(keys, answers, strict=True)
                    if isinstance(one, bytes) and one != b"value of " + key
                ]
                assert wrong == []
                if all(isinstance(one, bytes) for one in answers):
                    break
    await store.aclose()
    await patient.aclose()
