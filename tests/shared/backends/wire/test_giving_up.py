"""Every slot and every socket comes back, however a call ends (field case S1)."""

import asyncio
import time
from typing import Any

import pytest

from shared.backends.httpx_channel import HttpxChannel
from shared.backends.wire.origin import Origin
from shared.backends.wire.pool import PoolPolicy, WirePool
from shared.clock import LoopClock
from shared.errors import BackendUnreachable, CallFailed
from tests.shared.backends.raw import (
    OK,
    Inbox,
    Line,
    RawBackend,
    answers,
    ask,
    http,
    never_answers,
    request,
    until,
)
from tests.shared.backends.wire.pools import pool_for, slow_to_accept, sockets, status_of


async def test_an_abort_under_way_closes_the_connection_and_says_nothing_more() -> None:
    """The backend sees the close; the receiver hears neither a reply nor a failure; a second abort is harmless."""
    async with RawBackend(never_answers) as backend, pool_for(backend) as pool:
        inbox = Inbox()
        exchange = pool.send(request(), inbox)
        await until(lambda: len(backend.requests) == 1, "it is under way")

        exchange.abort()
        exchange.abort()

        await until(lambda: backend.open == 0, "the backend saw the close")
        assert (pool.connections, pool.active, inbox.heard) == (0, 0, [])


async def test_an_abort_within_the_answer_never_gives_its_rest_to_another() -> None:
    """Half an answer read: the connection is closed, the next call has its own (field case L7 in HTTP)."""

    async def script(line: Line) -> None:
        while (sent := await line.request()) is not None:
            whole = http(sent.split()[1])
            await line.write(whole[:-3])
            await asyncio.sleep(0.01)
            await line.write(whole[-3:])

    async with RawBackend(script) as backend, pool_for(backend, max_connections=2) as pool:
        for number in range(30):
            exchange = pool.send(request(target=f"/left-{number}"), Inbox())
            await asyncio.sleep(0.001 * (number % 12))
            exchange.abort()

            outcome = await ask(pool, request(target=f"/kept-{number}"))

            assert not isinstance(outcome, CallFailed)
            assert outcome.body == f"/kept-{number}".encode()


async def test_an_abort_after_the_reply_does_no_harm() -> None:
    """The connection stays for the next call."""
    async with RawBackend(answers(OK)) as backend, pool_for(backend) as pool:
        inbox = Inbox()
        exchange = pool.send(request(), inbox)
        await inbox.outcome()

        exchange.abort()

        assert pool.connections == 1
        assert status_of(await ask(pool)) == 200
        assert backend.accepted == 1


@pytest.mark.parametrize("given_up", ["connecting", "at once", "under way"])
async def test_case_s1_cancelled_calls_give_every_slot_back(given_up: str) -> None:
    """Twenty rounds of five cancelled calls over two slots; then a healthy call is answered within a second."""
    async with RawBackend(never_answers) as backend, slow_to_accept() as slow:
        before = sockets()
        url = slow if given_up == "connecting" else backend.url
        pool = WirePool("raw", url, PoolPolicy(max_connections=2), LoopClock())
        inboxes = [Inbox() for _ in range(100)]
        for start in range(0, 100, 5):
            round_of_five = [pool.send(request(), inbox) for inbox in inboxes[start : start + 5]]
            if given_up == "connecting":
                await asyncio.sleep(0.002)
            elif given_up == "under way":
                await until(lambda: backend.open == 2, "two of them are under way")
            for exchange in round_of_five:
                exchange.abort()
            # One that was just made when its call was given up is kept: the next call may have it.
            await until(lambda: backend.open == pool.connections - len(pool._tasks), "the backend saw them close")

        await until(lambda: pool.active == 0, "no slot is held")
        await until(lambda: sockets() <= before + 2 * pool.connections, "no socket is left")
        assert [inbox.heard for inbox in inboxes] == [[]] * 100
        backend.script = answers(OK)
        pool._dialer.origin = Origin.of(backend.url)  # the slow host is well again
        began = time.monotonic()
        assert status_of(await ask(pool)) == 200
        assert time.monotonic() - began < 1
        assert pool.active == 0
        assert pool.connections <= 2
        await pool.aclose()
        await until(lambda: sockets() == before, "every socket is closed")


async def test_case_s1_through_the_stock_channel() -> None:
    """The same rounds over httpx: whatever its pool thinks, a healthy call is answered."""
    async with RawBackend(never_answers) as backend:
        channel = HttpxChannel("raw", backend.url)
        for _ in range(20):
            exchanges = [channel.send(request(), Inbox()) for _ in range(5)]
            await asyncio.sleep(0.002)
            for exchange in exchanges:
                exchange.abort()
        await until(lambda: backend.open == 0, "the backend saw them close")
        backend.script = answers(OK)

        assert status_of(await ask(channel)) == 200
        await channel.aclose()


@pytest.mark.parametrize("channel", ["wire", "httpx"])
async def test_closing_tells_whoever_still_waits(channel: str) -> None:
    """Under way or in the queue: each hears once that the backend is unreachable; so does who comes later."""
    async with RawBackend(never_answers) as backend:
        pool: Any = (
            WirePool("raw", backend.url, PoolPolicy(max_connections=1), LoopClock())
            if channel == "wire"
            else HttpxChannel("raw", backend.url)
        )
        inboxes = [Inbox() for _ in range(3)]
        for inbox in inboxes:
            pool.send(request(), inbox)
        left = Inbox()
        pool.send(request(), left).abort()
        await until(lambda: len(backend.requests) > 0, "one is under way")

        await pool.aclose()

        for inbox in inboxes:
            assert isinstance(await inbox.outcome(), BackendUnreachable)
        assert isinstance(await ask(pool), BackendUnreachable)
        await asyncio.sleep(0)
        assert [len(inbox.heard) for inbox in (*inboxes, left)] == [1, 1, 1, 0]
        await until(lambda: backend.open == 0, "every connection is closed")


async def test_closing_while_connecting_leaves_nothing() -> None:
    """The connect is given up and its caller told."""
    async with slow_to_accept() as url:
        before = sockets()
        pool = WirePool("raw", url, PoolPolicy(), LoopClock())
        inbox = Inbox()
        pool.send(request(), inbox)
        await asyncio.sleep(0.002)

        await pool.aclose()

        assert isinstance(await inbox.outcome(), BackendUnreachable)
        assert (pool.connections, pool.active, sockets()) == (0, 0, before)
