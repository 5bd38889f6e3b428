"""One branch of a fan-out: the attempts that try to fill one section, until it has an outcome.

Owns the order of the policies for one call; each is told how to start what it holds, and knows nothing of the others:

    Recall(Deadline(Retry(Hedge(Coalesce(Breaker(Bulkhead(attempt)))))))                       outermost first

    Recall     what is remembered and still holds is not asked for (``recall.py``)
    Deadline   nothing starts after it, and it ends whatever is under way (``fanout.py``)
    Retry      goes through everything inside anew; an open breaker or a full bulkhead is not retried
    Hedge      stands outside the gates, so that every extra attempt needs its own ticket and its own permit
    Coalesce   waits for an identical read that is under way, and then needs no gate; a hedge never does (ADR 8)
    Breaker    judges each attempt by itself, and gives its ticket before anybody queues for a closed backend
    Bulkhead   innermost: a permit is held exactly as long as its attempt is on the wire

While all is well this is a few plain calls and no coroutine (ADR 7).
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from shared.backends.attempt import Attempt
from shared.backends.channel import OutboundRequest
from shared.backends.coalesce import Seat
from shared.backends.content import NO_CONTENT
from shared.backends.ended import ended
from shared.backends.failures import failure_of_bug, withdraws
from shared.backends.lookup import LookUp
from shared.backends.queued import Queued
from shared.backends.recall import RENEWING, Recall
from shared.backends.sections import Section
from shared.backends.whole import Outcome, Whole
from shared.errors import BackendUnreachable, BulkheadFull, CallError, DeadlinePassed, DeadlineSpent
from shared.resilience.hedge import Done, Hedged, Running
from shared.resilience.priority import Priority
from shared.resilience.retry import retry
from shared.resilience.verdict import Verdict


class Branch:
    """The live part of one section."""

    # What most branches never change is the class's: to set it anew in each would cost more than the rest.
    _hedged = False
    _under_way: Running | None = None
    _looking: LookUp | None = None
    _task: asyncio.Task[None] | None = None
    outcome: Outcome | None = None
    recall: Recall | None = None

    def __init__(self, fan: Whole, section: Section[Any], now_s: float) -> None:
        self._fan = fan
        live = self._live = fan.backends.live(section.call)
        self._state = live.state
        self.section = section
        self.record = fan.ledger.section(section.name, now_s)

    def start(self, parameters: Mapping[str, str]) -> None:
        """Recall(Deadline(Retry(Hedge(…)))): outermost first; synchronous while all is well."""
        fan, section = self._fan, self.section
        call, backends = section.call, fan.backends
        target = self._target = call.target(parameters)  # before any gate: it may refuse a parameter
        key = self._key = backends.key_of(call, target, fan.scope, fan.authorization)
        if call.cache is not None or section.stale_for is not None:
            recall = self.recall = Recall(self._live, key, backends, stale_for=section.stale_for)
            if not fan.renewing:
                if recall.entry is not None and self._remembered(recall, parameters):
                    return
                if backends.stored is not None and self._waits_for_store(recall, parameters):
                    return
        self._first_try()

    def _first_try(self) -> None:
        try:
            if self._state.hedge_delay is None:  # most calls
                self._under_way = self._enter(self._first_done)
            else:
                self._try(self._first_done)
        except CallError as rejected:
            self._settle(None, rejected)

    def _waits_for_store(self, recall: Recall, parameters: Mapping[str, str]) -> bool:
        """Ask the store for what is not remembered here; the call itself waits for that only if it could spare it."""
        self._looking = recall.look_up(self._fan.deadline.at_s - self._fan.clock.now_s())
        if self._looking is None or self.section.call.cache is None:
            return False

        def told() -> None:
            try:
                if not self._remembered(recall, parameters):
                    self._first_try()
            except Exception as bug:  # noqa: BLE001 - there is nobody here to raise it to
                self._settle(None, failure_of_bug(self.section.call.backend.name, bug))

        self._looking.then = told
        return True

    def _remembered(self, recall: Recall, parameters: Mapping[str, str]) -> bool:
        """Settle with a remembered answer, if one may be used; renew it behind when it is no longer fresh."""
        self.record.served = recall.usable()
        if not self.record.served or recall.entry is None:
            return False
        if self.record.served == RENEWING:
            self._fan.renew(self.section, self._key, parameters)
        self._settle(recall.entry.value, None)
        return True

    def give_up(self) -> None:
        """The deadline passed: settle with that, if nothing better came."""
        self.miss(DeadlinePassed(self.section.call.backend.name))

    def miss(self, error: CallError) -> None:
        """Settle with an error that comes from outside, if nothing better came."""
        if self.outcome is None:
            self.close()
            self._settle(None, error)

    def close(self) -> None:
        """Stop whatever is still under way for this section."""
        if self._task is not None:
            self._task.cancel()
        if self._under_way is not None:
            self._under_way.cancel()
        if self._looking is not None:
            self._looking.cancel()
        if not self.record.ended_s:
            self.record.ended_s = self._fan.clock.now_s()

    def _settle(self, value: Any, error: CallError | None) -> None:
        if self.outcome is not None:
            return
        if self._looking is not None and self._looking.holds_back(error, lambda: self._settle(value, error)):
            return
        self.outcome = Outcome(value, error)
        self.record.ended_s = self._fan.clock.now_s()
        if error is not None and self.record.attempts and withdraws(error):  # not what it depends on missed
            self._fan.backends.forget(self._key)
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
        """Coalesce(Breaker(Bulkhead(attempt))): join, send, or queue. Raises the CallRejected that kept it back."""
        fan, live, state = self._fan, self._live, self._state
        now = fan.clock.now_s()
        if fan.deadline.passed(now):
            raise DeadlineSpent(live.backend)
        if live.coalesce and not hedge and self._key in fan.backends.flights and (seat := self._join(now, done)):
            return seat
        ticket = state.breaker.admit()
        if state.bulkhead.acquire(Priority.PREFETCH if hedge else fan.priority):
            return self._send(now, ticket, done, hedge=hedge)
        if hedge:  # it may be left out, so it never queues
            state.breaker.done(ticket, Verdict.IGNORED, 0.0)
            raise BulkheadFull(live.backend)
        return Queued(
            live.backend,
            state,
            ticket,
            fan.priority,
            fan.deadline,
            lambda: self._send(fan.clock.now_s(), ticket, done),
            done,
        )

    def _join(self, now: float, done: Done) -> Seat | None:
        """Wait for an identical read, if one is under way that has time enough."""
        fan, live = self._fan, self._live
        due_s = min(now + live.attempt_s, fan.deadline.at_s)
        attempt = fan.backends.flights.find(self._key, now, due_s)
        if attempt is None:
            return None
        record = self.record.attempt(live.backend, live.method, now, attempt.sent_as)
        seat = attempt.board(record, due_s, done)
        fan.watch(seat)
        return seat

    def _send(self, now: float, ticket: int, done: Done, *, hedge: bool = False) -> Attempt:
        """Start one attempt with what is left of the time (life of a request, step 6)."""
        fan, live, recall = self._fan, self._live, self.recall
        if not self.record.attempts:
            self._state.budget.record_call()  # what is never sent earns no retry
        record = self.record.attempt(live.backend, live.method, now)
        if hedge:
            record.hedge = True
        due_s = min(now + live.attempt_s, fan.deadline.at_s)
        fields = fan.outbound.fields(record.span_id, due_s, now, credentials=live.credentials)
        if recall is not None:
            recall.asked_s = now
            if recall.entry is not None:
                fields += recall.validators()
        body = b""
        if fan.contents:
            body, more = fan.contents.get(self.section.attribute, NO_CONTENT)
            fields += more
        attempt = Attempt(live, ticket, record, due_s, fan.clock, done, recall)
        attempt.start(OutboundRequest(live.method, self._target, fields, body, live.idempotent, live.max_body_bytes))
        if not attempt.over:
            fan.watch(attempt)
            if live.coalesce and not hedge:
                attempt.open_to_others(fan.backends.flights, self._key, fan.ledger.origin)
        return attempt

    def _first_done(self, value: Any, error: CallError | None) -> None:
        if error is None:
            self._under_way = None  # nothing is left to be closed
            self._settle(value, None)
        elif not self._may_retry(error):
            self._settle(None, error)
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
        return await ended(self._try)
