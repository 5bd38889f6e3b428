"""Waiting for a permit: sent when it comes, rejected in time, and nothing kept by who leaves."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.backends.fanout import Caller
from shared.errors import Reason
from shared.resilience.breaker import BreakerPolicy
from shared.resilience.budget import RetryBudgetPolicy
from shared.resilience.bulkhead import BulkheadPolicy
from shared.resilience.priority import Priority
from shared.testing.clock import settle
from shared.testing.scripted import status
from tests.shared.backends.meeting import NOW, OK, ONCE, PATIENT, RESERVE_S, Meeting
from tests.shared.backends.screen import Item


async def test_a_call_that_waited_for_its_permit_is_sent_when_it_comes() -> None:
    """Its attempt begins then, with the time that is left; the record shows no time on the wire before."""
    meeting = Meeting(OK.after(0.2), bulkhead=BulkheadPolicy(max_concurrent=1))
    meeting.state.bulkhead.acquire()
    work = meeting.begin()
    await meeting.world.clock.advance(0.03)
    assert (meeting.sent, meeting.state.bulkhead.waiting) == (0, 1)

    meeting.state.bulkhead.release()
    await meeting.world.clock.advance(0.2)

    assert (await work).orders == Item(id=1)
    (attempt,) = meeting.world.ledger.sections[0].attempts
    assert attempt.started_s == pytest.approx(1000.03)
    meeting.world.assert_nothing_left()


async def test_a_call_that_waited_too_long_is_rejected_and_never_sent() -> None:
    """After 50 ms; no retry, no attempt in the record, nothing earned for the retry budget."""
    earning = RetryBudgetPolicy(ratio=1.0, minimum=0)
    meeting = Meeting(OK, bulkhead=BulkheadPolicy(max_concurrent=1), budget=earning)
    meeting.state.bulkhead.acquire()

    assert await meeting.ask() == (None, Reason.REJECTED, 0.05)
    assert meeting.sent == 0
    assert meeting.world.ledger.sections[0].attempts == []
    assert not meeting.state.budget.take()


async def test_a_call_never_waits_past_its_deadline() -> None:
    """Every branch in a queue, no attempt that a timer watches: answered by the deadline all the same."""
    meeting = Meeting(OK, bulkhead=BulkheadPolicy(max_concurrent=1, max_wait=timedelta(seconds=9)))
    meeting.state.bulkhead.acquire()

    assert await meeting.ask(budget_s=0.5) == (None, Reason.DEADLINE, 0.5 - RESERVE_S)
    meeting.state.bulkhead.release()
    meeting.world.assert_nothing_left()


async def test_a_client_that_leaves_the_queue_takes_its_probe_ticket_along() -> None:
    """Field case S5 in the queue: half-open, waiting for a permit, gone. The next call is admitted."""
    probing = BreakerPolicy(minimum_calls=2, jitter=0.0, probes=1, probe_timeout=PATIENT)
    meeting = Meeting(status(500), status(500), OK, breaker=probing, bulkhead=BulkheadPolicy(max_concurrent=1))
    await meeting.trip()
    await meeting.world.clock.advance(5)
    meeting.state.bulkhead.acquire()
    work = meeting.begin()
    await meeting.world.clock.advance(0.01)
    assert (meeting.state.breaker.probing, meeting.state.bulkhead.waiting) == (1, 1)

    work.cancel()
    await settle()
    meeting.state.bulkhead.release()

    assert (meeting.state.breaker.probing, meeting.state.bulkhead.waiting) == (0, 0)
    assert (await meeting.ask())[0] == Item(id=1)
    meeting.world.assert_nothing_left()


async def test_under_load_a_prefetch_goes_first() -> None:
    """The queue is full of prefetches; a person takes the place of one, and is served before all of them."""
    narrow = BulkheadPolicy(max_concurrent=1, max_waiting=2)
    meeting = Meeting(OK.after(0.01), bulkhead=narrow)
    meeting.state.bulkhead.acquire()
    prefetching = Caller(scope="app\nalice", priority=Priority.PREFETCH)
    prefetches = [meeting.begin(caller=prefetching) for _ in range(2)]
    await asyncio.sleep(0)
    person = meeting.begin()
    await settle()

    assert prefetches[1].done()
    assert prefetches[1].result().degraded[0].reason is Reason.REJECTED
    meeting.state.bulkhead.release()
    await meeting.world.clock.advance(0.01)
    assert [person.done(), prefetches[0].done()] == [True, False]
    await meeting.world.clock.advance(0.01)
    assert prefetches[0].result().degraded == ()
    assert meeting.state.bulkhead.in_flight == 0


async def test_a_channel_that_raises_in_a_retry_does_not_leave_the_answer_waiting() -> None:
    """The section is missing, and the loop hears of the bug."""
    meeting = Meeting(status(503), retry=NOW)
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    work = meeting.begin()
    await asyncio.sleep(0)
    meeting.channel.send = lambda *_: 1 / 0  # type: ignore[method-assign]
    await meeting.world.clock.advance(0.0)

    assert (await work).degraded[0].reason is Reason.UNREACHABLE
    assert [type(one["exception"]) for one in told] == [ZeroDivisionError]


async def test_a_channel_that_raises_harms_only_its_own_call() -> None:
    """Not the request that gave the permit back, on whose stack the waiting call is sent."""
    meeting = Meeting(OK, bulkhead=BulkheadPolicy(max_concurrent=1), retry=ONCE)
    meeting.state.bulkhead.acquire()
    work = meeting.begin()
    await settle()
    meeting.channel.send = lambda *_: 1 / 0  # type: ignore[method-assign]
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    meeting.state.bulkhead.release()
    got = await work

    assert got.degraded[0].reason is Reason.UNREACHABLE
    assert meeting.state.bulkhead.in_flight == 0
    assert [type(one["exception"]) for one in told] == [ZeroDivisionError]
