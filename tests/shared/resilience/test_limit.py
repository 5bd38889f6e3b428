"""The adaptive limit: up by about one call a round trip, down at most once a round trip."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.resilience.bulkhead import Bulkhead, BulkheadPolicy
from shared.resilience.limit import Limit, LimitPolicy
from shared.resilience.verdict import Verdict
from shared.testing.clock import ManualClock

SUCCESS, FAILURE, OVERLOAD, IGNORED = Verdict
SLOW_S = 0.1


def limit(clock: ManualClock, most: int = 100, **policy: Any) -> Limit:
    return Limit(LimitPolicy(slow_after=timedelta(seconds=SLOW_S), **policy), most, clock)


def test_one_round_trip_in_time_is_one_more() -> None:
    """Twenty calls of twenty in flight came back: about twenty-one may be."""
    one = limit(ManualClock(), first=20)
    for _ in range(21):
        one.learn(SUCCESS, 0.01, 20)

    assert one.value == 21


def test_a_limit_nobody_comes_near_does_not_grow() -> None:
    """Ten a minute prove nothing about a hundred at once."""
    one = limit(ManualClock(), first=20)
    for _ in range(1000):
        one.learn(SUCCESS, 0.01, 9)

    assert one.value == 20


@pytest.mark.parametrize(("verdict", "elapsed_s"), [(OVERLOAD, 0.01), (SUCCESS, SLOW_S)])
def test_too_much_or_too_slow_lowers_it(verdict: Verdict, elapsed_s: float) -> None:
    """By a tenth."""
    one = limit(ManualClock(), first=20)

    assert one.learn(verdict, elapsed_s, 20) == 18


@pytest.mark.parametrize("verdict", [FAILURE, IGNORED])
def test_what_is_not_about_load_moves_nothing(verdict: Verdict) -> None:
    """A fast 500 is a bug, a 404 is an answer, a cancelled call is neither."""
    one = limit(ManualClock(), first=20)

    assert one.learn(verdict, 9.0, 20) == 20


def test_one_bad_round_trip_is_one_step_down() -> None:
    """Twenty calls that were in flight together time out together: 18, not 2."""
    clock = ManualClock()
    one = limit(clock, first=20)
    clock.turn(0.7)
    for _ in range(20):
        one.learn(OVERLOAD, 0.7, 20)
    assert one.value == 18

    clock.turn(0.7)
    assert one.learn(OVERLOAD, 0.7, 18) == 16


def test_it_stays_within_its_bounds() -> None:
    """Never below the least, never above the bulkhead's own."""
    clock = ManualClock()
    one = limit(clock, most=30, first=20, least=4)
    for _ in range(100):
        clock.turn(1)
        one.learn(OVERLOAD, 0.7, 20)
    assert one.value == 4

    for _ in range(10_000):
        one.learn(SUCCESS, 0.01, 30)
    assert one.value == 30


def test_the_bulkhead_enforces_what_the_limit_computes() -> None:
    """Two permits to begin with; after a call that was overload, the least there may be."""
    policy = LimitPolicy(slow_after=timedelta(seconds=SLOW_S), first=2, least=1, backoff=0.5)
    bulkhead = Bulkhead("orders", BulkheadPolicy(max_concurrent=8, adaptive=policy), ManualClock())
    assert [bulkhead.acquire() for _ in range(3)] == [True, True, False]

    bulkhead.release(OVERLOAD, 0.01)

    assert bulkhead.limit == 1
    assert not bulkhead.acquire()


# Ended calls: (verdict, tenths of a second it took, in flight, pause before it ended).
ENDS = st.lists(st.tuples(st.sampled_from(Verdict), st.integers(0, 20), st.integers(1, 60), st.integers(0, 5)))


@given(ends=ENDS, first=st.integers(1, 100), least=st.integers(1, 60), most=st.integers(1, 50))
def test_whatever_happens_there_is_a_limit_between_the_bounds(ends: Any, first: int, least: int, most: int) -> None:
    """Also when the bounds are the wrong way round: the bulkhead's own is the last word."""
    clock = ManualClock()
    one = limit(clock, most=most, first=first, least=least)
    for verdict, tenths, in_flight, pause in ends:
        clock.turn(pause / 10)
        value = one.learn(verdict, tenths / 10, in_flight)
        assert min(least, first, most) <= value <= most


def test_half_in_use_is_near_enough_to_learn_from() -> None:
    """One of two in flight counts: with it, the third call that came back in time makes room for a third."""
    one = limit(ManualClock(), first=2)
    for in_flight in (1, 2, 2):
        one.learn(SUCCESS, 0.01, in_flight)

    assert one.value == 3


def test_the_defaults_are_the_documented_ones() -> None:
    """But for slowness, which only the team knows."""
    slow = timedelta(milliseconds=250)

    assert LimitPolicy(slow_after=slow) == LimitPolicy(slow_after=slow, first=20, least=4, backoff=0.9)
