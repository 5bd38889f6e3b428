"""The breaker: a backend that mostly fails is left alone for a while, then asked by a few.

Owns the three states and the permits of probes. What counts as a failure is ``verdict.py``'s business.

    closed ── failure or slow-call rate reached ──> open ── open time over ──> half-open ── one success ──> closed
                                                     ^── one failure (or slow success) ──┘

Every admission is a ticket that comes back with a verdict. A ticket of an earlier state says nothing about this one.
A probe's permit comes back with its ticket, or by itself after ``probe_timeout`` (field case S5: a permit that a
cancelled probe kept locked a backend out for six days).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from random import Random

from shared.clock import Clock
from shared.errors import BreakerOpen
from shared.resilience.verdict import Verdict
from shared.resilience.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When to leave a backend alone, for how long, and how to ask whether it is back."""

    # Long enough for a rate of a quiet backend to mean something, short enough to notice an outage while it is news.
    window: timedelta = timedelta(seconds=10)
    # Below twenty calls one bad deploy of one endpoint, or one flaky connection, is half of all.
    minimum_calls: int = 20
    # Half: with one retry, a backend that fails less than that still serves three calls in four.
    failure_rate: float = 0.5
    # Only the team knows when its backend is slow; a guess here would shut out one that is slow by nature.
    slow_after: timedelta | None = None
    # Nearly all: slow answers still are answers.
    slow_rate: float = 0.9
    # What a process takes to restart. Jittered both ways, so that the processes that saw one outage do not come back
    # together.
    open_for: timedelta = timedelta(seconds=5)
    jitter: float = 0.2
    # In parallel: one that hangs does not keep the others from finding out; a struggling backend notices no three.
    probes: int = 3
    # Longer than an attempt may take, so that a permit only ever comes back by itself when its ticket was lost.
    probe_timeout: timedelta = timedelta(seconds=2)


class BreakerState(StrEnum):
    """Failsafe's words."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


# By names of their own: in Python 3.11 looking a member up on its enum costs more than all the rest of an admission.
_CLOSED, _OPEN, _HALF_OPEN = BreakerState
_SUCCESS, _IGNORED = Verdict.SUCCESS, Verdict.IGNORED


@dataclass(frozen=True, slots=True)
class BreakerTurnedEvent:
    """A breaker changed its state."""

    backend: str
    state: BreakerState


Listener = Callable[[BreakerTurnedEvent], None]


def nobody(_: BreakerTurnedEvent) -> None:
    """Listen to nothing."""


class Breaker:
    """The live breaker of one backend. While closed, an admission is one comparison and a return a few additions."""

    __slots__ = (
        "_backend", "_listener", "_now_s", "_policy", "_probes", "_random", "_reopens_s", "_since", "_slow_s",
        "_tickets", "_window", "state",
    )  # fmt: skip

    def __init__(
        self, backend: str, policy: BreakerPolicy, clock: Clock, random: Random, listener: Listener = nobody
    ) -> None:
        self._backend = backend
        self._policy = policy
        self._now_s = clock.now_s
        self._random = random
        self._listener = listener
        self._slow_s = policy.slow_after.total_seconds() if policy.slow_after else float("inf")
        self._window = Window(policy.window)
        self._reopens_s = 0.0  # when an open breaker lets the first probe through
        self._tickets = 0
        self._since = 0  # the first ticket that belongs to the present state
        self._probes: dict[int, float] = {}  # ticket -> when its permit comes back by itself
        self.state = _CLOSED

    @property
    def probing(self) -> int:
        """How many probes are out."""
        return len(self._probes)

    def admit(self) -> int:
        """Return the ticket of one attempt. Raises BreakerOpen, which says when to come back."""
        if self.state is _CLOSED:
            return self._tickets
        now = self._now_s()
        if self.state is _OPEN:
            if now < self._reopens_s:
                raise self._rejection(self._reopens_s - now)
            self._turn(_HALF_OPEN)
        self._probes = {ticket: until for ticket, until in self._probes.items() if until > now}
        if len(self._probes) >= self._policy.probes:
            raise self._rejection(min(self._probes.values()) - now)
        self._tickets += 1
        self._probes[self._tickets] = now + self._policy.probe_timeout.total_seconds()
        return self._tickets

    def done(self, ticket: int, verdict: Verdict, elapsed_s: float) -> None:
        """Take a ticket back, with what came of its attempt."""
        if ticket < self._since:
            return
        if self.state is not _CLOSED:
            self._probed(ticket, verdict, elapsed_s)
        elif verdict is _SUCCESS and elapsed_s < self._slow_s:
            self._window.count_well(self._now_s())
        elif verdict is not _IGNORED:
            self._window.count(self._now_s(), failed=verdict is not _SUCCESS, slow=elapsed_s >= self._slow_s)
            if self._too_many():
                self._turn(_OPEN)

    def _probed(self, ticket: int, verdict: Verdict, elapsed_s: float) -> None:
        """Take a probe's permit back; one that says something decides."""
        self._probes.pop(ticket, None)
        if verdict is not _IGNORED:
            well = verdict is _SUCCESS and elapsed_s < self._slow_s
            self._turn(_CLOSED if well else _OPEN)

    def _too_many(self) -> bool:
        policy = self._policy
        calls, failures, slow = self._window.totals()
        return calls >= policy.minimum_calls and (
            failures >= policy.failure_rate * calls or slow >= policy.slow_rate * calls
        )

    def _turn(self, state: BreakerState) -> None:
        """Begin a state: with no probe out, nothing counted, and deaf to what was admitted before."""
        self.state = state
        self._tickets += 1
        self._since = self._tickets
        self._probes = {}
        self._window.forget()
        if state is _OPEN:
            jitter = self._random.uniform(1 - self._policy.jitter, 1 + self._policy.jitter)
            self._reopens_s = self._now_s() + self._policy.open_for.total_seconds() * jitter
        self._listener(BreakerTurnedEvent(self._backend, state))

    def _rejection(self, rest_s: float) -> BreakerOpen:
        return BreakerOpen(self._backend, f"breaker is {self.state}", retry_after=timedelta(seconds=rest_s))
