"""The skip window, to the millisecond: how many pay for an outage, how much, and how soon it is over."""

from datetime import timedelta

import pytest

from shared.store.errors import StoreRefused, StoreSkipped, StoreTimedOut, StoreUnreachable
from shared.store.standing import Standing, StandingPolicy, StoreTurnedEvent
from shared.store.store import StorePolicy
from shared.testing.clock import ManualClock
from tests.shared.store.memory import MemoryLines, memory_store

POLICY = StorePolicy(answer_within=timedelta(milliseconds=20))


async def test_case_l2_three_wait_and_nobody_after_them() -> None:
    """A silent store: 20 ms each for three who ask in turn, 0 for all others, and no question more than the probes'."""
    clock = ManualClock()
    lines = MemoryLines(clock)
    lines.takes_s = 3_600.0
    store = memory_store(lines, POLICY)

    for _ in range(3):
        asked = store.get(b"k")
        before = clock.now_s()
        await clock.advance(0.02)
        assert type(asked.exception()) is StoreTimedOut
        assert clock.now_s() - before == pytest.approx(0.02)
    for _ in range(100):
        with pytest.raises(StoreSkipped):
            store.get(b"k")

    assert store.outcomes == {"timed_out": 3, "skipped": 100}
    await store.aclose()


async def test_case_l2_it_is_asked_again_within_two_seconds_of_being_back() -> None:
    """Refused for a minute, then back: by then nobody paid for finding out."""
    clock = ManualClock()
    lines = MemoryLines(clock)
    lines.down = True
    store = memory_store(lines, POLICY)
    for _ in range(3):
        with pytest.raises(StoreUnreachable):
            await store.get(b"k")
    await clock.advance(60)
    assert not store.up

    lines.down = False
    await clock.advance(0.7)

    assert store.up
    assert await store.get(b"k") is None
    await store.aclose()


async def test_errors_that_are_answers_do_not_count() -> None:
    """A wrong type is the asker's fault: the store is well."""
    clock = ManualClock()
    store = memory_store(MemoryLines(clock), POLICY)
    store._lines.line()._answer = lambda *_: StoreRefused("WRONGTYPE")

    for _ in range(10):
        with pytest.raises(StoreRefused):
            await store.get(b"k")

    assert store.up
    await store.aclose()


async def test_some_failures_among_many_answers_are_no_outage() -> None:
    """Below a fifth it goes on asking; from there on it does not."""
    clock = ManualClock()
    told: list[StoreTurnedEvent] = []
    standing = Standing(StandingPolicy(), clock, lambda: clock.sleep(0), told.append)
    for _ in range(80):
        standing.well()
    for _ in range(19):
        standing.failed(StoreTimedOut())
    assert standing.up

    standing.failed(StoreTimedOut("slow"))

    assert not standing.up
    assert told == [StoreTurnedEvent(up=False, cause="timed_out: slow")]
    await clock.advance(1)
    assert told[1:] == [StoreTurnedEvent(up=True)]
    standing.close()


async def test_old_failures_are_forgotten() -> None:
    """Two now and then are never three."""
    clock = ManualClock()
    standing = Standing(StandingPolicy(), clock, lambda: clock.sleep(0))
    for _ in range(10):
        standing.failed(StoreTimedOut())
        standing.failed(StoreTimedOut())
        await clock.advance(3)
    assert standing.up


async def test_whoever_waits_when_it_turns_is_told_at_once() -> None:
    """What waits for a line does not wait for its own time as well."""
    clock = ManualClock()
    lines = MemoryLines(clock)
    lines.takes_s = 3_600.0
    store = memory_store(lines, POLICY)
    first = [store.get(b"k") for _ in range(3)]
    await clock.advance(0.019)
    later = [store.get(b"k") for _ in range(300)]

    await clock.advance(0.001)

    assert {type(one.exception()) for one in first} == {StoreTimedOut}
    waiting = [one for one in later if one.done()]
    assert {type(one.exception()) for one in waiting} == {StoreSkipped}
    assert len(waiting) > 100  # all but those that were on their way
    await store.aclose()


async def test_closing_ends_the_probe() -> None:
    """No timer and no task is left of an outage."""
    clock = ManualClock()
    lines = MemoryLines(clock)
    lines.down = True
    store = memory_store(lines, POLICY)
    for _ in range(3):
        with pytest.raises(StoreUnreachable):
            await store.get(b"k")

    await store.aclose()
    await clock.advance(10)

    assert clock.pending == 0
    assert lines.asked == []
