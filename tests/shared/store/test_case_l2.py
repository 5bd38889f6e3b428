"""Field case L2 with real servers: refused, silent, slow, and back; alone, and seen through a proxy."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from shared.store.address import read_address
from shared.store.errors import StoreError, StoreSkipped
from shared.store.standing import StoreTurnedEvent
from shared.store.store import Store, StorePolicy
from tests.shared.store.proxy import Proxy, proxied
from tests.shared.store.servers import Server

# Long enough that a busy machine's pauses are not taken for an outage, short enough to see that it is kept.
POLICY = StorePolicy(answer_within=timedelta(milliseconds=250))
BACK_WITHIN_S = 2.0


async def refused(proxy: Proxy) -> None:
    """The port is closed, and so is every connection."""
    await proxy.refuse()


async def silent(proxy: Proxy) -> None:
    """Connections stay, and nothing is said on them."""
    proxy.speaks.clear()


async def slow(proxy: Proxy) -> None:
    """Every answer takes five seconds."""
    proxy.delay_s = 5.0


async def well(proxy: Proxy) -> None:
    proxy.delay_s = 0.0
    proxy.speaks.set()
    if not proxy.listening:
        await proxy.listen()


@pytest.mark.parametrize("trouble", [refused, silent, slow])
async def test_case_l2_an_outage_costs_a_few_their_timeout_and_ends_by_itself(
    server: Server, trouble: Callable[[Proxy], Awaitable[None]]
) -> None:
    """Those who ask in turn wait the policy's time at most, few of them; then nobody; back within two seconds."""
    told: list[StoreTurnedEvent] = []
    async with proxied(server.port) as proxy:
        store = Store.open(read_address(proxy.url), policy=POLICY, listener=told.append)
        await store.put(b"k", b"v", timedelta(minutes=1))
        await trouble(proxy)

        waited, skipped = 0, 0
        async with asyncio.timeout(10):
            while skipped < 1_000:
                try:
                    await store.get(b"k")
                except StoreSkipped:
                    skipped += 1
                except StoreError:
                    waited += 1
        assert waited <= 8
        assert [event.up for event in told] == [False]
        assert str(server.port) not in told[0].cause

        await well(proxy)
        since = time.monotonic()
        async with asyncio.timeout(10):
            while not store.up:  # noqa: ASYNC110 - what it waits for happens in another process
                await asyncio.sleep(0.01)
            assert await store.get(b"k") == b"v"
        assert time.monotonic() - since < BACK_WITHIN_S
        assert told[-1] == StoreTurnedEvent(up=True)
        await store.aclose()


async def test_a_restarted_server_is_found_again(server: Server) -> None:
    """Its connections are dead, its scripts forgotten: one asker at most notices."""
    store = Store.open(read_address(server.url), policy=POLICY)
    await store.get(b"k")
    server.stop()
    server.start()

    failed = 0
    async with asyncio.timeout(10):
        for _ in range(20):
            try:
                assert await store.get(b"k") is None
            except StoreError:
                failed += 1
    assert failed <= 1
    await store.aclose()
