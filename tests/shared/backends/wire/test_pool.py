"""The connections to one backend: reuse, limit, queue, and that every slot and socket comes back. Real sockets."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.backends.httpx_channel import HttpxChannel
from shared.backends.wire.connection import Connection
from shared.backends.wire.pool import PoolPolicy, WirePool
from shared.clock import LoopClock
from shared.errors import BackendInvalid, BackendUnreachable, CallFailed
from shared.testing.clock import ManualClock
from tests.shared.backends.raw import (
    OK,
    Inbox,
    Line,
    RawBackend,
    answers,
    ask,
    hangs_up,
    http,
    never_answers,
    request,
    until,
)


@asynccontextmanager
async def pool_for(backend: RawBackend, clock: Any = None, **policy: Any) -> AsyncIterator[WirePool]:
    pool = WirePool("raw", backend.url, PoolPolicy(**policy), clock or LoopClock())
    try:
        yield pool
    finally:
        await pool.aclose()
        assert (pool.connections, pool.active) == (0, 0)
        await until(lambda: backend.open == 0, "the backend saw every connection close")


def sockets() -> int:
    """Count the sockets of this process."""
    names = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            names.append(entry.readlink().name)
        except FileNotFoundError:
            continue
    return sum(name.startswith("socket:") for name in names)


def status_of(outcome: Any) -> int:
    assert not isinstance(outcome, CallFailed), outcome
    return int(outcome.status)


@asynccontextmanager
async def slow_to_accept() -> AsyncIterator[str]:
    """A listener whose queue is full: connecting to it takes until somebody accepts, which nobody does."""
    listener = socket.socket()
    fillers: list[socket.socket] = []
    try:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        for one in (*fillers, listener):
            one.close()


# Reuse


async def test_one_connection_carries_one_request_after_another() -> None:
    """Keep-alive: ten calls in a row, one handshake."""
    async with RawBackend(answers(OK)) as backend, pool_for(backend) as pool:
        for _ in range(10):
            assert status_of(await ask(pool)) == 200

        assert (backend.accepted, pool.connections, pool.active) == (1, 1, 0)


async def test_a_chunked_answer_leaves_its_connection_usable() -> None:
    """The end of the body is the last chunk, not the close."""
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n"
    async with RawBackend(answers(chunked)) as backend, pool_for(backend) as pool:
        assert [status_of(await ask(pool)) for _ in range(3)] == [200] * 3
        assert backend.accepted == 1


@pytest.mark.parametrize(
    "raw",
    [
        http(b"[]", "connection: close"),
        http(b"[]") + b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        http(b"[]") + b"\0",
        b"HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n[]",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n[]",
    ],
    ids=["it says close", "a second answer", "junk", "a 204 with a body", "HTTP/1.0"],
)
async def test_a_connection_in_doubt_is_not_used_again(raw: bytes) -> None:
    """Or the rest of one user's answer would be the next user's."""
    async with RawBackend(answers(raw)) as backend, pool_for(backend) as pool:
        for _ in range(3):
            status_of(await ask(pool))

        assert (backend.accepted, pool.connections) == (3, 0)


async def test_bytes_that_nobody_asked_for_close_an_idle_connection() -> None:
    """They can be no answer to the next request."""
    stray = asyncio.Event()

    async def script(line: Line) -> None:
        while await line.request() is not None:
            await line.write(http(b'"%d"' % len(line.backend.requests)))
            if len(line.backend.requests) == 1:
                await stray.wait()
                await line.write(http(b'"poison"'))

    async with RawBackend(script) as backend, pool_for(backend) as pool:
        await ask(pool)
        stray.set()
        await until(lambda: pool.connections == 0, "the poisoned connection is closed")

        second = await ask(pool)
        assert not isinstance(second, CallFailed)
        assert second.body == b'"2"'


async def test_an_answer_split_at_every_byte_is_the_same_answer() -> None:
    """Where the network cuts means nothing: each split into two, then one byte at a time."""
    early = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
    raws = [
        early + http(b'{"a":1}', "x-a: 1"),
        b"HTTP/1.1 200 OK\r\nx-a: 1\r\ntransfer-encoding: chunked\r\n\r\n3\r\n" + b'{"a\r\n4\r\n":1}\r\n0\r\n\r\n',
    ]
    for raw in raws:
        cuts = [(raw[:at], raw[at:]) for at in range(1, len(raw))] + [tuple(bytes([one]) for one in raw)]

        async def script(line: Line, cuts: list[tuple[bytes, ...]] = cuts) -> None:
            while await line.request() is not None:
                for piece in cuts[len(line.backend.requests) - 1]:
                    await line.write(piece)
                    await asyncio.sleep(0.0005)

        async with RawBackend(script) as backend, pool_for(backend) as pool:
            for _ in cuts:
                outcome = await ask(pool)
                assert not isinstance(outcome, CallFailed), outcome
                assert (outcome.status, outcome.body, outcome.header("x-a")) == (200, b'{"a":1}', "1")
            assert backend.accepted == 1


# Stale connections


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


# Limit, queue, idle


async def test_no_more_connections_than_the_limit_and_the_others_wait_their_turn() -> None:
    """Forty calls over four connections, first come first served."""
    order: list[str] = []

    class Noting(Inbox):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def replied(self, reply: Any) -> None:
            order.append(self.name)
            super().replied(reply)

    async with RawBackend(answers(OK)) as backend, pool_for(backend, max_connections=4) as pool:
        inboxes = [Noting(str(number)) for number in range(40)]
        for number, inbox in enumerate(inboxes):
            pool.send(request(target=f"/{number}"), inbox)
        assert (pool.connections, pool.active) == (4, 40)

        assert [status_of(await inbox.outcome()) for inbox in inboxes] == [200] * 40
        assert (backend.accepted, pool.connections, pool.active) == (4, 4, 0)
        asked = [int(sent.split()[1][1:]) for sent in backend.requests]
        assert max(abs(number - place) for place, number in enumerate(asked)) < 8


async def test_a_waiting_call_that_is_given_up_is_never_sent() -> None:
    """And takes no turn from those behind it."""
    async with RawBackend(never_answers) as backend, pool_for(backend, max_connections=1) as pool:
        first, given_up, last = Inbox(), Inbox(), Inbox()
        holding = pool.send(request(target="/first"), first)
        waiting = pool.send(request(target="/given-up"), given_up)
        pool.send(request(target="/last"), last)
        await until(lambda: len(backend.requests) == 1, "the first is under way")

        waiting.abort()
        backend.script = answers(OK)
        holding.abort()

        assert status_of(await last.outcome()) == 200
        assert [sent.split()[1] for sent in backend.requests] == [b"/first", b"/last"]
        assert first.heard == given_up.heard == []


async def test_a_failed_connect_hands_its_turn_on() -> None:
    """Those who wait behind it hear of their own connect, not silence."""
    async with RawBackend(answers(OK)) as gone:
        pass
    pool = WirePool("raw", gone.url, PoolPolicy(max_connections=1), LoopClock())
    inboxes = [Inbox() for _ in range(5)]
    for inbox in inboxes:
        pool.send(request(), inbox)

    outcomes = [await inbox.outcome() for inbox in inboxes]

    assert all(isinstance(one, BackendUnreachable) and not one.sent for one in outcomes)
    assert (pool.connections, pool.active) == (0, 0)


async def test_a_connect_that_takes_too_long_fails() -> None:
    """Unreachable, nothing sent, slot free."""
    async with slow_to_accept() as url:
        policy = PoolPolicy(connect_timeout=timedelta(milliseconds=50))
        pool = WirePool("raw", url, policy, LoopClock())

        outcome = await ask(pool)

        assert isinstance(outcome, BackendUnreachable)
        assert not outcome.sent
        assert (pool.connections, pool.active) == (0, 0)


async def test_idle_connections_are_closed_before_the_backend_would() -> None:
    """On our clock, and without a call to trigger it."""
    clock = ManualClock()
    async with RawBackend(answers(OK)) as backend:
        async with pool_for(backend, clock, idle_timeout=timedelta(seconds=4)) as pool:
            await ask(pool)
            await clock.advance(3.9)
            assert pool.connections == 1

            await clock.advance(4.2)

            assert pool.connections == 0
            await until(lambda: backend.open == 0, "the backend saw it close")
        assert clock.pending == 0


async def test_a_connection_idle_too_long_is_not_used_though_nobody_has_closed_it_yet() -> None:
    """The moment of use decides, not the reaper's."""
    clock = ManualClock()
    async with RawBackend(answers(OK)) as backend:
        async with pool_for(backend, clock, idle_timeout=timedelta(seconds=4)) as pool:
            await ask(pool)
            clock._now_s += 4.5  # time passes, and no timer has had its turn

            assert status_of(await ask(pool)) == 200
            assert (backend.accepted, pool.connections) == (2, 1)
        assert clock.pending == 0, "a closed pool leaves no timer"


async def test_an_idle_connection_that_the_backend_closes_is_forgotten() -> None:
    """Its slot is free without a call."""

    async def script(line: Line) -> None:
        await line.request()
        await line.write(OK)

    async with RawBackend(script) as backend, pool_for(backend) as pool:
        await ask(pool)
        await until(lambda: pool.connections == 0, "the pool noticed")


# Giving up


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
            await until(lambda: backend.open == 0, "the backend saw them close")

        await until(lambda: (pool.connections, pool.active) == (0, 0), "the pool is empty")
        await until(lambda: sockets() <= before + backend.open, "no socket is left")
        assert [inbox.heard for inbox in inboxes] == [[]] * 100
        backend.script = answers(OK)
        pool._host, pool._port = "127.0.0.1", backend.port  # the slow host is well again
        began = time.monotonic()
        assert status_of(await ask(pool)) == 200
        assert time.monotonic() - began < 1
        assert (pool.connections, pool.active) == (1, 0)
        await pool.aclose()


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


# Closing


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


async def test_the_body_bound_is_the_calls_own() -> None:
    """Two calls over one connection, each with its bound; the one that is too large costs the connection."""
    async with RawBackend(answers(http(b"x" * 100))) as backend, pool_for(backend) as pool:
        assert status_of(await ask(pool, request(max_body_bytes=100))) == 200
        assert isinstance(await ask(pool, request(max_body_bytes=99)), BackendInvalid)
        assert pool.connections == 0
        assert backend.accepted == 1


# Strictness

FORMS = {
    "a folded header": b"HTTP/1.1 200 OK\r\nx-a: 1\r\n content-length: 3\r\ncontent-length: 2\r\n\r\n[]",
    "bare line feeds": b"HTTP/1.1 200 OK\ncontent-length: 2\n\n[]",
    "a space before the colon": b"HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\n[]",
    "the same length twice": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n[]",
    "a list of lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\n[]",
    "a length and chunks": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    "no HTTP status": b"HTTP/1.1 042 Answer\r\ncontent-length: 2\r\n\r\n[]",
}


@pytest.mark.parametrize("raw", FORMS.values(), ids=FORMS.keys())
async def test_what_two_parsers_could_read_in_two_ways_is_invalid(raw: bytes) -> None:
    """Whatever stands between us and a backend may see other borders: refused at once, and the connection with it."""
    async with RawBackend(answers(raw)) as backend, pool_for(backend) as pool:
        assert isinstance(await ask(pool), BackendInvalid)
        assert pool.connections == 0
