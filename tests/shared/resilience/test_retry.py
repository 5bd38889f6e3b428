"""When a failed attempt is tried again, and how long the wait is. All times are the manual clock's."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import (
    AttemptTimedOut,
    BackendFaulted,
    BackendInvalid,
    BackendRefused,
    BreakerOpen,
    BulkheadFull,
    CallError,
    DeadlinePassed,
)
from shared.resilience.deadline import Deadline
from shared.resilience.retry import RetryPolicy, retry
from shared.testing.clock import ManualClock, settle

FAULT = BackendFaulted("orders", 503)
Attempt = Callable[[], Awaitable[str]]


class Allowing:
    """An allowance of so many retries; counts what was taken."""

    def __init__(self, left: int = 100) -> None:
        self.left = left
        self.taken = 0

    def take(self) -> bool:
        if self.taken >= self.left:
            return False
        self.taken += 1
        return True


class Failing:
    """Attempts that fail with these errors, in order, then give a value; notes when each began."""

    def __init__(self, clock: ManualClock, *errors: Exception) -> None:
        self._clock = clock
        self._errors = list(errors)
        self.at: list[float] = []

    async def __call__(self) -> str:
        self.at.append(self._clock.now_s())
        if self._errors:
            raise self._errors.pop(0)
        return "value"


def schedule(first: CallError = FAULT, **fields: object) -> Callable[..., Awaitable[str]]:
    """``retry`` with everything but what a test is about filled in."""

    def run(clock: ManualClock, attempt: Attempt, policy: RetryPolicy, budget_s: float = 5.0) -> Awaitable[str]:
        given = {"deadline": Deadline(clock.now_s() + budget_s), "allowance": Allowing(), "random": Random(7), **fields}
        return retry(first, attempt, policy, clock=clock, **given)

    return run


@given(seed=st.integers(), attempt=st.integers(1, 60))
def test_a_wait_is_full_jitter_under_a_doubling_bounded_ceiling(seed: int, attempt: int) -> None:
    """Uniform between nothing and the ceiling, so that clients that failed together do not return together."""
    policy = RetryPolicy(first_wait=timedelta(milliseconds=25), longest_wait=timedelta(milliseconds=250))

    wait_s = policy.wait_s(attempt, FAULT, Random(seed))

    assert 0 <= wait_s <= min(0.250, 0.025 * 2 ** (attempt - 1))


def test_jitter_uses_the_whole_range() -> None:
    """Half of the waits are below half of the ceiling."""
    random = Random(1)
    waits = [RetryPolicy().wait_s(1, FAULT, random) for _ in range(2000)]

    assert 0.45 < sum(wait < 0.0125 for wait in waits) / 2000 < 0.55


def test_retry_after_is_a_floor_under_the_jitter() -> None:
    """The backend said when; never before that, and not all of us at that very moment."""
    asked = BackendFaulted("orders", 503, retry_after=timedelta(seconds=2))
    waits = {RetryPolicy().wait_s(1, asked, Random(seed)) for seed in range(50)}

    assert all(2.0 <= wait <= 2.025 for wait in waits)
    assert len(waits) == 50


def test_a_retry_after_of_zero_means_now() -> None:
    """Zero is an answer, not its absence."""
    asked = BackendFaulted("orders", 503, retry_after=timedelta(0))

    assert RetryPolicy().wait_s(1, asked, Random(7)) <= 0.025


async def test_the_value_of_the_attempt_that_succeeds_is_returned() -> None:
    """One failure, one wait, one value."""
    clock = ManualClock()
    attempts = Failing(clock)

    assert await clock.run(schedule()(clock, attempts, RetryPolicy())) == "value"
    assert len(attempts.at) == 1
    assert 1000.0 < attempts.at[0] <= 1000.025


async def test_no_more_attempts_than_the_policy_says() -> None:
    """The first attempt counts: three attempts are two retries; the last failure is the answer."""
    clock = ManualClock()
    last = BackendFaulted("orders", 502)
    attempts = Failing(clock, FAULT, last, FAULT)

    with pytest.raises(BackendFaulted) as raised:
        await clock.run(schedule()(clock, attempts, RetryPolicy(max_attempts=3)))

    assert raised.value is last
    assert len(attempts.at) == 2


async def test_one_attempt_means_no_retry_and_takes_no_allowance() -> None:
    """Switched off is off."""
    clock = ManualClock()
    attempts, allowance = Failing(clock), Allowing()

    with pytest.raises(BackendFaulted):
        await clock.run(schedule(allowance=allowance)(clock, attempts, RetryPolicy(max_attempts=1)))

    assert (attempts.at, allowance.taken) == ([], 0)


async def test_a_spent_allowance_ends_the_tries() -> None:
    """One retry allowed, one made."""
    clock = ManualClock()
    attempts = Failing(clock, *[FAULT] * 9)

    with pytest.raises(BackendFaulted):
        await clock.run(schedule(allowance=Allowing(1))(clock, attempts, RetryPolicy(max_attempts=9)))

    assert len(attempts.at) == 1


async def test_a_wait_past_the_deadline_does_not_begin_and_takes_no_allowance() -> None:
    """Retry-After 2 s with 1 s left: the failure is told now, and nobody waits for nothing."""
    clock = ManualClock()
    asked = BackendFaulted("orders", 503, retry_after=timedelta(seconds=2))
    attempts, allowance = Failing(clock), Allowing()

    with pytest.raises(BackendFaulted):
        await clock.run(schedule(asked, allowance=allowance)(clock, attempts, RetryPolicy(), 1.0))

    assert (clock.now_s(), attempts.at, allowance.taken) == (1000.0, [], 0)


async def test_retry_after_within_the_deadline_is_honoured() -> None:
    """Not a moment before the backend asked for us."""
    clock = ManualClock()
    asked = BackendFaulted("orders", 503, retry_after=timedelta(seconds=2))
    attempts = Failing(clock)

    await clock.run(schedule(asked)(clock, attempts, RetryPolicy(), 5.0))

    assert 1002.0 <= attempts.at[0] <= 1002.025


@pytest.mark.parametrize(
    "lasting",
    [
        BackendRefused("orders", 404),
        BackendRefused("orders", 400),
        BackendFaulted("orders", 500),
        BackendInvalid("orders"),
        DeadlinePassed("orders"),
        BulkheadFull("orders"),
        BreakerOpen("orders"),
    ],
    ids=lambda error: f"{type(error).__name__}-{getattr(error, 'status', '')}",
)
async def test_what_a_second_attempt_cannot_mend_is_not_retried(lasting: CallError) -> None:
    """Only transient failures are; an open breaker or a full bulkhead is never hammered."""
    clock = ManualClock()
    attempts = Failing(clock, lasting)

    with pytest.raises(type(lasting)) as raised:
        await clock.run(schedule()(clock, attempts, RetryPolicy(max_attempts=9)))

    assert raised.value is lasting
    assert len(attempts.at) == 1


async def test_a_bug_is_not_retried() -> None:
    """An exception that is no failure of a call passes at once."""
    clock = ManualClock()
    attempts = Failing(clock, ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        await clock.run(schedule()(clock, attempts, RetryPolicy(max_attempts=9)))

    assert len(attempts.at) == 1


@pytest.mark.parametrize("moment", ["waiting", "attempting"])
async def test_case_s2_a_cancellation_always_passes(moment: str) -> None:
    """Cancelled while waiting or during an attempt: the caller is cancelled, no further attempt, no timer left."""
    clock = ManualClock()
    begun = 0

    async def attempt() -> str:
        nonlocal begun
        begun += 1
        await clock.sleep(3)
        return "too late"

    policy = RetryPolicy(max_attempts=5, first_wait=timedelta(seconds=10), longest_wait=timedelta(seconds=10))
    work = asyncio.ensure_future(schedule(AttemptTimedOut("orders"))(clock, attempt, policy, 60.0))
    await clock.advance(0.001 if moment == "waiting" else 4.0)
    assert begun == (0 if moment == "waiting" else 1)

    work.cancel()
    await settle()

    assert work.cancelled()
    assert clock.pending == 0
    await clock.advance(60.0)
    assert begun == (0 if moment == "waiting" else 1)


def test_the_ceiling_of_the_waits_doubles_up_to_the_longest() -> None:
    """25, 50, 100, 200 ms, then 250: what is drawn comes near each, and never beyond it."""
    random = Random(1)
    longest = [max(RetryPolicy().wait_s(attempt, FAULT, random) for _ in range(2000)) for attempt in range(1, 7)]

    for seen_s, ceiling_s in zip(longest, [0.025, 0.05, 0.1, 0.2, 0.25, 0.25], strict=True):
        assert 0.98 * ceiling_s < seen_s <= ceiling_s


def test_the_defaults_are_the_documented_ones() -> None:
    """docs/resilience.md's rows: two attempts, 25 ms, at most 250 ms."""
    ms = timedelta(milliseconds=1)

    assert RetryPolicy() == RetryPolicy(max_attempts=2, first_wait=25 * ms, longest_wait=250 * ms)


async def test_a_wait_that_would_end_with_the_deadline_does_not_begin() -> None:
    """Retry-After says exactly what is left: an attempt at the deadline is an attempt after it."""
    clock = ManualClock()
    asked = BackendFaulted("orders", 503, retry_after=timedelta(seconds=1))
    attempts, no_jitter = Failing(clock), RetryPolicy(first_wait=timedelta(0))

    with pytest.raises(BackendFaulted):
        await clock.run(schedule(asked)(clock, attempts, no_jitter, 1.0))

    assert (clock.now_s(), attempts.at) == (1000.0, [])
