"""Retry policy: when a failed attempt may be tried again, and how long to wait first.

Owns the schedule (full jitter, Retry-After, never past the deadline). Which failures are transient is decided in
``shared.errors``; whether the allowance is spent, in ``budget.py``. tenacity is imported here only, and entered only
after a first failure: a call that succeeds pays nothing for it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TypeVar

import tenacity as _t

from shared.clock import Clock
from shared.errors import CallError
from shared.resilience.budget import Allowance
from shared.resilience.deadline import Deadline

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often, and how far apart, one call may be tried.

    ``max_attempts`` counts the first one. Waits are full jitter (Brooker, "Exponential Backoff And Jitter"):
    uniform between 0 and ``first_wait`` x 2^n, at most ``longest_wait``.
    """

    # Two: a second attempt meets another connection or instance; a third mostly meets the same outage.
    max_attempts: int = 2
    # About one round trip within a region: long enough for a restarted listener, short beside any deadline.
    first_wait: timedelta = timedelta(milliseconds=25)
    longest_wait: timedelta = timedelta(milliseconds=250)

    def wait_s(self, attempt: int, error: BaseException | None, random: Random) -> float:
        """Seconds to wait after the given failed attempt (1 is the first); Retry-After is a floor under the jitter."""
        doubled = self.first_wait.total_seconds() * 2.0 ** min(attempt - 1, 64)  # far beyond any longest wait
        wait = random.uniform(0, min(self.longest_wait.total_seconds(), doubled))
        if isinstance(error, CallError) and error.retry_after is not None:
            return error.retry_after.total_seconds() + wait
        return wait


async def retry(
    first: CallError,
    attempt: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    *,
    deadline: Deadline,
    allowance: Allowance,
    clock: Clock,
    random: Random,
) -> T:
    """Try again after ``first`` failed; return the value of the attempt that succeeds.

    Raises the last failure when attempts, time or allowance are spent. No wait begins that would end after the
    deadline (field case S3). Only ``CallError`` is ever retried, so a cancellation always passes (field case S2).
    """
    replayed = False

    async def replay_then_attempt() -> T:
        nonlocal replayed
        if not replayed:
            replayed = True
            raise first
        return await attempt()

    def may_retry(error: BaseException) -> bool:
        return isinstance(error, CallError) and error.transient

    def failure(state: _t.RetryCallState) -> BaseException | None:
        return state.outcome.exception() if state.outcome else None

    def stop(state: _t.RetryCallState) -> bool:
        spent = state.attempt_number >= policy.max_attempts
        late = state.upcoming_sleep >= deadline.remaining_s(clock.now_s())
        return spent or late or not allowance.take()

    retrying = _t.AsyncRetrying(
        sleep=clock.sleep,
        stop=stop,
        wait=lambda state: policy.wait_s(state.attempt_number, failure(state), random),
        retry=_t.retry_if_exception(may_retry),
        reraise=True,
    )
    return await retrying(replay_then_attempt)
