"""One branch of a fan-out: the attempts that try to fill one section, until it has an outcome.

Owns the order ``Retry(Bulkhead(attempt))`` for one call. When the whole must end is ``fanout.py``'s business.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from shared.backends.attempt import Attempt
from shared.backends.backend import Backends
from shared.backends.channel import Headers
from shared.backends.sections import Section
from shared.clock import Clock
from shared.errors import BackendUnreachable, CallError, DeadlinePassed, DeadlineSpent
from shared.resilience.budget import FanOutBudget
from shared.resilience.deadline import HEADER, Deadline, left_ms
from shared.resilience.retry import retry
from shared.telemetry.ledger import AttemptRecord, Ledger


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
    budget: FanOutBudget

    def watch(self, attempt: Attempt) -> None:
        """End this attempt when it is due."""

    def settled(self, branch: "Branch") -> None:
        """Learn that this branch has its outcome."""


class Branch:
    """The live part of one section."""

    __slots__ = ("_attempt", "_fan", "_state", "_target", "_task", "outcome", "record", "section")

    def __init__(self, fan: Whole, section: Section[Any]) -> None:
        self._fan = fan
        self._state = fan.backends.state(section.call.backend)
        self._attempt: Attempt | None = None
        self._task: asyncio.Task[None] | None = None
        self._target = ""
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
        """Send the first attempt, or settle with the reason why not."""
        try:
            self._send(self._first_done)
        except CallError as rejected:
            self._settle(None, rejected)
        else:
            self._state.budget.record_call()  # what was never sent earns no retry

    def give_up(self) -> None:
        """The deadline passed: settle with that, if nothing better came."""
        if self.outcome is None:
            self.close()
            self._settle(None, DeadlinePassed(self.section.call.backend.name))

    def close(self) -> None:
        """Stop whatever is still under way for this section."""
        if self._task is not None:
            self._task.cancel()
        if self._attempt is not None and not self._attempt.over:
            self._attempt.cancel()
        if not self.record.ended_s:
            self.record.ended_s = self._fan.clock.now_s()

    def _settle(self, value: Any, error: CallError | None) -> None:
        if self.outcome is None:
            self.outcome = Outcome(value, error)
            self.record.ended_s = self._fan.clock.now_s()
            self._fan.settled(self)

    def _send(self, done: Callable[[Any, CallError | None], None]) -> Attempt:
        """Start one attempt with what is left of the time (life of a request, step 6)."""
        fan, call = self._fan, self.section.call
        now = fan.clock.now_s()
        if fan.deadline.passed(now):
            raise DeadlineSpent(call.backend.name)
        target = self.target
        self._state.bulkhead.acquire()
        record = self.record.attempt(call.backend.name, call.method, now)
        due_s = min(now + call.backend.policy.attempt_timeout.total_seconds(), fan.deadline.at_s)
        attempt = self._attempt = Attempt(call, self._state, record, fan.clock, done)
        attempt.start(target, self._headers(record, left_ms(due_s, now)), due_s)
        if not attempt.over:
            fan.watch(attempt)
        return attempt

    def _headers(self, record: AttemptRecord, left_ms: int) -> Headers:
        fan = self._fan
        headers = [
            ("accept", "application/json"),
            ("traceparent", fan.ledger.traceparent(record.span_id)),
            (HEADER, str(left_ms)),
        ]
        if fan.ledger.origin.tracestate:
            headers.append(("tracestate", fan.ledger.origin.tracestate))
        if fan.ledger.request_id:
            headers.append(("x-request-id", fan.ledger.request_id))
        if self.section.call.backend.credentials and fan.authorization is not None:
            headers.append(("authorization", fan.authorization))
        return tuple(headers)

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

        attempt = self._send(done)
        try:
            return await future
        finally:
            attempt.cancel()
