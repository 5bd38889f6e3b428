"""Budgets: what one request may spend, however many fan-outs it starts, and what one backend's retries may.

Owns the counting. A budget keeps an outage from becoming a storm: with ratio 0.1, a backend that fails every call sees
at most 1.1 times its normal load (after Finagle's RetryBudget).
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from shared.clock import Clock


class Allowance(Protocol):
    """Something that says yes until it is spent."""

    def take(self) -> bool:
        """Take one retry; False, and nothing taken, when none is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryBudgetPolicy:
    """How many retries the calls of the last ``window`` earn: ``ratio`` each, but never fewer than ``minimum``."""

    # 10 %: a backend that fails every call then sees at most 1.1x its normal load.
    ratio: float = 0.1
    window: timedelta = timedelta(seconds=10)
    # So that a quiet service may retry at all: one a second at most.
    minimum: int = 10


# One answer rarely meets more than one broken backend; two retries cover a flaky network, and no outage is multiplied.
RETRIES_PER_REQUEST: Final = 2
# A page of thirty parts is a long page (docs/performance.md measures up to there); twice that is a mistake in a loop.
BRANCHES_PER_REQUEST: Final = 60


class RetryBudget:
    """The live budget of one backend, shared by all requests: two half-window buckets, rotated as time passes."""

    __slots__ = ("_calls", "_clock", "_policy", "_retries", "_rotate_at_s")

    def __init__(self, policy: RetryBudgetPolicy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock
        self._calls = [0, 0]
        self._retries = [0, 0]
        self._rotate_at_s = 0.0

    def record_call(self) -> None:
        """Count one first attempt."""
        if (now := self._clock.now_s()) >= self._rotate_at_s:
            self._rotate(now)
        self._calls[0] += 1

    def take(self) -> bool:
        """Take one retry out of what the window's calls earned."""
        if (now := self._clock.now_s()) >= self._rotate_at_s:
            self._rotate(now)
        earned = max(self._policy.minimum, int(sum(self._calls) * self._policy.ratio))
        if sum(self._retries) >= earned:
            return False
        self._retries[0] += 1
        return True

    def _rotate(self, now: float) -> None:
        half = self._policy.window.total_seconds() / 2
        quiet = now - self._rotate_at_s >= half  # a whole half-window without a call: both buckets are old
        self._calls = [0, 0 if quiet else self._calls[0]]
        self._retries = [0, 0 if quiet else self._retries[0]]
        self._rotate_at_s = (now // half + 1) * half  # on a grid: a late turn must not keep old counts longer


class RequestBudget:
    """What one request may still spend, in all its fan-outs together: retries (and hedges), and branches.

    Each retry is also taken from the budget of its backend.
    """

    __slots__ = ("branches", "retries")

    def __init__(self, *, retries: int = RETRIES_PER_REQUEST, branches: int = BRANCHES_PER_REQUEST) -> None:
        self.retries = retries
        self.branches = branches

    def take_branches(self, wanted: int) -> int:
        """Take that many branches, or as many as are left; return how many."""
        granted = min(wanted, self.branches)
        self.branches -= granted
        return granted

    def for_backend(self, backend: RetryBudget) -> Allowance:
        """Return the allowance that draws on both, or on neither."""
        return _Both(self, backend)


class _Both:
    __slots__ = ("_backend", "_request")

    def __init__(self, request: RequestBudget, backend: RetryBudget) -> None:
        self._request = request
        self._backend = backend

    def take(self) -> bool:
        if self._request.retries <= 0 or not self._backend.take():
            return False
        self._request.retries -= 1
        return True
