"""Permits: as many as allowed, every one comes back, and who waits is served by what matters most."""

from datetime import timedelta

import pytest

from shared.errors import BulkheadFull, CallRejected, DeadlineSpent, Reason
from shared.resilience.bulkhead import Bulkhead, BulkheadPolicy, Waiter
from shared.resilience.deadline import Deadline
from shared.resilience.priority import Priority
from shared.testing.clock import ManualClock

USER, REFRESH, PREFETCH = Priority
WAIT_S = 0.05


class Queue:
    """A bulkhead of so many permits, all taken; notes who was granted and who was refused, in order."""

    def __init__(self, permits: int = 1, **policy: object) -> None:
        self.clock = ManualClock()
        self.bulkhead = Bulkhead("orders", BulkheadPolicy(max_concurrent=permits, **policy), self.clock)
        for _ in range(permits):
            assert self.bulkhead.acquire()
        self.granted: list[str] = []
        self.refused: list[tuple[str, CallRejected]] = []

    def wait(self, name: str, priority: Priority = USER, within_s: float = 9.0) -> Waiter:
        assert not self.bulkhead.acquire(priority)
        return self.bulkhead.wait(
            priority,
            Deadline(self.clock.now_s() + within_s),
            lambda: self.granted.append(name),
            lambda error: self.refused.append((name, error)),
        )

    def names_refused(self) -> list[str]:
        return [name for name, _ in self.refused]


def test_while_all_is_well_a_permit_is_two_additions() -> None:
    """Nobody waits, no timer is set."""
    clock = ManualClock()
    bulkhead = Bulkhead("orders", BulkheadPolicy(max_concurrent=1), clock)
    for _ in range(5):
        assert bulkhead.acquire()
        assert not bulkhead.acquire()
        bulkhead.release()

    assert (bulkhead.in_flight, bulkhead.waiting, clock.pending) == (0, 0, 0)


def test_a_permit_given_back_is_handed_on_to_who_came_first() -> None:
    """One out, one in; the number in flight does not move."""
    queue = Queue()
    for name in ("first", "second"):
        queue.wait(name)

    queue.bulkhead.release()

    assert queue.granted == ["first"]
    assert (queue.bulkhead.in_flight, queue.bulkhead.waiting) == (1, 1)
    queue.bulkhead.release()
    queue.bulkhead.release()
    assert (queue.granted, queue.bulkhead.in_flight) == (["first", "second"], 0)
    assert queue.clock.pending == 0


def test_the_queue_is_served_by_what_matters_most() -> None:
    """A person who came last is served before a prefetch that came first."""
    queue = Queue(permits=10)
    for priority in (PREFETCH, REFRESH, USER, PREFETCH, USER):
        queue.wait(priority.name, priority)

    for _ in range(10):
        queue.bulkhead.release()

    assert queue.granted == ["USER", "USER", "REFRESH", "PREFETCH", "PREFETCH"]


async def test_who_waits_too_long_is_rejected() -> None:
    """After ``max_wait``, to the millisecond; a permit that comes later goes to somebody else."""
    queue = Queue()
    queue.wait("impatient")
    await queue.clock.advance(WAIT_S - 0.001)
    assert queue.refused == []

    await queue.clock.advance(0.001)

    ((_, error),) = queue.refused
    assert isinstance(error, BulkheadFull)
    assert (error.backend, error.reason, error.transient) == ("orders", Reason.REJECTED, False)
    queue.bulkhead.release()
    assert (queue.granted, queue.bulkhead.in_flight) == ([], 0)


async def test_nobody_waits_past_the_deadline() -> None:
    """The deadline of the whole is shorter than the longest wait: that is what it says, and a 504, not a 503."""
    queue = Queue()
    queue.wait("late", within_s=0.02)

    await queue.clock.advance(0.02)

    assert [(name, type(error)) for name, error in queue.refused] == [("late", DeadlineSpent)]


def test_a_permit_is_never_handed_to_who_is_out_of_time() -> None:
    """Even if the loop was busy and its timer has not fired yet: the next one gets it."""
    queue = Queue()
    queue.wait("out of time", within_s=0.01)
    queue.wait("in time")
    queue.clock._now_s += 0.01

    queue.bulkhead.release()

    assert (queue.granted, queue.names_refused()) == (["in time"], ["out of time"])


@pytest.mark.parametrize("newcomer", Priority)
@pytest.mark.parametrize("waiting", Priority)
def test_a_full_queue_sheds_the_least_important(newcomer: Priority, waiting: Priority) -> None:
    """Of the less important the one that came last; an equal or more important newcomer finds no place."""
    queue = Queue(permits=10, max_waiting=3)
    for name in ("first", "second", "third"):
        queue.wait(name, waiting)

    if newcomer < waiting:
        queue.wait("newcomer", newcomer)
        assert queue.names_refused() == ["third"]
    else:
        with pytest.raises(BulkheadFull):
            queue.wait("newcomer", newcomer)
        assert queue.refused == []

    assert queue.bulkhead.waiting == 3
    for _ in range(13):
        queue.bulkhead.release()
    assert ("newcomer" in queue.granted) == (newcomer < waiting)
    assert queue.bulkhead.in_flight == 0


def test_the_lowest_goes_before_the_middle() -> None:
    """With both waiting, a person takes the place of a prefetch, not of a refresh."""
    queue = Queue(permits=10, max_waiting=2)
    queue.wait("prefetch", PREFETCH)
    queue.wait("refresh", REFRESH)

    queue.wait("person", USER)

    assert queue.names_refused() == ["prefetch"]


@pytest.mark.parametrize(("priority", "share"), [(USER, 100), (REFRESH, 90), (PREFETCH, 75)])
def test_room_is_kept_for_people(priority: Priority, share: int) -> None:
    """Refreshes may fill nine tenths and prefetches three quarters: a person always finds a permit beside them."""
    bulkhead = Bulkhead("orders", BulkheadPolicy(max_concurrent=100), ManualClock())

    assert sum(bulkhead.acquire(priority) for _ in range(200)) == share


def test_a_small_bulkhead_serves_every_priority() -> None:
    """A share of one permit is one permit."""
    for priority in Priority:
        assert Bulkhead("orders", BulkheadPolicy(max_concurrent=1), ManualClock()).acquire(priority)


def test_who_leaves_the_queue_hears_nothing_more() -> None:
    """The client left: no grant, no refusal, no timer; leaving twice is leaving once."""
    queue = Queue()
    leaving = queue.wait("leaving")
    queue.wait("staying")

    leaving.leave()
    leaving.leave()
    queue.bulkhead.release()

    assert (queue.granted, queue.refused, queue.bulkhead.waiting) == (["staying"], [], 0)
    assert queue.clock.pending == 0


def test_nobody_waits_where_no_permit_can_come_back() -> None:
    """None there, none out: the answer is known now."""
    bulkhead = Bulkhead("orders", BulkheadPolicy(max_concurrent=0), ManualClock())

    assert not bulkhead.acquire()
    with pytest.raises(BulkheadFull):
        bulkhead.wait(USER, Deadline(2000.0), lambda: None, lambda _: None)


def test_without_a_queue_a_full_bulkhead_rejects_at_once() -> None:
    """Switched off is off."""
    queue = Queue(max_waiting=0)

    with pytest.raises(BulkheadFull):
        queue.wait("no place")
    assert queue.clock.pending == 0


def test_a_limit_that_grew_serves_more_than_one_at_once() -> None:
    """Whoever gives a permit back hands out everything that is free by then."""
    queue = Queue()
    for name in ("first", "second", "third"):
        queue.wait(name)

    queue.bulkhead.resize(2)
    queue.bulkhead.release()

    assert (queue.granted, queue.bulkhead.in_flight) == (["first", "second"], 2)


def test_a_limit_that_shrank_takes_nothing_back_and_gives_nothing_out() -> None:
    """What is in flight beyond it ends in its own time."""
    queue = Queue(permits=3)
    queue.bulkhead.resize(1)
    queue.wait("waiting")

    for left in (2, 1):
        queue.bulkhead.release()
        assert (queue.granted, queue.bulkhead.in_flight) == ([], left)
    queue.bulkhead.release()
    assert (queue.granted, queue.bulkhead.in_flight) == (["waiting"], 1)


def test_what_is_optional_stays_away_from_a_saturated_backend() -> None:
    """Three quarters in flight, or anybody waiting, is saturated."""
    bulkhead = Bulkhead("orders", BulkheadPolicy(max_concurrent=4), ManualClock())
    seen = []
    for _ in range(4):
        seen.append(bulkhead.saturated)
        bulkhead.acquire()

    assert seen == [False, False, False, True]


def test_the_defaults_are_the_documented_ones() -> None:
    """docs/resilience.md has their rows; a policy is a value that can be compared and printed."""
    defaults = BulkheadPolicy(max_concurrent=128, max_waiting=64, max_wait=timedelta(milliseconds=50), adaptive=None)
    assert BulkheadPolicy() == defaults
    assert "max_waiting=64" in repr(BulkheadPolicy())


def test_the_limit_is_shown_as_it_is() -> None:
    """Operators see how many permits there are now, not how many there were at first."""
    bulkhead = Bulkhead("orders", BulkheadPolicy(max_concurrent=8), ManualClock())
    assert bulkhead.limit == 8

    bulkhead.resize(3)
    assert bulkhead.limit == 3


def test_a_single_one_that_waits_is_saturation() -> None:
    """However many permits there are by now: whoever waits comes before what is optional."""
    queue = Queue(permits=8)
    queue.wait("waiting")
    queue.bulkhead.resize(100)

    assert queue.bulkhead.saturated
