"""The idle keep-alive race between a client and a server that closes at its limit (field case O2)."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
import uvicorn

from shared.backends.wire.pool import PoolPolicy, WirePool
from shared.clock import LoopClock
from shared.errors import BackendUnreachable
from shared.testing.clock import ManualClock
from tests.shared.backends.raw import OK, Inbox, RawBackend, answers, ask, http, request, until
from tests.shared.backends.wire.pools import pool_for, status_of


class ByHand:
    """A server whose connections the test reads, answers and closes itself, each at the moment it wants."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self.lines: list[socket.socket] = []

    async def accept(self) -> socket.socket:
        line, _ = await asyncio.wait_for(asyncio.get_running_loop().sock_accept(self._listener), 5)
        line.setblocking(False)
        self.lines.append(line)
        return line

    async def answer(self, line: socket.socket) -> bytes:
        """Read one request, answer it, return it."""
        asked = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(line, 65536), 5)
        await asyncio.get_running_loop().sock_sendall(line, OK)
        return asked

    def close(self) -> None:
        for one in (self._listener, *self.lines):
            one.close()


@asynccontextmanager
async def racing() -> AsyncIterator[tuple[WirePool, ByHand, socket.socket]]:
    """A pool with one idle connection, and the server's end of it."""
    server = ByHand()
    pool = WirePool("raw", f"http://127.0.0.1:{server.port}", PoolPolicy(), LoopClock())
    try:
        first = Inbox()
        pool.send(request(), first)
        line = await server.accept()
        await server.answer(line)
        assert status_of(await first.outcome()) == 200
        yield pool, server, line
    finally:
        await pool.aclose()
        server.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_case_o2_the_server_closed_and_nobody_here_has_read_it_yet(method: str) -> None:
    """Its close is in our kernel when the next request is due. GET and POST are answered, each stored once."""
    async with racing() as (pool, server, line):
        inbox = Inbox()
        line.close()  # the idle limit, to the instant: the loop has no chance to hear of it before the next line
        pool.send(request(method, body=b"{}" if method == "POST" else b""), inbox)

        asked = await server.answer(await server.accept())

        assert status_of(await inbox.outcome()) == 200
        assert asked.startswith(method.encode())
        assert len(server.lines) == 2
        assert pool.connections == 1


async def test_case_o2_a_get_that_crossed_the_close_is_sent_once_more() -> None:
    """The request was on its way when the server closed: not a byte of an answer, so it is safe on a new connection."""
    async with racing() as (pool, server, line):
        inbox = Inbox()
        pool.send(request(), inbox)
        line.close()  # with the request unread in its buffer: the kernel answers with a reset

        await server.answer(await server.accept())

        assert status_of(await inbox.outcome()) == 200
        assert len(inbox.heard) == 1


async def test_case_o2_a_post_that_crossed_the_close_is_not() -> None:
    """Nobody can tell whether it was done: it is told as sent, so that nothing further out repeats it either."""
    async with racing() as (pool, server, line):
        inbox = Inbox()
        pool.send(request("POST", body=b"{}"), inbox)
        line.close()

        outcome = await inbox.outcome()

        assert isinstance(outcome, BackendUnreachable)
        assert outcome.sent
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(server.accept(), 0.05)


async def test_case_o2_our_limit_comes_first() -> None:
    """Every 5.0 s (± 50 ms), the backend's own limit, for five minutes: never on a connection that may be closing."""
    clock, random = ManualClock(), Random(7)
    async with RawBackend(answers(OK)) as backend, pool_for(backend, clock) as pool:
        for round_ in range(60):
            method = ("GET", "POST")[round_ % 2]
            assert status_of(await ask(pool, request(method))) == 200
            await clock.advance(random.uniform(4.95, 5.05))

        assert backend.accepted == len(backend.requests) == 60


@pytest.mark.parametrize(
    ("announced", "idle_s"),
    [("timeout=5", 4), ("timeout=2, max=100", 1), ("max=7, timeout=1", 0.5), ("timeout=600", 4), ("timeout=x", 4)],
)
async def test_case_o2_a_backend_that_announces_an_earlier_limit_is_left_alone_sooner(
    announced: str, idle_s: float
) -> None:
    """Keep-Alive: timeout=N, as Node sends it: a second before that, or half of it, ours at most."""
    clock = ManualClock()
    answer = http(b"[]", f"Keep-Alive: {announced}")
    async with RawBackend(answers(answer)) as backend, pool_for(backend, clock) as pool:
        for accepted, pause_s in ((1, idle_s - 0.1), (1, idle_s - 0.1), (1, idle_s + 0.1), (2, 0)):
            assert status_of(await ask(pool)) == 200
            assert backend.accepted == accepted
            clock._now_s += pause_s  # without the reaper's turn: the moment of use decides


async def test_a_connection_does_not_live_for_ever() -> None:
    """However busy: DNS is asked again within a minute, and those opened together do not end together."""
    clock = ManualClock()
    async with RawBackend(answers(OK)) as backend, pool_for(backend, clock) as pool:
        inboxes = [Inbox() for _ in range(16)]
        for inbox in inboxes:
            pool.send(request(), inbox)
        for inbox in inboxes:
            await inbox.outcome()
        assert backend.accepted == 16
        opened = []
        for _ in range(61):
            for inbox in (inboxes := [Inbox() for _ in range(16)]):
                pool.send(request(), inbox)
            for inbox in inboxes:
                await inbox.outcome()
            opened.append(backend.accepted)
            clock._now_s += 1.0

    assert opened[44] == 16
    assert opened[60] == 32
    assert max(after - before for before, after in pairwise(opened)) <= 3


class Server:
    """uvicorn, closing idle connections after a second, as a backend's team may have set it."""

    def __init__(self) -> None:
        self.served = 0
        config = uvicorn.Config(
            self.app, port=0, timeout_keep_alive=1, interface="asgi3", lifespan="off", log_level="critical"
        )
        self._server = uvicorn.Server(config)
        self._task: asyncio.Task[None] | None = None

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        while (await receive()).get("more_body"):
            pass
        self.served += 1
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"[]"})

    async def __aenter__(self) -> str:
        self._task = asyncio.create_task(self._server._serve())
        await until(lambda: self._server.started, "uvicorn listens")
        return f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._server.should_exit = True
        await self._task


async def test_case_o2_against_a_server_that_closes_at_the_very_moment() -> None:
    """Its own timer, and requests at the same instant: whoever wins each race, every GET is answered."""
    policy = PoolPolicy(idle_timeout=timedelta(seconds=10))  # a mistake: longer than the server's
    server, random = Server(), Random(11)
    async with server as url:
        pool = WirePool("raw", url, policy, LoopClock())
        for _ in range(3):
            for inbox in (inboxes := [Inbox() for _ in range(8)]):
                pool.send(request(), inbox)
            assert [status_of(await inbox.outcome()) for inbox in inboxes] == [200] * 8
            await asyncio.sleep(1.0 + random.uniform(-0.05, 0.05))  # the race itself: either winner is right
        await pool.aclose()
    assert server.served >= 24
