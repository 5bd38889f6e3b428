"""Connections that died while nobody looked."""

import asyncio

from shared.backends.wire.connection import Connection
from shared.backends.wire.pool import PoolPolicy, WirePool
from shared.clock import LoopClock
from shared.errors import BackendUnreachable
from tests.shared.backends.raw import (
    OK,
    Inbox,
    Line,
    RawBackend,
    answers,
    ask,
    hangs_up,
    request,
    until,
)
from tests.shared.backends.wire.pools import pool_for, status_of


class ClosesIdle:
    """Answers, then closes the connection as soon as the next request comes: what a server's idle timer does."""

    def __init__(self, stale: int = 1) -> None:
        self._stale = stale

    async def __call__(self, line: Line) -> None:
        await line.request()
        await line.write(OK)
        if line.backend.accepted <= self._stale:
            await line.request()
            line.reset()
        else:
            await answers(OK)(line)


async def test_a_request_that_a_stale_connection_swallowed_is_sent_again() -> None:
    """Idle connections die without a word; the caller must not notice (field case O2)."""
    async with RawBackend(ClosesIdle()) as backend, pool_for(backend) as pool:
        assert [status_of(await ask(pool)) for _ in range(2)] == [200, 200]
        assert (len(backend.requests), backend.accepted) == (3, 2)


async def test_a_post_on_a_stale_connection_is_not_sent_again() -> None:
    """It may have been done already: the failure says that it was sent (field case S8)."""
    async with RawBackend(ClosesIdle()) as backend, pool_for(backend) as pool:
        await ask(pool)

        outcome = await ask(pool, request("POST", body=b"{}"))

        assert isinstance(outcome, BackendUnreachable)
        assert outcome.sent
        assert sum(sent.startswith(b"POST") for sent in backend.requests) == 1


async def test_it_is_sent_again_only_once() -> None:
    """A backend that closes on every request is down, not stale."""

    async def script(line: Line) -> None:
        await line.request()
        if line.backend.accepted == 1:
            await line.write(OK)
            await line.request()

    async with RawBackend(script) as backend, pool_for(backend) as pool:
        await ask(pool)

        assert isinstance(await ask(pool), BackendUnreachable)
        assert (len(backend.requests), backend.accepted) == (3, 2)


async def test_a_connection_that_broke_within_the_answer_is_not_stale() -> None:
    """The backend has begun: whether to try again is the retry policy's decision, under its budget."""

    async def script(line: Line) -> None:
        await line.request()
        await line.write(OK)
        await line.request()
        await line.write(OK[:-1])

    async with RawBackend(script) as backend, pool_for(backend) as pool:
        await ask(pool)

        assert isinstance(await ask(pool), BackendUnreachable)
        assert len(backend.requests) == 2


async def test_sending_again_keeps_to_the_limit() -> None:
    """The one that is sent again keeps its slot; whoever waits does not get it as well."""
    async with RawBackend(ClosesIdle()) as backend, pool_for(backend, max_connections=1) as pool:
        await ask(pool)
        stale, waiting = Inbox(), Inbox()
        pool.send(request(), stale)
        pool.send(request(), waiting)
        highest = 0
        while not (stale.heard and waiting.heard):
            highest = max(highest, pool.connections)
            await asyncio.sleep(0)

        assert highest == 1
        assert [status_of(await inbox.outcome()) for inbox in (stale, waiting)] == [200, 200]


class OpensLate(WirePool):
    """Hands a connection on only after the backend has closed it: a race that real networks win now and then."""

    async def _open(self) -> Connection:
        connection = await super()._open()
        await until(lambda: connection.closing, "the backend hung up")
        return connection


async def test_a_backend_that_hangs_up_before_the_request_is_told_at_once() -> None:
    """Never a call that waits for its timeout; and as nothing was sent, any call may be tried again."""
    async with RawBackend(hangs_up) as backend:
        pool = OpensLate("raw", backend.url, PoolPolicy(), LoopClock())

        outcome = await ask(pool, request("POST"))

        assert isinstance(outcome, BackendUnreachable)
        assert not outcome.sent
        assert (pool.connections, pool.active) == (0, 0)
