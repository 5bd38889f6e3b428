"""One branch of a fan-out: the attempts that try to fill one section, until it has an outcome.

Owns the order of the policies for one call; each is told how to start what it holds, and knows nothing of the others:

    Deadline(Retry(Hedge(Breaker(Bulkhead(attempt)))))                                         outermost first

    Deadline   nothing starts after it, and it ends whatever is under way (``fanout.py``)
    Retry      goes through everything inside anew; an open breaker or a full bulkhead is not retried
    Hedge      stands outside the gates, so that every extra attempt needs its own ticket and its own permit
    Breaker    judges each attempt by itself, and gives its ticket before anybody queues for a closed backend
    Bulkhead   innermost: a permit is held exactly as long as its attempt is on the wire

While all is well this is a few plain calls and no coroutine (ADR 7).
"""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from shared.backends.attempt import Attempt
from shared.backends.backend import Backends
from shared.backends.failures import failure_of_bug
from shared.backends.outbound import outbound_headers
from shared.backends.queued import Queued
from shared.backends.sections import Section
from shared.clock import Clock
from shared.errors import BackendUnreachable, BulkheadFull, CallError, DeadlinePassed, DeadlineSpent
from shared.resilience.budget import FanOutBudget
from shared.resilience.deadline import Deadline, left_ms
from shared.resilience.hedge import Done, Hedged, Running
from shared.resilience.priority import Priority
from shared.resilience.retry import retry
from shared.resilience.verdict import Verdict
from shared.telemetry.ledger import Ledger


class Outcome(NamedTuple):
    """What came of a branch: a value, or the error that ended it."""

    value: Any
    error: CallError | None


class Whole(Protocol):
    """What a branch needs of the fan-out that it belongs to."""

    backends: Backends
    clock: Clock
    deadline: Deadline
    authorization: str | None
    ledger: Ledger
    parameters: Mapping[str, str]
    priority: Priority
    budget: FanOutBudget

    def watch(self, attempt: Attempt) -> None:
        """End this attempt when it is due."""

    def settled(self, branch: "Branch") -> None:
        """Learn that this branch has its outcome."""


class Branch:
    """The live part of one section."""

    __slots__ = ("_fan", "_hedged", "_state", "_target", "_task", "_under_way", "outcome", "record", "section")

    def __init__(self, fan: Whole, section: Section[Any]) -> None:
        self._fan = fan
        self._state = fan.backends.state(section.call.backend)
        self._target = ""
        self._hedged = False
        self._under_way: Running | None = None
        self._task: asyncio.Task[None] | None = None
        self.section = section
        self.outcome: Outcome | None = None
        self.record = fan.ledger.section(section.name, fan.clock.now_s())

    @property
    def target(self) -> str:
        """What is asked of the backend. Raises ProblemError for a parameter that fits no target."""
        if not self._target:
            self._target = self.section.call.target(self._fan.parameters)
        return self._target

    def start(self) -> None:
        """Deadline(Retry(Hedge(Breaker(Bulkhead(attempt))))): outermost first; synchronous while all is well."""
        self._target = self.section.call.target(self._fan.parameters)  # before any gate: it may refuse a parameter
        try:
            self._try(self._first_done)
        except CallError as rejected:
            self._settle(None, rejected)

    def give_up(self) -> None:
        """The deadline passed: settle with that, if nothing better came."""
        if self.outcome is None:
            self.close()
            self._settle(None, DeadlinePassed(self.section.call.backend.name))

    def close(self) -> None:
        """Stop whatever is still under way for this section."""
        if self._task is not None:
            self._task.cancel()
        if self._under_way is not None:
            self._under_way.cancel()
        if not self.record.ended_s:
            self.record.ended_s = self._fan.clock.now_s()

    def _settle(self, value: Any, error: CallError | None) -> None:
        if self.outcome is None:
            self.outcome = Outcome(value, error)
            self.record.ended_s = self._fan.clock.now_s()
            self._fan.settled(self)

    def _try(self, done: Done) -> Running:
        """Hedge(Breaker(Bulkhead(attempt))): start one try. A call is hedged once, however often it is tried."""
        delay = self._state.hedge_delay
        if delay is None or self._hedged or not self.section.call.idempotent:
            self._under_way = self._enter(done)
        else:
            self._under_way = Hedged(self._enter, done, delay, self._fan.clock, self._may_hedge)
        return self._under_way

    def _may_hedge(self) -> bool:
        """Tell whether the backend is well and both retry budgets allow one more; that one is then taken."""
        allowance = self._fan.budget.for_backend(self._state.budget)
        self._hedged = self._state.may_hedge() and allowance.take()
        return self._hedged

    def _enter(self, done: Done, *, hedge: bool = False) -> Running:
        """Breaker(Bulkhead(attempt)): send, or queue for a permit. Raises the CallRejected that kept it back."""
        fan, state, name = self._fan, self._state, self.section.call.backend.name
        now = fan.clock.now_s()
        if fan.deadline.passed(now):
            raise DeadlineSpent(name)
        ticket = state.breaker.admit()
        if state.bulkhead.acquire(Priority.PREFETCH if hedge else fan.priority):
            return self._send(now, ticket, done, hedge=hedge)
        if hedge:  # it may be left out, so it never queues
            state.breaker.done(ticket, Verdict.IGNORED, 0.0)
            raise BulkheadFull(name)
        return Queued(
            name, state, ticket, fan.priority, fan.deadline, lambda: self._send(fan.clock.now_s(), ticket, done), done
        )

    def _send(self, now: float, ticket: int, done: Done, *, hedge: bool = False) -> Attempt:
        """Start one attempt with what is left of the time (life of a request, step 6)."""
        fan, call = self._fan, self.section.call
        if not self.record.attempts:
            self._state.budget.record_call()  # what is never sent earns no retry
        record = self.record.attempt(call.backend.name, call.method, now)
        if hedge:
            record.hedge = True
        due_s = min(now + call.backend.policy.attempt_timeout.total_seconds(), fan.deadline.at_s)
        attempt = Attempt(call, self._state, ticket, record, fan.clock, done)
        authorization = fan.authorization if call.backend.credentials else None
        headers = outbound_headers(fan.ledger, record, left_ms(due_s, now), authorization)
        attempt.start(self._target, headers, due_s)
        if not attempt.over:
            fan.watch(attempt)
        return attempt

    def _first_done(self, value: Any, error: CallError | None) -> None:
        if error is None or not self._may_retry(error):
            self._settle(value, error)
        else:
            self._task = asyncio.get_running_loop().create_task(self._retry(error))

    def _may_retry(self, error: CallError) -> bool:
        """Tell whether another attempt may help and cannot do harm: nothing left us, or doing it twice is once."""
        unsent = isinstance(error, BackendUnreachable) and not error.sent
        return error.transient and (self.section.call.idempotent or unsent)

    async def _retry(self, first: CallError) -> None:
        fan = self._fan
        try:
            value = await retry(
                first, self._again, self.section.call.backend.policy.retry, deadline=fan.deadline,
                allowance=fan.budget.for_backend(self._state.budget), clock=fan.clock, random=fan.backends.random,
            )  # fmt: skip
        except CallError as last:
            self._settle(None, last)
        except Exception as bug:  # noqa: BLE001 - nobody waits for this task, and the branch must have its outcome
            self._settle(None, failure_of_bug(self.section.call.backend.name, bug))
        else:
            self._settle(value, None)

    async def _again(self) -> Any:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def done(value: Any, error: CallError | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)

        under_way = self._try(done)
        try:
            return await future
        finally:
            under_way.cancel()
