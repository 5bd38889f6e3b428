"""Hedging: when a call takes longer than nearly all do, a second one beside it, and the first success wins.

Owns when the second one starts and who wins. It never starts more than one, asks ``may_hedge`` first (the budget and
the backend's state are not known here), and cancels the loser at once. An error never wins over a success that may
still come; when both fail, the first one's error is the answer (field case S11).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

from shared.clock import Clock, Timer
from shared.errors import AttemptTimedOut, CallError, CallRejected

Done = Callable[[Any, CallError | None], None]


class Running(Protocol):
    """Something under way that can be given up."""

    def cancel(self) -> None:
        """Give it up; it then reports nothing more. No effect once it is over."""


class Start(Protocol):
    """How one of the two is sent."""

    def __call__(self, done: Done, *, hedge: bool) -> Running:
        """Start one. Raises CallRejected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgePolicy:
    """When a second attempt may stand beside the first. A call that is not idempotent is never hedged.

    HedgePolicy()                                       after the live p95
    HedgePolicy(after=timedelta(milliseconds=100))      after a set delay
    """

    after: timedelta | None = None
    # The slowest twentieth: hedging it costs 5 % more calls, which the retry budget's 10 % can pay.
    quantile: float = 0.95
    # Below this the loop's own delays are what is slow.
    least: timedelta = timedelta(milliseconds=5)


# The last 200 calls: ten of them lie beyond the p95, so that one outlier does not move it.
SAMPLES: Final = 200
# Sorting 200 numbers takes some 10 µs: once in 20 calls that is half a microsecond each.
SORT_EVERY: Final = 20


class HedgeDelay:
    """The live delay of one backend: set, or the quantile of its last calls; None until it is known."""

    __slots__ = ("_least_s", "_live", "_quantile", "_samples", "_seen", "after_s")

    def __init__(self, policy: HedgePolicy) -> None:
        self._live = policy.after is None
        self._quantile = policy.quantile
        self._least_s = policy.least.total_seconds()
        self._samples: list[float] = []
        self._seen = 0
        self.after_s: float | None = policy.after.total_seconds() if policy.after is not None else None

    def learn(self, elapsed_s: float) -> None:
        """Take how long a call took, or had taken so far when it was given up for a faster one."""
        if not self._live:
            return
        if len(self._samples) < SAMPLES:
            self._samples.append(elapsed_s)
        else:
            self._samples[self._seen % SAMPLES] = elapsed_s
        self._seen += 1
        if self._seen % SORT_EVERY == 0:
            ordered = sorted(self._samples)
            self.after_s = max(self._least_s, ordered[int(len(ordered) * self._quantile)])


class _Lane:
    """One of the two."""

    __slots__ = ("_race", "error", "running", "started_s")

    def __init__(self, race: "Hedged", started_s: float) -> None:
        self._race = race
        self.running: Running | None = None
        self.started_s = started_s
        self.error: CallError | None = None

    def done(self, value: Any, error: CallError | None) -> None:
        self._race.ended(self, value, error)


class Hedged:
    """One try that may be doubled. ``done`` is called once, unless it is cancelled before."""

    __slots__ = ("_clock", "_delay", "_done", "_lanes", "_may_hedge", "_over", "_start", "_timer")

    def __init__(
        self, start: Start, done: Done, delay: HedgeDelay, clock: Clock, may_hedge: Callable[[], bool]
    ) -> None:
        self._start = start
        self._done = done
        self._delay = delay
        self._clock = clock
        self._may_hedge = may_hedge
        self._lanes: list[_Lane] = []
        self._over = False
        self._timer: Timer | None = None
        self._enter(hedge=False)
        if not self._over and delay.after_s is not None:
            self._timer = clock.call_later(delay.after_s, self._wake)

    def _enter(self, *, hedge: bool) -> None:
        lane = _Lane(self, self._clock.now_s())
        self._lanes.append(lane)
        lane.running = self._start(lane.done, hedge=hedge)

    def _wake(self) -> None:
        self._timer = None
        if not self._may_hedge():
            return
        try:
            self._enter(hedge=True)
        except CallRejected:  # no permit, no hedge: the first one goes on alone
            self._lanes.pop()

    def ended(self, lane: _Lane, value: Any, error: CallError | None) -> None:
        """Take the end of one; the end of the whole if it is a success, or if there is nothing left to hope for."""
        lane.error = error
        if error is None or isinstance(error, AttemptTimedOut):
            self._delay.learn(self._clock.now_s() - lane.started_s)
        if error is None:
            self._stop(loser=next((one for one in self._lanes if one is not lane and one.error is None), None))
            self._done(value, None)
        elif all(one.error is not None for one in self._lanes):
            self._stop(loser=None)
            self._done(None, self._lanes[0].error)

    def cancel(self) -> None:
        """Give both up."""
        if not self._over:
            self._stop(loser=None)
            for lane in self._lanes:
                if lane.running is not None:
                    lane.running.cancel()

    def _stop(self, loser: _Lane | None) -> None:
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        if loser is not None and loser.running is not None:
            # It would have taken at least that long: without it, every win would make the quantile shorter.
            self._delay.learn(self._clock.now_s() - loser.started_s)
            loser.running.cancel()
