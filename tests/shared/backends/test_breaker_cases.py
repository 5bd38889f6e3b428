"""The breaker through a whole fan-out: field cases S5 and S6."""

import pytest

from shared.errors import Reason
from shared.resilience.breaker import BreakerPolicy, BreakerState
from shared.testing.clock import settle
from shared.testing.scripted import hang, status
from tests.shared.backends.meeting import OK, PATIENT, TOUCHY, Meeting
from tests.shared.backends.screen import Item


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
