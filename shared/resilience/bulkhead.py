"""The bulkhead: how many calls to one backend may be in flight, so that one slow backend cannot take every slot.

Owns the permits and the queue for them. All is synchronous: who must wait leaves two callbacks, and whoever gives a
permit back hands it on. The most important waits at the front; when the queue is full, the least important is shed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from shared.clock import Clock, Timer
from shared.errors import BulkheadFull, CallRejected, DeadlineSpent
from shared.resilience.deadline import Deadline
from shared.resilience.limit import Limit, LimitPolicy
from shared.resilience.priority import Priority, ceilings
from shared.resilience.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkheadPolicy:
    """How many calls to one backend may be in flight from one process, and how many others may wait, how long."""

    # By Little's law 128 in flight at 50 ms each are 2,560 calls a second: above what one process can send.
    max_concurrent: int = 128
    # Half as many as are in flight: they all have their turn within half a usual call.
    max_waiting: int = 64
    # One usual call: a burst is over by then, and what lasts longer is overload, which waiting makes worse.
    max_wait: timedelta = timedelta(milliseconds=50)
    # None: the limit is what ``max_concurrent`` says.
    adaptive: LimitPolicy | None = None


class Waiter:
    """A place in the queue. Exactly one of the two callbacks is called, or neither after ``leave``."""

    __slots__ = ("_bulkhead", "deadline", "granted", "priority", "refused", "timer", "until_s")

    timer: Timer

    def __init__(
        self, bulkhead: "Bulkhead", priority: Priority, deadline: Deadline, until_s: float,
        granted: Callable[[], None], refused: Callable[[CallRejected], None],
    ) -> None:  # fmt: skip
        self._bulkhead = bulkhead
        self.priority = priority
        self.deadline = deadline
        self.until_s = until_s
        self.granted = granted
        self.refused = refused

    def leave(self) -> None:
        """Wait no longer."""
        self._bulkhead.remove(self)


class Bulkhead:
    """The live permits of one backend."""

    __slots__ = ("_backend", "_ceilings", "_clock", "_learning", "_policy", "_queues", "in_flight", "limit", "waiting")

    def __init__(self, backend: str, policy: BulkheadPolicy, clock: Clock) -> None:
        self._backend = backend
        self._policy = policy
        self._clock = clock
        self._learning = Limit(policy.adaptive, policy.max_concurrent, clock) if policy.adaptive else None
        self._queues: tuple[dict[Waiter, None], ...] = tuple({} for _ in Priority)
        self.in_flight = 0
        self.waiting = 0
        self.resize(self._learning.value if self._learning else policy.max_concurrent)

    def resize(self, limit: int) -> None:
        """Set how many permits there are; those that are out beyond it come back in their own time."""
        self.limit = limit
        self._ceilings = ceilings(limit)

    @property
    def saturated(self) -> bool:
        """Whether what is optional (a hedge) has to stay away."""
        return self.waiting > 0 or self.in_flight >= self._ceilings[Priority.PREFETCH]

    def acquire(self, priority: Priority = Priority.USER) -> bool:
        """Take a permit; False, and nothing taken, when this priority has none left."""
        # Nobody is overtaken by an equal: while one waits, ``in_flight`` stands at its ceiling (``_admit``).
        if self.in_flight >= self._ceilings[priority]:
            return False
        self.in_flight += 1
        return True

    def wait(
        self, priority: Priority, deadline: Deadline, granted: Callable[[], None],
        refused: Callable[[CallRejected], None],
    ) -> Waiter:  # fmt: skip
        """Queue for a permit after ``acquire`` said no. Raises BulkheadFull when there is no place in the queue."""
        if not self.in_flight:  # nobody is there who could give one back
            raise self._full()
        if self.waiting >= self._policy.max_waiting:
            self._shed_below(priority)
        now = self._clock.now_s()
        until_s = min(now + self._policy.max_wait.total_seconds(), deadline.at_s)
        waiter = Waiter(self, priority, deadline, until_s, granted, refused)
        waiter.timer = self._clock.call_later(max(0.0, until_s - now), self._refuse, waiter)
        self._queues[priority][waiter] = None
        self.waiting += 1
        return waiter

    def release(self, verdict: Verdict = Verdict.IGNORED, elapsed_s: float = 0.0) -> None:
        """Give a permit back, with what came of its call; hand it on if somebody waits."""
        if self._learning is not None:
            self.resize(self._learning.learn(verdict, elapsed_s, self.in_flight))
        self.in_flight -= 1
        if self.waiting:
            self._admit()

    def remove(self, waiter: Waiter) -> None:
        """Take a waiter out of the queue, if it is still there."""
        waiter.timer.cancel()
        if waiter in self._queues[waiter.priority]:
            del self._queues[waiter.priority][waiter]
            self.waiting -= 1

    def _admit(self) -> None:
        """Hand out what is free: to the most important first, and among equals to who came first."""
        for priority, queue in zip(Priority, self._queues, strict=True):
            while queue and self.in_flight < self._ceilings[priority]:
                waiter = next(iter(queue))
                if waiter.until_s <= self._clock.now_s():  # its timer is due and has not fired yet
                    self._refuse(waiter)
                    continue
                self.remove(waiter)
                self.in_flight += 1
                waiter.granted()

    def _shed_below(self, priority: Priority) -> None:
        """Make room for one of this priority: of the least important, who came last has waited for least."""
        lowest = max(one for one in Priority if self._queues[one]) if self.waiting else priority
        if lowest <= priority:
            raise self._full()
        self._refuse(next(reversed(self._queues[lowest])))

    def _refuse(self, waiter: Waiter) -> None:
        self.remove(waiter)
        late = waiter.deadline.passed(self._clock.now_s())
        waiter.refused(DeadlineSpent(self._backend) if late else self._full())

    def _full(self) -> BulkheadFull:
        return BulkheadFull(self._backend, f"{self.in_flight} calls are in flight, {self.waiting} wait")
