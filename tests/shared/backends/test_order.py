"""``Deadline(Retry(Hedge(Breaker(Bulkhead(attempt)))))``: what each layer does to the ones inside it, by name.

And the field cases of breaker and hedge, through a whole fan-out, to the millisecond of a hand-turned clock.
"""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.backends.backend import Backend, BackendState, Call
from shared.backends.fanout import COMPOSE_RESERVE, Caller
from shared.backends.sections import Sections, nullable, required
from shared.errors import BackendUnreachable, Reason, SectionUnavailable
from shared.resilience.breaker import BreakerPolicy, BreakerState
from shared.resilience.budget import RetryBudgetPolicy
from shared.resilience.bulkhead import BulkheadPolicy
from shared.resilience.hedge import HedgePolicy
from shared.resilience.priority import Priority
from shared.resilience.retry import RetryPolicy
from shared.testing.clock import settle
from shared.testing.scripted import Scripted, Step, broken, hang, reply, status
from tests.shared.backends.screen import Item, World, backend

OK, SECOND = reply({"id": 1}), reply({"id": 2})
ONCE = RetryPolicy(max_attempts=1)
NOW = RetryPolicy(max_attempts=2, first_wait=timedelta(0))
HEDGE = HedgePolicy(after=timedelta(milliseconds=100))
TOUCHY = BreakerPolicy(minimum_calls=2, jitter=0.0)
PATIENT = timedelta(seconds=60)
RESERVE_S = COMPOSE_RESERVE.total_seconds()


class Meeting:
    """One section from one backend called ``orders``, and what came of asking for it."""

    def __init__(self, *steps: Step, declare: Any = nullable, method: str = "GET", **policy: Any) -> None:
        self.backend: Backend = backend("orders", **policy)
        self.channel = Scripted(*steps)
        self.world = World({self.backend: self.channel})
        call = Call(self.backend, method, "/orders", Item.model_validate_json)
        self.screen = type("Screen", (Sections,), {"orders": declare(call)})

    @property
    def state(self) -> BackendState:
        return self.world.backends.state(self.backend)

    @property
    def sent(self) -> int:
        return len(self.channel.requests)

    async def ask(self, **fields: Any) -> tuple[Any, Reason | None, float]:
        """Return the section's value, why it is missing, and how long it took."""
        began = self.world.clock.now_s()
        got = await self.world.run(self.screen, **fields)
        took = round(self.world.clock.now_s() - began, 6)
        return got.orders, got.degraded[0].reason if got.degraded else None, took

    def begin(self, **fields: Any) -> asyncio.Task[Any]:
        return asyncio.ensure_future(self.world.fetch(self.screen, **fields))

    async def trip(self) -> None:
        """Let two calls fail, so that a touchy breaker opens."""
        for _ in range(2):
            await self.ask()
        assert self.state.breaker.state is BreakerState.OPEN


# The order


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


# In the queue


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


# Field cases


async def test_case_s5_a_cancelled_probe_does_not_lock_a_backend_out() -> None:
    """Trip, wait, probe, leave: the next call is admitted, and its success closes."""
    probing = BreakerPolicy(minimum_calls=2, jitter=0.0, probes=1)
    meeting = Meeting(status(500), status(500), hang(), OK, breaker=probing)
    await meeting.trip()
    await meeting.world.clock.advance(5)
    work = meeting.begin()
    await meeting.world.clock.advance(0.1)
    assert meeting.state.breaker.probing == 1
    assert (await meeting.ask())[1] is Reason.REJECTED

    work.cancel()
    await settle()

    assert meeting.state.breaker.state is BreakerState.HALF_OPEN
    assert await meeting.ask() == (Item(id=1), None, 0.0)
    assert meeting.state.breaker.state is BreakerState.CLOSED


async def test_case_s5_a_probe_that_hangs_does_not_lock_a_backend_out() -> None:
    """Attempts may take a minute here, probes two seconds: then the next call is admitted."""
    probing = BreakerPolicy(minimum_calls=2, jitter=0.0, probes=1)
    meeting = Meeting(status(500), status(500), hang(), OK, breaker=probing, attempt_timeout=PATIENT)
    await meeting.trip()
    await meeting.world.clock.advance(5)
    hanging = meeting.begin(budget_s=60)
    await meeting.world.clock.advance(1.999)
    assert (await meeting.ask())[1] is Reason.REJECTED

    await meeting.world.clock.advance(0.001)

    assert (await meeting.ask())[0] == Item(id=1)
    assert meeting.state.breaker.state is BreakerState.CLOSED
    hanging.cancel()
    await settle()
    assert meeting.state.breaker.state is BreakerState.CLOSED


@pytest.mark.parametrize("code", [404, 400, 401, 422])
async def test_case_s6_client_errors_do_not_open_the_breaker(code: int) -> None:
    """Fifty of them from a healthy backend."""
    meeting = Meeting(status(code), breaker=TOUCHY)
    for _ in range(50):
        await meeting.ask()

    assert meeting.state.breaker.state is BreakerState.CLOSED
    assert meeting.sent == 50


async def test_case_s6_client_errors_in_between_do_not_keep_it_closed() -> None:
    """Ten 500 open it, with or without a 400 after each."""
    mixed = [step for _ in range(10) for step in (status(500), status(400))]
    meeting = Meeting(*mixed, breaker=BreakerPolicy(minimum_calls=10))
    for _ in range(18):
        await meeting.ask()
    assert meeting.state.breaker.state is BreakerState.CLOSED

    await meeting.ask()

    assert meeting.state.breaker.state is BreakerState.OPEN


async def test_case_s6_a_client_error_leaves_a_probing_breaker_half_open() -> None:
    """Neither closed by it nor opened."""
    meeting = Meeting(status(500), status(500), status(400), breaker=TOUCHY)
    await meeting.trip()
    await meeting.world.clock.advance(5)

    await meeting.ask()

    assert (meeting.state.breaker.state, meeting.state.breaker.probing) == (BreakerState.HALF_OPEN, 0)


async def test_a_client_cannot_close_a_backend_to_others_by_its_own_short_deadline() -> None:
    """``x-deadline-ms: 30`` against a backend that takes longer: no verdict."""
    meeting = Meeting(OK.after(0.1), breaker=TOUCHY)
    for _ in range(50):
        assert (await meeting.ask(budget_s=0.03))[1] is Reason.DEADLINE

    assert meeting.state.breaker.state is BreakerState.CLOSED


async def test_case_s11_a_the_hedge_wins_and_the_primary_is_closed_at_once() -> None:
    """Primary 300 ms, hedge after 100 takes 50: answered at 150 ms; the primary sees the close, its slot is free."""
    meeting = Meeting(OK.after(0.3), SECOND.after(0.05), hedge=HEDGE)

    assert await meeting.ask() == (Item(id=2), None, 0.15)
    assert [one.aborted for one in meeting.channel.exchanges] == [True, False]
    assert meeting.state.bulkhead.in_flight == 0
    primary, hedge = meeting.world.ledger.sections[0].attempts
    assert (primary.hedge, primary.cancelled, primary.ended_s) == (False, True, pytest.approx(1000.15))
    assert (hedge.hedge, hedge.cancelled, hedge.status) == (True, False, 200)
    meeting.world.assert_nothing_left()


async def test_case_s11_b_a_fast_error_does_not_win() -> None:
    """The hedge answers 500 at once, the primary 200 at 300 ms: the 200."""
    meeting = Meeting(OK.after(0.3), status(500), hedge=HEDGE)

    assert await meeting.ask() == (Item(id=1), None, 0.3)
    meeting.world.assert_nothing_left()


async def test_case_s11_c_a_post_is_never_hedged() -> None:
    """Exactly one call, however long it takes."""
    meeting = Meeting(OK.after(0.6), SECOND, hedge=HEDGE, method="POST")

    assert await meeting.ask() == (Item(id=1), None, 0.6)
    assert meeting.sent == 1


async def test_case_s11_d_a_caller_that_leaves_cancels_both() -> None:
    """Both backends see the close; nothing is sent or stirs later."""
    meeting = Meeting(hang(), hedge=HEDGE)
    work = meeting.begin()
    await meeting.world.clock.advance(0.2)
    work.cancel()
    await settle()

    assert (meeting.sent, meeting.channel.aborted) == (2, 2)
    meeting.world.assert_nothing_left()
    await meeting.world.clock.advance(5)
    assert meeting.sent == 2


async def test_case_s11_d_a_caller_that_leaves_before_the_hedge_prevents_it() -> None:
    """No timer of a request that is over sends anything."""
    meeting = Meeting(hang(), hedge=HEDGE)
    work = meeting.begin()
    await meeting.world.clock.advance(0.05)
    work.cancel()
    await meeting.world.clock.advance(5)

    assert (meeting.sent, meeting.channel.aborted) == (1, 1)
    meeting.world.assert_nothing_left()


async def test_case_s11_e_an_overloaded_backend_sees_no_more_than_the_budget() -> None:
    """All slow: of 200 calls at most a tenth are doubled, and a fan-out's own allowance is never exceeded."""
    tenth = RetryBudgetPolicy(ratio=0.1, minimum=0, window=timedelta(hours=1))
    meeting = Meeting(OK.after(0.5), hedge=HEDGE, budget=tenth, retry=ONCE)
    for _ in range(200):
        assert (await meeting.ask())[0] == Item(id=1)

    assert 210 <= meeting.sent <= 220
    meeting.world.assert_nothing_left()


async def test_hedges_and_retries_draw_on_one_budget() -> None:
    """One left for the backend: the hedge takes it, and the failed call is not tried again."""
    one = RetryBudgetPolicy(ratio=0.0, minimum=1, window=timedelta(hours=1))
    meeting = Meeting(status(503).after(0.3), hedge=HEDGE, budget=one, retry=NOW)

    assert (await meeting.ask())[1] is Reason.FAULTED
    assert meeting.sent == 2


async def test_hedges_follow_the_live_p95() -> None:
    """Twenty calls of 40 ms teach it; the next that takes longer is doubled at 40 ms."""
    meeting = Meeting(*[OK.after(0.04)] * 20, hang(), SECOND.after(0.01), hedge=HedgePolicy())
    for _ in range(20):
        await meeting.ask()
    assert meeting.sent == 20

    assert await meeting.ask() == (Item(id=2), None, 0.05)


async def test_a_hedge_does_not_begin_after_the_deadline() -> None:
    """A delay beyond the time left sets nothing in motion."""
    meeting = Meeting(hang(), hedge=HEDGE, attempt_timeout=PATIENT)

    assert (await meeting.ask(budget_s=0.1))[1] is Reason.DEADLINE
    assert meeting.sent == 1
    meeting.world.assert_nothing_left()


async def test_an_unsent_primary_fails_fast_and_is_retried_not_hedged() -> None:
    """Connection refused at once: the retry comes within its wait, no hedge."""
    meeting = Meeting(broken(BackendUnreachable("orders", sent=False)), OK, hedge=HEDGE, retry=NOW)

    assert await meeting.ask() == (Item(id=1), None, 0.0)
    assert [one.hedge for one in meeting.world.ledger.sections[0].attempts] == [False, False]
