"""Callers that leave at random: whatever they were waiting for, nothing of theirs is left (field case S1).

Once over real sockets, by the clock and through both seams; once in memory, turn by turn of the loop, so that every
point at which a caller can leave is one at which somebody does.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import httpx
import pytest

from shared.backends.wire.pool import PoolPolicy, WirePool
from shared.backends.wire.transport import WireTransport
from shared.clock import LoopClock
from shared.testing.clock import ManualClock
from tests.shared.backends.raw import Inbox, Line, RawBackend, http, request, until
from tests.shared.backends.wire.fuzzing import asked_for, heard_by, own, own_answer
from tests.shared.backends.wire.memory import MemoryLoop, Pipe
from tests.shared.backends.wire.pools import sockets

CONNECTIONS = 8
AT_ONCE = 24
PATIENCES_S = (None, 0, 0.0005, 0.001, 0.002, 0.005)
LAST = 10**9  # numbers of those who come when the storm is over

Call = Callable[[int], Awaitable[bytes]]


class Calm:
    """Tells every caller its own number, slowly now and then, in two parts now and then.

    The last ones it holds back until all of them are there, each on a connection of its own.
    """

    def __init__(self) -> None:
        self.last: set[int] = set()
        self.all_there = asyncio.Event()
        self.answered: Counter[int] = Counter()

    async def __call__(self, line: Line) -> None:
        random = Random(line.backend.accepted)
        while (raw := await line.request()) is not None:
            number = asked_for(raw)
            if number >= LAST:
                await self._hold(number)
            answer = http(own(number))
            cut = random.randrange(1, len(answer))
            await line.write(answer[:cut])
            await asyncio.sleep(random.choice((0, 0, 0.001, 0.003)))
            await line.write(answer[cut:])

    async def _hold(self, number: int) -> None:
        self.last.add(number)
        if len(self.last) == CONNECTIONS:
            self.all_there.set()
        await self.all_there.wait()


@asynccontextmanager
async def by_channel(url: str) -> AsyncIterator[Call]:
    """Callers that abort their exchange, as a fan-out does."""
    pool = WirePool("raw", url, PoolPolicy(max_connections=CONNECTIONS), LoopClock())

    async def call(number: int) -> bytes:
        inbox = Inbox()
        exchange = pool.send(request(target=f"/{number}"), inbox)
        assert pool.connections <= CONNECTIONS, "a connection too many"
        try:
            await inbox.told.wait()
        finally:
            exchange.abort()
            heard = list(inbox.heard)
            asyncio.get_running_loop().call_later(0.01, lambda: gone.append(inbox.heard == heard))
        answer: Any = heard_by(inbox)
        return bytes(answer.body)

    gone: list[bool] = []
    yield call
    await until(lambda: pool.active == 0, "no slot is held")
    await asyncio.sleep(0.02)  # every look back has been taken
    assert all(gone), "told after it left"
    await pool.aclose()
    assert pool.connections == 0


@asynccontextmanager
async def by_httpx(url: str) -> AsyncIterator[Call]:
    """Callers whose task is cancelled, anywhere within httpx."""
    transport = WireTransport(PoolPolicy(max_connections=CONNECTIONS))
    async with httpx.AsyncClient(transport=transport, base_url=url, timeout=None) as client:  # noqa: S113 - the storm is its timeout

        async def call(number: int) -> bytes:
            return (await client.get(f"/{number}")).content

        yield call


WAYS = {"channel": by_channel, "httpx": by_httpx}


async def storm(rounds: int, seed: int, way: str) -> None:
    """Run ``rounds`` callers, most of whom leave after a random while, over a pool with fewer connections."""
    random = Random(seed)
    before = sockets()
    errors: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    came: Counter[str] = Counter()
    script = Calm()
    async with RawBackend(script) as backend:
        async with WAYS[way](backend.url) as call:
            gate = asyncio.Semaphore(AT_ONCE)

            async def one(number: int) -> None:
                async with gate:
                    try:
                        async with asyncio.timeout(random.choice(PATIENCES_S)):
                            assert await call(number) == own(number), "somebody else's answer"
                    except TimeoutError:
                        came["left"] += 1
                    else:
                        came["answered"] += 1

            async with asyncio.TaskGroup() as callers:
                for number in range(rounds):
                    callers.create_task(one(number))
            await until(lambda: backend.open <= CONNECTIONS, "no socket beyond the limit is open")
            # As many as there are slots, none of which is answered before all of them are under way.
            last = range(LAST, LAST + CONNECTIONS)
            async with asyncio.timeout(5):
                assert await asyncio.gather(*map(call, last)) == [own(number) for number in last]
            assert backend.open == CONNECTIONS
        await until(lambda: backend.open == 0, "every connection is closed")
    await until(lambda: len(asyncio.all_tasks()) == 1, "no task is left")
    await until(lambda: sockets() == before, "no socket is left")
    assert errors == []
    # A storm in which nobody leaves, or nobody stays, shows nothing.
    assert min(came["left"], came["answered"]) > rounds / 20, came


@pytest.mark.parametrize("way", WAYS)
async def test_callers_that_leave_at_random_leave_nothing_behind(way: str) -> None:
    """600 callers: every slot comes back, nobody gets another's answer, no task and no connection stays."""
    await storm(600, seed=1, way=way)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(2))
async def test_ten_thousand_callers_that_leave_at_random_leave_nothing_behind(seed: int, way: str) -> None:
    """The same, 10,000 times, from two seeds."""
    await storm(10_000, seed, way)


class Turns:
    """The same storm where the loop's turns are the clock: callers, connections and answers each take some."""

    def __init__(self, loop: MemoryLoop, seed: int) -> None:
        self.loop = loop
        self.random = Random(seed)
        self.answering: list[asyncio.Task[None]] = []
        self.left_at: Counter[str] = Counter()
        self.wrong: list[str] = []
        loop.admit = self.admit
        loop.on_connected = lambda pipe: setattr(pipe, "on_sent", self.serve)
        self.pool = WirePool("raw", "http://127.0.0.1:9", PoolPolicy(max_connections=CONNECTIONS), ManualClock())

    async def turns(self, most: int) -> None:
        for _ in range(self.random.randint(0, most)):
            await asyncio.sleep(0)

    def admit(self) -> Any:
        return self.turns(6)

    def serve(self, pipe: Pipe, raw: bytes) -> None:
        self.answering.append(self.loop.create_task(self.answer(pipe, http(own(asked_for(raw))))))

    async def answer(self, pipe: Pipe, raw: bytes) -> None:
        cut = self.random.randrange(len(raw))
        for part in (raw[:cut], raw[cut:]):
            await self.turns(5)
            pipe.feed(part)

    async def call(self, number: int) -> None:
        inbox = Inbox()
        exchange = self.pool.send(request(target=f"/{number}"), inbox)
        for _ in range(self.random.choice((0, 1, 3, 6, 10, 15, 25))):
            if inbox.heard:
                break
            await asyncio.sleep(0)
        heard = heard_by(inbox)
        self.left_at["after its answer" if heard else self.where(number)] += 1
        exchange.abort()
        if heard not in {None, own_answer(number)}:
            self.wrong.append(f"{number} got {heard}")
        await self.turns(12)
        if heard_by(inbox) != heard:
            self.wrong.append(f"{number} was told after it left")

    def where(self, number: int) -> str:
        line = b"GET /%d " % number
        sent = any(raw.startswith(line) for pipe in self.loop.pipes if not pipe.closed for raw in pipe.sent[-1:])
        return "under way" if sent else "waiting or connecting"

    async def blow(self, cancels: int) -> None:
        calls: set[asyncio.Task[None]] = set()
        numbers = itertools.count()
        while self.left_at.total() - self.left_at["after its answer"] < cancels:
            calls.add(self.loop.create_task(self.call(next(numbers))))
            while len(calls) >= 2 * AT_ONCE:
                await asyncio.sleep(0)
                calls = {one for one in calls if not one.done() or one.result()}
                opened = [pipe for pipe in self.loop.pipes if not pipe.closed]
                assert len(opened) <= self.pool.connections <= CONNECTIONS, "a connection too many"
                self.loop.pipes[:] = opened
        await asyncio.gather(*calls)
        await self.loop.quiet()
        assert self.wrong == []
        assert self.pool.active == 0
        assert self.pool.connections == sum(not pipe.closed for pipe in self.loop.pipes)
        await self.pool.aclose()
        await asyncio.gather(*self.answering)
        await self.loop.quiet()
        assert all(pipe.closed for pipe in self.loop.pipes)
        assert len(asyncio.all_tasks()) == 1
        assert self.loop.errors == []
        assert len(self.left_at) == 3, self.left_at
        assert min(self.left_at.values()) > cancels / 20, self.left_at


def test_ten_thousand_callers_that_leave_at_any_turn_leave_nothing_behind() -> None:
    """While they wait, while their connection opens, under way, between two parts of an answer, after it."""
    with asyncio.Runner(loop_factory=MemoryLoop) as runner:
        loop: Any = runner.get_loop()
        runner.run(Turns(loop, seed=1).blow(10_000))
