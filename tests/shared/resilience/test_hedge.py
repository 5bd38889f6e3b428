"""A second call beside a slow first one: when it starts, who wins, what becomes of the other. Exact, by hand."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import AttemptTimedOut, BackendFaulted, BulkheadFull, CallError
from shared.resilience.hedge import SAMPLES, Done, Hedged, HedgeDelay, HedgePolicy
from shared.testing.clock import ManualClock

AFTER = HedgePolicy(after=timedelta(milliseconds=100))
FAULT, OTHER = BackendFaulted("orders", 500), BackendFaulted("orders", 502)


class Call:
    """One that was started: ends when the test says so, or never."""

    def __init__(self, done: Done, *, hedge: bool) -> None:
        self.done = done
        self.hedge = hedge
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Noting(HedgeDelay):
    """Notes what it is told."""

    def __init__(self, policy: HedgePolicy) -> None:
        super().__init__(policy)
        self.learnt: list[float] = []

    def learn(self, elapsed_s: float) -> None:
        self.learnt.append(round(elapsed_s, 6))
        super().learn(elapsed_s)


class Race:
    """A hedged try whose two calls the test ends by hand."""

    def __init__(self, policy: HedgePolicy = AFTER, *, allowed: bool = True) -> None:
        self.clock = ManualClock()
        self.delay = Noting(policy)
        self.allowed = allowed
        self.asked = 0
        self.calls: list[Call] = []
        self.ended: list[tuple[float, Any, CallError | None]] = []
        self.refuse: CallError | None = None
        self.hedged = Hedged(self._start, self._done, self.delay, self.clock, self._may)

    def _start(self, done: Done, *, hedge: bool) -> Call:
        if hedge and self.refuse:
            raise self.refuse
        self.calls.append(Call(done, hedge=hedge))
        return self.calls[-1]

    def _done(self, value: Any, error: CallError | None) -> None:
        self.ended.append((round(self.clock.now_s() - 1000.0, 6), value, error))

    def _may(self) -> bool:
        self.asked += 1
        return self.allowed

    def cancelled(self) -> list[bool]:
        return [call.cancelled for call in self.calls]


def test_a_call_that_ends_in_time_is_alone() -> None:
    """No second one, and no timer left."""
    race = Race()
    race.clock.turn(0.099)
    race.calls[0].done("value", None)

    assert race.ended == [(0.099, "value", None)]
    assert (len(race.calls), race.asked, race.clock.pending) == (1, 0, 0)


def test_case_s11_a_the_faster_second_one_wins() -> None:
    """First 300 ms, second 50 ms: answered at 150 ms; the first is given up at that moment."""
    race = Race()
    race.clock.turn(0.1)
    assert [call.hedge for call in race.calls] == [False, True]

    race.clock.turn(0.05)
    race.calls[1].done("second", None)

    assert race.ended == [(0.15, "second", None)]
    assert race.cancelled() == [True, False]
    assert race.clock.pending == 0


def test_the_first_one_may_still_win() -> None:
    """Then the second is the loser."""
    race = Race()
    race.clock.turn(0.12)
    race.calls[0].done("first", None)

    assert race.ended == [(0.12, "first", None)]
    assert race.cancelled() == [False, True]


def test_case_s11_b_a_fast_error_does_not_win_over_a_later_success() -> None:
    """The second answers 500 at once, the first 200 at 300 ms: the 200."""
    race = Race()
    race.clock.turn(0.1)
    race.calls[1].done(None, FAULT)
    assert race.ended == []

    race.clock.turn(0.2)
    race.calls[0].done("first", None)
    assert race.ended == [(0.3, "first", None)]


def test_an_error_of_the_first_waits_for_the_second() -> None:
    """The same the other way round."""
    race = Race()
    race.clock.turn(0.1)
    race.calls[0].done(None, FAULT)
    assert race.ended == []

    race.calls[1].done("second", None)
    assert race.ended == [(0.1, "second", None)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_when_both_fail_the_first_ones_error_is_told(order: tuple[int, int]) -> None:
    """Whichever came last: the second was our own idea."""
    race = Race()
    race.clock.turn(0.1)
    errors = (FAULT, OTHER)
    for one in order:
        race.calls[one].done(None, errors[one])

    assert race.ended == [(0.1, None, FAULT)]


def test_a_failure_before_the_delay_is_not_hedged() -> None:
    """That is for the retry outside to judge."""
    race = Race()
    race.calls[0].done(None, FAULT)
    race.clock.turn(1)

    assert race.ended == [(0.0, None, FAULT)]
    assert len(race.calls) == 1


def test_no_allowance_no_hedge_and_it_is_asked_once() -> None:
    """A spent budget or a saturated backend: the first goes on alone."""
    race = Race(allowed=False)
    race.clock.turn(10)
    race.calls[0].done("first", None)

    assert (len(race.calls), race.asked) == (1, 1)
    assert race.ended == [(10.0, "first", None)]


def test_no_permit_no_hedge() -> None:
    """The gates refuse the second one: the first goes on alone, also with its error."""
    race = Race()
    race.refuse = BulkheadFull("orders")
    race.clock.turn(0.2)
    race.calls[0].done(None, FAULT)

    assert race.ended == [(0.2, None, FAULT)]


def test_at_most_one_extra() -> None:
    """However long both take."""
    race = Race()
    race.clock.turn(60)

    assert (len(race.calls), race.asked) == (2, 1)


@pytest.mark.parametrize("after_s", [0.05, 0.2])
def test_case_s11_d_a_caller_that_leaves_gives_both_up(after_s: float) -> None:
    """Before or after the second one began: nothing runs on, no timer is left, nobody is told."""
    race = Race()
    race.clock.turn(after_s)
    race.hedged.cancel()
    race.hedged.cancel()

    assert all(race.cancelled())
    assert (race.ended, race.clock.pending) == ([], 0)


def live(*samples: float) -> HedgeDelay:
    delay = HedgeDelay(HedgePolicy())
    for one in samples:
        delay.learn(one)
    return delay


def test_the_live_delay_is_unknown_at_first() -> None:
    """The p95 of a handful of calls is their slowest: no hedge on that."""
    assert live(*[0.1] * 19).after_s is None
    race = Race(HedgePolicy())
    race.clock.turn(60)
    assert len(race.calls) == 1


def test_the_live_delay_is_the_p95() -> None:
    """Of a hundred calls of 1 to 100 ms, in any order: 96 ms, the first beyond 95 %."""
    assert live(*(one / 1000 for one in range(100, 0, -1))).after_s == pytest.approx(0.096)


def test_the_live_delay_forgets() -> None:
    """A slow hour is over with the last 200 calls, and memory is bounded."""
    delay = live(*[9.0] * 1000, *[0.05] * SAMPLES)

    assert delay.after_s == 0.05
    assert len(delay._samples) == SAMPLES


def test_the_live_delay_has_a_floor() -> None:
    """Five milliseconds: below that our own loop is what is slow."""
    assert live(*[0.0001] * 100).after_s == 0.005


def test_a_set_delay_learns_nothing() -> None:
    """It is what the policy says."""
    delay = HedgeDelay(AFTER)
    for _ in range(100):
        delay.learn(9.0)
    assert delay.after_s == 0.1


def test_wins_do_not_make_the_delay_shorter() -> None:
    """The loser counts with the time it had taken so far; without it every win would move the p95 down."""
    race = Race()
    race.clock.turn(0.13)
    race.calls[1].done("second", None)

    assert race.delay.learnt == [0.03, 0.13]


def test_a_timeout_counts_as_a_long_call_and_another_error_not_at_all() -> None:
    """A fast 500 must not make a backend look fast."""
    for error, seen in ((AttemptTimedOut("orders"), 1), (FAULT, 0)):
        race = Race()
        race.calls[0].done(None, error)
        assert len(race.delay.learnt) == seen


# The two calls end in any order, at any time, any way: (which, tenths of a second later, fails).
@given(
    ends=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3), st.booleans()), max_size=4),
    allowed=st.booleans(),
    leave=st.booleans(),
)
def test_it_ends_once_and_nothing_runs_on(ends: list[tuple[int, int, bool]], allowed: bool, leave: bool) -> None:
    """A success wins whenever it comes; every call is over or cancelled; no timer is left."""
    race = Race(allowed=allowed)
    over: dict[int, bool] = {}
    for which, tenths, fails in ends:
        race.clock.turn(tenths / 10)
        if which in over or which >= len(race.calls) or race.calls[which].cancelled or race.ended:
            continue
        over[which] = fails
        race.calls[which].done(None if fails else which, FAULT if fails else None)
    if not race.ended:
        assert not (over and not all(over.values()))
        race.hedged.cancel()

    assert len(race.ended) <= 1
    assert len(race.calls) <= (2 if allowed else 1)
    assert all(call.cancelled or at in over for at, call in enumerate(race.calls))
    assert race.clock.pending == 0


def test_twenty_calls_are_enough_and_the_last_two_hundred_count() -> None:
    """As documented (docs/resilience.md)."""
    assert live(*[0.1] * 20).after_s == 0.1
    assert len(live(*[0.1] * 1000)._samples) == SAMPLES == 200


def test_the_oldest_call_is_forgotten_first() -> None:
    """A hundred slow ones, then two hundred fast ones: no slow one is left, whatever became of the order."""
    assert live(*[9.0] * 100, *[0.05] * 200).after_s == 0.05


def test_a_winner_is_not_cancelled_afterwards() -> None:
    """The branch ends and gives up whatever is under way: what ended by itself is left alone."""
    race = Race()
    race.calls[0].done("first", None)
    race.hedged.cancel()

    assert race.cancelled() == [False]


def test_a_call_that_ends_as_it_begins_leaves_no_timer() -> None:
    """Rejected or answered on the spot: there is nothing to hedge, now or later."""
    clock, started = ManualClock(), []

    def start(done: Done, *, hedge: bool) -> Call:
        started.append(hedge)
        done("at once", None)
        return Call(done, hedge=hedge)

    Hedged(start, lambda *_: None, HedgeDelay(AFTER), clock, lambda: True)
    assert clock.pending == 0
    clock.turn(1)

    assert started == [False]
