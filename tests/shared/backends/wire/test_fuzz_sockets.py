"""Mutants over real sockets: callers who get them, and callers around them who must not notice, on the same pool."""

import asyncio
from random import Random

import pytest
import uvloop

from shared.backends.wire.pool import PoolPolicy, WirePool
from shared.clock import LoopClock
from tests.shared.backends.raw import Inbox, Line, RawBackend, http, request, until
from tests.shared.backends.wire.cases import End
from tests.shared.backends.wire.fuzzing import LONG_S, MAX_BODY, SHORT_S, asked_for, heard_by, own, own_answer, seeds
from tests.shared.backends.wire.mutate import mutant
from tests.shared.backends.wire.pools import sockets

SHARE = 0.25  # of the time; test_fuzz.py has the rest
CONNECTIONS = 4
AT_ONCE = 12
CALLERS = 150
PATIENCE_S = 0.02  # of who gets a mutant; the others wait for their answers


class Storm:
    """One pool, one backend, some callers; every third is answered with a mutant of its own."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.pool: WirePool | None = None

    def hostile(self, number: int) -> Random | None:
        random = Random(f"{self.seed} {number}")
        return random if random.random() < 1 / 3 else None

    async def serve(self, line: Line) -> None:
        while (raw := await line.request()) is not None:
            number = asked_for(raw)
            if (random := self.hostile(number)) is None:
                await line.write(http(own(number)))
                continue
            case = mutant(random)
            # In one piece: what came after an answer was over would reach the next caller, and no client could tell.
            await line.write(b"".join(case.parts))
            if case.end is End.RESET:
                line.reset()
            if case.end is not End.KEEP:
                return

    async def call(self, pool: WirePool, number: int) -> None:
        inbox = Inbox()
        random = self.hostile(number)
        method = "GET" if random is None else mutant(random).method
        exchange = pool.send(request(method, f"/{number}", max_body_bytes=MAX_BODY), inbox)
        assert pool.connections <= CONNECTIONS
        try:
            async with asyncio.timeout(PATIENCE_S if random else None):
                await inbox.outcome()
        except TimeoutError:
            assert random is not None, "an honest caller waits in vain"
        exchange.abort()
        before = heard_by(inbox)
        if random is None:
            assert before == own_answer(number)
        await asyncio.sleep(0)
        assert heard_by(inbox) == before, "told after it was given up"

    async def blow(self) -> None:
        before = sockets()
        errors: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
        async with RawBackend(self.serve) as backend:
            pool = WirePool("raw", backend.url, PoolPolicy(max_connections=CONNECTIONS), LoopClock())
            gate = asyncio.Semaphore(AT_ONCE)

            async def one(number: int) -> None:
                async with gate:
                    await self.call(pool, number)

            async with asyncio.TaskGroup() as callers:
                for number in range(CALLERS):
                    callers.create_task(one(number))
            assert pool.active == 0
            await until(lambda: backend.open == pool.connections, "no connection but the pool's is open")
            await pool.aclose()
            assert pool.connections == 0
            await until(lambda: backend.open == 0, "every connection is closed")
        await until(lambda: len(asyncio.all_tasks()) == 1, "no task is left")
        await until(lambda: sockets() == before, "no socket is left")
        assert errors == []


def blow(seconds: float, most: int) -> int:
    """Return how many storms there were."""
    count = 0
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for seed in seeds(seconds, most):
            try:
                runner.run(Storm(seed).blow())
            except BaseException as error:
                error.add_note(f"FUZZ_SEED={seed}")
                raise
            count += 1
    return count


def test_nobody_notices_the_answers_others_get() -> None:
    """A quarter of a minute of storms."""
    assert blow(SHARE * SHORT_S, 1000) > 3


@pytest.mark.long
@pytest.mark.timeout(LONG_S)
def test_nobody_notices_for_minutes_the_answers_others_get() -> None:
    """A quarter of ten minutes."""
    assert blow(SHARE * LONG_S, 100_000) > 30
