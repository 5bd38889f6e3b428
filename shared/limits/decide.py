"""The three algorithms, in plain Python: what ``judge.lua`` does inside the store, line for line.

Owns the arithmetic and its reasons. Tests hold the script to it with a clock of their own; a single limiter, or a BFF
without one, counts in its own memory with it (``memory.py``). Times are whole microseconds.

``sliding_window`` keeps, for each segment, how many units and *when its last one came*, and counts a segment until the
window has passed since then. So no window of the stated length ever admits more than the limit, whatever its start, and
a unit is held at most one segment longer than it had to be. .NET's ``SlidingWindowRateLimiter`` gives a whole segment
back when its *start* is a window old: with 100 a minute in 6 segments, 100 at 9.9 s and 100 more at 60.0 s pass, 200
within 50.1 s (``tests/edge/limits/test_algorithms.py`` plays both).

``sliding_log`` keeps every unit's time: exact. ``token_bucket`` is a leaky counter: a burst of ``limit``, then
``limit / window`` a second; over a window just after a pause it admits up to twice the limit, by design.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.limits.policy import Algorithm, LimitPolicy

MICROSECONDS_A_MS = 1000


class Check(NamedTuple):
    """One descriptor: charge ``cost`` units to ``key`` under ``policy``. A cost of 0 only looks."""

    policy: LimitPolicy
    key: str
    cost: int = 1


class Verdict(NamedTuple):
    """What became of a check: whether it fits, units left, and microseconds until more (refused: until it fits)."""

    fits: bool
    left: int
    wait_us: int


@dataclass(slots=True)
class Window:
    """``sliding_window``: segment number, units, time of its last unit; oldest first."""

    segments: list[tuple[int, int, int]] = field(default_factory=list)

    def used(self, policy: LimitPolicy, now: int) -> int:
        """Forget what is a window old; return the units that count. A time ahead of the clock becomes now."""
        kept = [(segment, units, min(last, now)) for segment, units, last in self.segments]
        self.segments = [one for one in kept if one[2] + policy.window_us > now]
        return sum(units for _, units, _ in self.segments)

    def wait(self, check: Check, now: int) -> int:
        """Return how long until ``check`` would fit."""
        missing = sum(units for _, units, _ in self.segments) + check.cost - check.policy.limit
        for _, units, last in self.segments:
            missing -= units
            if missing <= 0:
                return last + check.policy.window_us - now
        return check.policy.window_us

    def renewal(self, policy: LimitPolicy, now: int) -> int:
        """Return how long until the first units come back."""
        return self.segments[0][2] + policy.window_us - now if self.segments else 0

    def charge(self, check: Check, now: int) -> None:
        """Count the units in the segment of now; after a step back of the clock, in the newest there is."""
        segment = now // (check.policy.window_us // check.policy.segments)
        if self.segments and self.segments[-1][0] >= segment:
            newest, units, _ = self.segments.pop()
            self.segments.append((newest, units + check.cost, now))
        else:
            self.segments.append((segment, check.cost, now))


@dataclass(slots=True)
class Log:
    """``sliding_log``: the time of every unit, oldest first."""

    times: list[int] = field(default_factory=list)

    def used(self, policy: LimitPolicy, now: int) -> int:
        """Forget what is a window old; return the units that count. A time ahead of the clock becomes now."""
        if self.times and self.times[-1] > now:
            self.times = [min(one, now) for one in self.times]
        gone = next((at for at, one in enumerate(self.times) if one + policy.window_us > now), len(self.times))
        del self.times[:gone]
        return len(self.times)

    def wait(self, check: Check, now: int) -> int:
        """Return how long until ``check`` would fit."""
        if check.cost > check.policy.limit:
            return check.policy.window_us
        return self.times[len(self.times) + check.cost - check.policy.limit - 1] + check.policy.window_us - now

    def renewal(self, policy: LimitPolicy, now: int) -> int:
        """Return how long until the first unit comes back."""
        return self.times[0] + policy.window_us - now if self.times else 0

    def charge(self, check: Check, now: int) -> None:
        """Count the units."""
        self.times += [now] * check.cost


@dataclass(slots=True)
class Bucket:
    """``token_bucket``: how full it is, and when that was. A unit weighs the window's milliseconds: all is whole."""

    level: int = 0
    ms: int = 0

    def used(self, policy: LimitPolicy, now: int) -> int:
        """Let it leak until now; return the units in it, begun ones too."""
        ms = now // MICROSECONDS_A_MS
        self.level = max(0, self.level - max(0, ms - self.ms) * policy.limit)
        self.ms = ms
        return -(-self.level // self._unit(policy))

    def wait(self, check: Check, now: int) -> int:  # noqa: ARG002 - the form of all three
        """Return how long until ``check`` would fit."""
        over = self.level + (check.cost - check.policy.limit) * self._unit(check.policy)
        return min(-(-over // check.policy.limit) * MICROSECONDS_A_MS, check.policy.window_us)

    def renewal(self, policy: LimitPolicy, now: int) -> int:  # noqa: ARG002 - the form of all three
        """Return how long until it is empty."""
        return -(-self.level // policy.limit) * MICROSECONDS_A_MS

    def charge(self, check: Check, now: int) -> None:  # noqa: ARG002 - the form of all three
        """Pour the units in."""
        self.level += check.cost * self._unit(check.policy)

    @staticmethod
    def _unit(policy: LimitPolicy) -> int:
        return policy.window_us // MICROSECONDS_A_MS


State = Window | Log | Bucket
STATES: dict[Algorithm, type[State]] = {
    Algorithm.SLIDING_WINDOW: Window,
    Algorithm.SLIDING_LOG: Log,
    Algorithm.TOKEN_BUCKET: Bucket,
}


def judge(states: dict[str, State], checks: Sequence[Check], now: int) -> list[Verdict]:
    """Judge one request: charge every check of it, or, when one does not fit, none.

    A shadow policy refuses nobody: it is charged when it fits and the request passes.
    """
    held = [states.setdefault(check.key, STATES[check.policy.algorithm]()) for check in checks]
    fits = [
        state.used(check.policy, now) + check.cost <= check.policy.limit or check.cost == 0
        for state, check in zip(held, checks, strict=True)
    ]
    admitted = all(fit or check.policy.shadow for fit, check in zip(fits, checks, strict=True))
    verdicts = []
    for state, check, fit in zip(held, checks, fits, strict=True):
        if admitted and fit and check.cost:
            state.charge(check, now)
        wait = state.renewal(check.policy, now) if fit else state.wait(check, now)
        verdicts.append(Verdict(fit, max(0, check.policy.limit - state.used(check.policy, now)), wait))
    return verdicts
