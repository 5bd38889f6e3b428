"""The adaptive limit: how many calls in flight a backend can take, found by trying.

Owns the computing; the bulkhead enforces (the split of Netflix's concurrency-limits). Additive increase while calls
come back in time, multiplicative decrease when they do not, as TCP does it: by about one call a round trip upwards, at
most once a round trip downwards.
"""

from dataclasses import dataclass
from datetime import timedelta

from shared.clock import Clock
from shared.resilience.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitPolicy:
    """Where to begin, how low to go, and what is too slow. The bulkhead's ``max_concurrent`` is the upper end."""

    # No default: only the team knows when its backend is slow, and a wrong guess starves it.
    slow_after: timedelta
    # Concurrency-limits' own: enough for a backend of 50 ms and 400 calls a second before anything was learnt.
    first: int = 20
    # So few that a backend in trouble recovers, so many that one call that hangs does not hide that it has.
    least: int = 4
    # A tenth: two or three steps undo one round trip's growth at usual sizes, and no single hiccup halves throughput.
    backoff: float = 0.9


class Limit:
    """The live limit of one backend."""

    __slots__ = ("_clock", "_lowered_s", "_most", "_policy", "_slow_s", "_value")

    def __init__(self, policy: LimitPolicy, most: int, clock: Clock) -> None:
        self._policy = policy
        self._most = most
        self._clock = clock
        self._slow_s = policy.slow_after.total_seconds()
        self._lowered_s = float("-inf")
        self._value = float(min(policy.first, most))

    @property
    def value(self) -> int:
        """How many calls may be in flight now."""
        return int(self._value)

    def learn(self, verdict: Verdict, elapsed_s: float, in_flight: int) -> int:
        """Take one ended call, itself still counted in ``in_flight``; return the new limit."""
        if verdict is Verdict.OVERLOAD or (verdict is Verdict.SUCCESS and elapsed_s >= self._slow_s):
            self._lower(elapsed_s)
        elif verdict is Verdict.SUCCESS and in_flight * 2 >= self._value:  # a limit nobody comes near says nothing
            self._value = min(self._most, self._value + 1 / self._value)
        return self.value

    def _lower(self, elapsed_s: float) -> None:
        now = self._clock.now_s()
        if now - elapsed_s >= self._lowered_s:  # sent since the last decrease: it has met that one's effect
            self._lowered_s = now
            self._value = max(min(self._policy.least, self._most), self._value * self._policy.backoff)
