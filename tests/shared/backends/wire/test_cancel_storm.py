"""Callers that leave at random: whatever they were waiting for, nothing of theirs is left (field case S1)."""

import asyncio
import json
from random import Random

import pytest

from shared.backends.channel import OutboundRequest, Reply
from shared.backends.wire.pool import PoolPolicy, WirePool
from shared.clock import LoopClock
from shared.errors import CallFailed
from tests.shared.backends.raw import Line, RawBackend, http, until

CONNECTIONS = 8
AT_ONCE = 24


class Asker:
    """One caller; it knows what it asked for, and takes nothing else."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.left = False

    def request(self) -> OutboundRequest:
        return OutboundRequest("GET", f"/{self.number}", (), b"", idempotent=True, max_body_bytes=1000)

    def replied(self, reply: Reply) -> None:
        assert not self.left, "an answer for somebody who has left"
        assert json.loads(reply.body) == f"/{self.number}", "somebody else's answer"
        self.answered.set_result(True)

    def broke(self, error: CallFailed) -> None:
        raise AssertionError(f"a healthy backend failed: {error}")


async def echo(line: Line) -> None:
    """Answer each request with its own target, slowly now and then, in two parts now and then."""
    random = Random(line.backend.accepted)
    while (request := await line.request()) is not None:
        answer = http(json.dumps(request.split(b" ")[1].decode()).encode())
        cut = random.randrange(1, len(answer))
        await line.write(answer[:cut])
        await asyncio.sleep(random.choice((0, 0, 0.001, 0.003)))
        await line.write(answer[cut:])


async def storm(rounds: int, seed: int) -> None:
    """Run ``rounds`` callers, most of whom leave after a random while, over a pool with fewer connections."""
    random = Random(seed)
    async with RawBackend(echo) as backend:
        pool = WirePool("raw", backend.url, PoolPolicy(max_connections=CONNECTIONS), LoopClock())
        gate = asyncio.Semaphore(AT_ONCE)

        async def call(number: int) -> None:
            async with gate:
                asker = Asker(number)
                exchange = pool.send(asker.request(), asker)
                patience = random.choice((None, 0, 0.0005, 0.001, 0.002, 0.005))
                try:
                    async with asyncio.timeout(patience):
                        await asker.answered
                except TimeoutError:
                    asker.left = not asker.answered.done() or asker.answered.cancelled()
                    exchange.abort()
                assert pool.connections <= CONNECTIONS

        async with asyncio.TaskGroup() as callers:
            for number in range(rounds):
                callers.create_task(call(number))

        await until(lambda: pool.active == 0, "no slot is held")
        last = Asker(rounds)
        pool.send(last.request(), last)
        async with asyncio.timeout(2):
            assert await last.answered
        await pool.aclose()
        assert pool.connections == 0
    await until(lambda: len(asyncio.all_tasks()) == 1, "no task is left")


async def test_callers_that_leave_at_random_leave_nothing_behind() -> None:
    """600 callers: every slot comes back, nobody gets another's answer, no task and no connection stays."""
    await storm(600, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
async def test_ten_thousand_callers_that_leave_at_random_leave_nothing_behind(seed: int) -> None:
    """The same, 10,000 times, from four seeds."""
    await storm(10_000, seed)
