"""``Deadline(Retry(Hedge(Breaker(Bulkhead(attempt)))))``: what each layer does to the ones inside it, by name."""

import asyncio
from datetime import timedelta

import pytest

from shared.backends.sections import nullable, required
from shared.errors import Reason, SectionUnavailable
from shared.resilience.breaker import BreakerPolicy, BreakerState
from shared.resilience.bulkhead import BulkheadPolicy
from shared.resilience.hedge import HedgePolicy
from shared.resilience.retry import RetryPolicy
from shared.testing.clock import settle
from shared.testing.scripted import hang, status
from tests.shared.backends.meeting import HEDGE, NOW, OK, PATIENT, RESERVE_S, SECOND, TOUCHY, Meeting
from tests.shared.backends.screen import Item


async def test_while_all_is_well_no_task_is_made_and_every_gate_is_passed_once() -> None:
    """Synchronous: the request is written before the fan-out first waits."""
    meeting = Meeting(OK.after(1), hedge=HedgePolicy(after=timedelta(seconds=5)), attempt_timeout=PATIENT)
    work = meeting.begin()
    await asyncio.sleep(0)

    assert (meeting.sent, meeting.state.bulkhead.in_flight) == (1, 1)
    assert asyncio.all_tasks() == {work, asyncio.current_task()}
    await meeting.world.clock.advance(1)
    assert (await work).degraded == ()
    meeting.world.assert_nothing_left()


async def test_the_deadline_ends_everything_inside_it() -> None:
    """Two attempts of a hedge under way, a retry to come: all over at the deadline, nothing runs on."""
    meeting = Meeting(hang(), hedge=HEDGE, attempt_timeout=PATIENT, retry=RetryPolicy(max_attempts=5))

    assert await meeting.ask(budget_s=1.0) == (None, Reason.DEADLINE, 1.0 - RESERVE_S)
    assert (meeting.sent, meeting.channel.aborted) == (2, 2)
    meeting.world.assert_nothing_left()


async def test_without_time_no_gate_is_asked() -> None:
    """An open breaker is not turned half-open by a call that cannot be sent anyway."""
    meeting = Meeting(status(500), breaker=TOUCHY)
    await meeting.trip()
    await meeting.world.clock.advance(5)

    assert (await meeting.ask(budget_s=RESERVE_S))[1] is Reason.DEADLINE
    assert meeting.state.breaker.state is BreakerState.OPEN


async def test_a_retry_goes_through_every_gate_again() -> None:
    """It has a permit and a ticket of its own: the breaker counts two failures for one call."""
    meeting = Meeting(status(503), retry=NOW, breaker=TOUCHY)

    await meeting.ask()

    assert meeting.sent == 2
    assert meeting.state.breaker.state is BreakerState.OPEN
    meeting.world.assert_nothing_left()


async def test_an_open_breaker_is_not_retried() -> None:
    """Rejected at once, nothing sent, no budget spent; the client is told the rest of the open time."""
    meeting = Meeting(status(500), retry=NOW, breaker=TOUCHY, declare=nullable)
    await meeting.trip()
    await meeting.world.clock.advance(1.5)

    got = await meeting.world.run(meeting.screen)

    (gap,) = got.degraded
    assert (gap.reason, gap.retry_after_seconds) == (Reason.REJECTED, 4)  # 3.5 s, in whole seconds
    assert meeting.sent == 2
    assert meeting.world.ledger.sections[0].attempts == []
    meeting.world.assert_nothing_left()


async def test_a_required_section_behind_an_open_breaker_is_a_503_with_retry_after() -> None:
    """``overloaded``: never sent, so never 502."""
    meeting = Meeting(status(500), breaker=TOUCHY, declare=required)
    for _ in range(3):
        with pytest.raises(SectionUnavailable) as missing:
            await meeting.world.run(meeting.screen)

    assert (missing.value.status, missing.value.retry_after) == (503, timedelta(seconds=5))


async def test_a_breaker_that_opens_between_two_tries_ends_the_call() -> None:
    """The retry meets it and is rejected."""
    meeting = Meeting(status(503), retry=NOW, breaker=BreakerPolicy(minimum_calls=1))

    assert (await meeting.ask())[1] is Reason.REJECTED
    assert meeting.sent == 1


async def test_a_hedge_is_inside_a_retry() -> None:
    """Both attempts of the first try fail; only then is it tried again, and not hedged a second time."""
    meeting = Meeting(status(503).after(0.3), status(503).after(0.2), OK.after(0.3), hedge=HEDGE, retry=NOW)

    assert await meeting.ask() == (Item(id=1), None, 0.6)
    attempts = meeting.world.ledger.sections[0].attempts
    assert [(one.number, one.hedge, one.status) for one in attempts] == [
        (1, False, 503),
        (2, True, 503),
        (3, False, 200),
    ]
    meeting.world.assert_nothing_left()


async def test_a_hedge_needs_its_own_permit() -> None:
    """One permit, taken by the first attempt: no second one, and nobody is kept waiting for it."""
    meeting = Meeting(OK.after(0.3), SECOND, hedge=HEDGE, bulkhead=BulkheadPolicy(max_concurrent=1))

    assert await meeting.ask() == (Item(id=1), None, 0.3)
    assert meeting.sent == 1
    assert meeting.state.budget.take()
    meeting.world.assert_nothing_left()


async def test_a_hedge_has_its_own_permit() -> None:
    """While both run, two are taken."""
    meeting = Meeting(hang(), hedge=HEDGE)
    work = meeting.begin()
    await meeting.world.clock.advance(0.1)

    assert meeting.state.bulkhead.in_flight == 2
    work.cancel()
    await settle()
    meeting.world.assert_nothing_left()


async def test_a_saturated_backend_is_not_hedged() -> None:
    """Three of four permits taken by others and this one: extra load is for a backend that is well."""
    meeting = Meeting(OK.after(0.3), SECOND, hedge=HEDGE, bulkhead=BulkheadPolicy(max_concurrent=4))
    for _ in range(2):
        meeting.state.bulkhead.acquire()

    assert await meeting.ask() == (Item(id=1), None, 0.3)
    assert meeting.sent == 1


async def test_a_backend_that_is_being_probed_is_not_hedged() -> None:
    """Half-open: one ticket asked for, one taken."""
    meeting = Meeting(status(500), status(500), OK.after(0.3), hedge=HEDGE, breaker=TOUCHY)
    await meeting.trip()
    await meeting.world.clock.advance(5)

    assert await meeting.ask() == (Item(id=1), None, 0.3)
    assert meeting.sent == 3
    assert meeting.state.breaker.state is BreakerState.CLOSED


async def test_each_attempt_of_a_hedge_is_judged_by_the_breaker() -> None:
    """Two failures for one call open a breaker that needs two."""
    meeting = Meeting(status(500).after(0.3), hedge=HEDGE, breaker=TOUCHY)

    await meeting.ask()

    assert meeting.state.breaker.state is BreakerState.OPEN


async def test_the_breaker_is_asked_before_the_bulkhead() -> None:
    """Nobody queues for a backend that is closed to everyone."""
    meeting = Meeting(status(500), breaker=TOUCHY, bulkhead=BulkheadPolicy(max_concurrent=1))
    await meeting.trip()
    meeting.state.bulkhead.acquire()

    assert await meeting.ask() == (None, Reason.REJECTED, 0.0)
    assert meeting.state.bulkhead.waiting == 0


async def test_a_full_bulkhead_is_no_verdict_on_the_backend() -> None:
    """The breaker's ticket comes back unjudged: ours to shed is not theirs to pay."""
    meeting = Meeting(OK, breaker=TOUCHY, bulkhead=BulkheadPolicy(max_concurrent=1, max_waiting=0))
    meeting.state.bulkhead.acquire()
    for _ in range(10):
        assert (await meeting.ask())[1] is Reason.REJECTED

    assert meeting.state.breaker.state is BreakerState.CLOSED
