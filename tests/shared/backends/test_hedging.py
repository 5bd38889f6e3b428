"""Hedging through a whole fan-out: field case S11, to the millisecond of a hand-turned clock."""

from datetime import timedelta

import pytest

from shared.errors import BackendUnreachable, Reason
from shared.resilience.budget import RetryBudgetPolicy
from shared.resilience.hedge import HedgePolicy
from shared.testing.clock import settle
from shared.testing.scripted import broken, hang, status
from tests.shared.backends.meeting import HEDGE, NOW, OK, ONCE, PATIENT, SECOND, Meeting
from tests.shared.backends.screen import Item


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
