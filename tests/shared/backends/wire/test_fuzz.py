"""Minutes of answers nobody has thought of: no hang, no leak, no crash, nobody gets another's, and none is misread.

Without sockets: mutants are fed to real connections of a real pool, and each is judged by ``reference.py`` too.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest

from shared.backends.wire.pool import PoolPolicy, WirePool
from shared.errors import CallFailed
from shared.testing.clock import ManualClock
from tests.shared.backends.raw import Inbox, http, request
from tests.shared.backends.wire.cases import Answer, End
from tests.shared.backends.wire.corpus import CORPUS
from tests.shared.backends.wire.fuzzing import LONG_S, MAX_BODY, SHORT_S, asked_for, heard_by, own, own_answer, seeds
from tests.shared.backends.wire.memory import MemoryLoop, Pipe
from tests.shared.backends.wire.mutate import Mutant, mutant
from tests.shared.backends.wire.reference import NoAnswerError, read

SHARE = 0.75  # of the time; sockets have the rest


class Meeting:
    """One caller who is answered with a mutant, number 0, and three around it who must not notice."""

    def __init__(self, loop: MemoryLoop, limit: int) -> None:
        loop.pipes.clear()
        loop.on_connected = lambda pipe: setattr(pipe, "on_sent", self._serve)
        self.loop = loop
        self.limit = limit
        self.clock = ManualClock()
        self.pool = WirePool("raw", "http://127.0.0.1:9", PoolPolicy(max_connections=limit), self.clock)
        self.inboxes = [Inbox() for _ in range(4)]
        self.hostile: Pipe | None = None

    def ask(self, number: int, method: str = "GET") -> Any:
        return self.pool.send(request(method, f"/{number}", max_body_bytes=MAX_BODY), self.inboxes[number])

    def _serve(self, pipe: Pipe, raw: bytes) -> None:
        number = asked_for(raw)
        if number == 0:
            self.hostile = pipe
        else:
            self.loop.call_soon(pipe.feed, http(own(number)))

    async def play(self, case: Mutant) -> Answer | type[CallFailed] | None:
        """Return what number 0 heard before it gave up; the others have their own answers, whatever that was."""
        exchange = self.ask(0, case.method)
        await self.loop.quiet()
        # Behind a mutant that comes in one piece, somebody waits for its connection. (In pieces, what comes after the
        # answer would reach the one who waits as the answer to a request already sent, and no client could tell.)
        others = [1, 2, 3]
        if self.limit == 1 == len(case.parts):
            self.ask(others.pop(0))
        self._send(case)
        await self.loop.quiet()
        outcome = heard_by(self.inboxes[0])
        exchange.abort()
        for number in others:
            self.ask(number)
            await self.loop.quiet()
        assert heard_by(self.inboxes[0]) == outcome, "told after it was given up"
        assert [heard_by(one) for one in self.inboxes[1:]] == [own_answer(number) for number in (1, 2, 3)]
        return outcome

    def _send(self, case: Mutant) -> None:
        assert self.hostile is not None
        for part in case.parts:
            self.hostile.feed(part)
        if case.end is End.CLOSE:
            self.hostile.hang_up()
        elif case.end is End.RESET:
            self.hostile.reset()

    async def end(self) -> None:
        """Close, and look for what is left."""
        assert self.pool.active == 0
        assert self.pool.connections == sum(not pipe.closed for pipe in self.loop.pipes) <= self.limit
        await self.pool.aclose()
        await self.loop.quiet()
        assert (self.pool.connections, self.clock.pending, len(asyncio.all_tasks())) == (0, 0, 1)
        assert all(pipe.closed for pipe in self.loop.pipes)
        assert self.loop.errors == []


async def judged(loop: MemoryLoop, seed: int) -> None:
    """Play a mutant in its parts and whole: both times, an answer if and only if the reference reads the same one."""
    random = Random(seed)
    case = mutant(random)
    raw = b"".join(case.parts)
    limit = random.choice((1, 2))
    right: Answer | str
    try:
        right = read(raw, method=case.method, closed=case.end is End.CLOSE, max_body=MAX_BODY)
    except NoAnswerError as why:
        right = str(why)
    for parts in {case.parts, (raw,)}:
        meeting = Meeting(loop, limit)
        outcome = await meeting.play(Mutant(parts, case.method, case.end))
        await meeting.end()
        if isinstance(outcome, Answer) or isinstance(right, Answer):
            assert outcome == right, (parts, case.end)


def fuzz(judge: Callable[[MemoryLoop, int], Awaitable[None]], seconds: float, most: int) -> int:
    """Return how many mutants were played."""
    count = 0
    with asyncio.Runner(loop_factory=MemoryLoop) as runner:
        loop: Any = runner.get_loop()
        for seed in seeds(seconds, most):
            try:
                runner.run(judge(loop, seed))  # type: ignore[arg-type]  # a coroutine
            except BaseException as error:
                error.add_note(f"FUZZ_SEED={seed}: {mutant(Random(seed))}")
                raise
            count += 1
    return count


def test_the_reference_knows_the_corpus() -> None:
    """What judges mutants judges the corpus as the corpus says."""
    for case in CORPUS:
        try:
            found = read(b"".join(case.parts), method=case.method, closed=case.end is End.CLOSE, max_body=1 << 20)
        except NoAnswerError:
            assert not isinstance(case.outcome, Answer), case.name
        else:
            assert found == case.outcome, case.name


def test_no_answer_hangs_leaks_crashes_is_misread_or_reaches_another() -> None:
    """Most of a minute of mutants, each whole and in parts."""
    assert fuzz(judged, SHARE * SHORT_S, 100_000) > 100


@pytest.mark.long
@pytest.mark.timeout(LONG_S * 1.5)
def test_no_answer_in_minutes_hangs_leaks_crashes_is_misread_or_reaches_another() -> None:
    """Most of ten minutes."""
    assert fuzz(judged, SHARE * LONG_S, 10_000_000) > 1_000
