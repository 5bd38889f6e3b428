"""Retry budgets: an outage never becomes a storm."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.resilience.budget import RETRIES_PER_REQUEST, RequestBudget, RetryBudget, RetryBudgetPolicy
from shared.testing.clock import ManualClock

WINDOW_S = 10.0


def budget(clock: ManualClock, *, ratio: float = 0.1, minimum: int = 0) -> RetryBudget:
    return RetryBudget(RetryBudgetPolicy(ratio=ratio, minimum=minimum, window=timedelta(seconds=WINDOW_S)), clock)


def taken(budget: RetryBudget, tries: int = 1000) -> int:
    return sum(budget.take() for _ in range(tries))


@pytest.mark.parametrize(("calls", "retries"), [(0, 0), (9, 0), (10, 1), (99, 9), (1000, 100)])
def test_each_call_earns_its_share_of_a_retry(calls: int, retries: int) -> None:
    """At ratio 0.1 a backend that fails every call sees at most 1.1 times its load."""
    one = budget(ManualClock())
    for _ in range(calls):
        one.record_call()

    assert taken(one) == retries


def test_a_quiet_service_may_retry_up_to_the_minimum() -> None:
    """A share of nothing would forbid the first retry of the night."""
    assert taken(budget(ManualClock(), minimum=3)) == 3


async def test_what_was_earned_and_what_was_spent_is_forgotten_with_the_window() -> None:
    """Calls earn and retries count for one window, no longer."""
    clock = ManualClock()
    one = budget(clock, minimum=2)
    for _ in range(100):
        one.record_call()
    assert taken(one) == 10

    await clock.advance(WINDOW_S)

    assert taken(one) == 2


async def test_the_last_half_window_still_counts_in_the_next_one() -> None:
    """Two halves rotate: a burst just before the turn is not a fresh start."""
    clock = ManualClock()
    one = budget(clock, minimum=4)
    await clock.advance(4.9)
    assert taken(one) == 4

    await clock.advance(0.2)
    assert taken(one) == 0

    await clock.advance(WINDOW_S / 2)
    assert taken(one) == 4


# Calls, retries and silences in any order: (pause in tenths of a second, is a retry).
STEPS = st.lists(st.tuples(st.integers(0, 70), st.booleans()), max_size=150)


@given(steps=STEPS, ratio=st.sampled_from([0.0, 0.1, 0.5, 1.0]), minimum=st.integers(0, 5))
async def test_retries_never_exceed_what_the_window_allows(
    steps: list[tuple[int, bool]], ratio: float, minimum: int
) -> None:
    """In any half window: no more retries than the share of the last window's calls, or the minimum."""
    clock = ManualClock(start_s=1000.0)
    one = budget(clock, ratio=ratio, minimum=minimum)
    calls: list[float] = []
    retries: list[float] = []
    for tenths, is_retry in steps:
        await clock.advance(tenths / 10)
        now = clock.now_s()
        if not is_retry:
            one.record_call()
            calls.append(now)
        elif one.take():
            retries.append(now)
            earned = ratio * sum(now - WINDOW_S <= at for at in calls)
            assert sum(now - WINDOW_S / 2 < at for at in retries) <= max(minimum, earned)


def test_branches_of_one_request_share_its_allowance() -> None:
    """Three broken backends together retry no more than one."""
    clock = ManualClock()
    whole = RequestBudget()
    allowances = [whole.for_backend(budget(clock, minimum=100)) for _ in range(3)]

    granted = [one.take() for one in allowances for _ in range(2)]

    assert sum(granted) == RETRIES_PER_REQUEST
    assert whole.retries == 0


def test_a_spent_request_takes_nothing_from_the_backend() -> None:
    """Both or neither: a refusal costs the backend's budget nothing."""
    of_backend = budget(ManualClock(), minimum=5)
    spent = RequestBudget(retries=0).for_backend(of_backend)

    assert not spent.take()
    assert taken(of_backend) == 5


def test_a_spent_backend_takes_nothing_from_the_request() -> None:
    """A backend that may not be retried leaves the allowance to the others."""
    clock = ManualClock()
    whole = RequestBudget()

    assert not whole.for_backend(budget(clock, minimum=0)).take()
    assert whole.for_backend(budget(clock, minimum=5)).take()


def test_branches_are_taken_until_they_are_spent() -> None:
    """All of them, then what is left, then none; what was not granted was not taken."""
    whole = RequestBudget(branches=5)

    assert [whole.take_branches(wanted) for wanted in (3, 3, 3)] == [3, 2, 0]
    assert whole.branches == 0


def test_the_defaults_of_a_request_are_the_documented_ones() -> None:
    """docs/resilience.md's rows: two retries, sixty branches."""
    assert (RequestBudget().retries, RequestBudget().branches) == (2, 60)


def test_the_defaults_of_a_backend_are_the_documented_ones() -> None:
    """docs/resilience.md's row: 10 % of the calls of the last 10 s, at least 10."""
    assert RetryBudgetPolicy() == RetryBudgetPolicy(ratio=0.1, window=timedelta(seconds=10), minimum=10)


@pytest.mark.parametrize("start_s", [0.0, 1.0, 1000.0])
def test_calls_of_the_half_window_before_still_earn(start_s: float) -> None:
    """A hundred calls, then the next half began: ten retries; another half later, none."""
    clock = ManualClock(start_s=start_s)
    one = budget(clock)
    for _ in range(100):
        one.record_call()
    clock.turn(WINDOW_S / 2)
    assert taken(one) == 10

    clock.turn(WINDOW_S / 2)
    assert taken(one) == 0


def test_a_half_window_begins_at_its_first_moment() -> None:
    """What is counted at 1005.0 belongs to the half that is forgotten at 1015.0, not to the one before."""
    clock = ManualClock(start_s=1000.0)
    one = budget(clock)
    one.record_call()
    clock.turn(5.0)
    for _ in range(100):
        one.record_call()
    clock.turn(7.0)

    assert taken(one) == 10


def test_a_process_that_just_booted_has_nothing_but_the_minimum() -> None:
    """The clock may begin at 0: nothing was called, nothing was retried, and what is spent then stays spent."""
    clock = ManualClock(start_s=0.0)
    assert taken(budget(clock, ratio=1.0)) == 0
    one = budget(clock, minimum=4)
    clock.turn(0.5)
    assert taken(one) == 4

    clock.turn(1.5)
    one.record_call()
    clock.turn(3.1)
    assert taken(one) == 0
