"""Field cases S2, S3 and S8 on a hand-turned clock."""

import asyncio
from datetime import timedelta

import pytest

from shared.backends.backend import Backend, Call
from shared.backends.sections import Sections, nullable, required
from shared.errors import BackendUnreachable, Reason, SectionUnavailable
from shared.resilience.retry import RetryPolicy
from shared.testing.scripted import Scripted, broken, hang, reply, status
from tests.shared.backends.screen import Item, World, backend
from tests.shared.backends.wide import OK, RESERVE_S, reasons, screen


def posting(owner: Backend) -> type[Sections]:
    """Return a screen whose one section is a POST: not declared anywhere yet, so made by hand."""

    class Posting(Sections):
        order = nullable(Call(owner, "POST", "/orders", Item.model_validate_json))

    return Posting


@pytest.mark.parametrize("failure", ["drops", "504", "times out", "503 with Retry-After"])
async def test_case_s8_a_post_is_sent_once(failure: str) -> None:
    """Whatever came of it may have been done already: the backend's count is 1, the client hears of the failure."""
    orders = backend("orders", retry=RetryPolicy(max_attempts=5))
    step = {
        "drops": broken(BackendUnreachable("orders", "reset", sent=True)),
        "504": status(504),
        "times out": hang(),
        "503 with Retry-After": status(503, (("retry-after", "0"),)),
    }[failure]
    world = World({orders: Scripted(step, reply({"id": 2}))})

    got = await world.run(posting(orders))

    assert len(world.channels[orders].requests) == 1
    assert len(got.degraded) == 1
    world.assert_nothing_left()


async def test_case_s8_a_post_of_which_nothing_was_sent_may_be_tried_again() -> None:
    """No connection, no order."""
    orders = backend("orders")
    world = World({orders: Scripted(broken(BackendUnreachable("orders", "refused", sent=False)), reply({"id": 2}))})

    got = await world.run(posting(orders))

    assert len(world.channels[orders].requests) == 2
    assert got.values["order"] == Item(id=2)


async def test_case_s2_a_deadline_is_not_swallowed_by_the_retry_rule() -> None:
    """Attempts of 3 s, waits of 10 s, deadline 1 s: answered at 1.0 s, one call made, nothing running at 2 s."""
    wait = timedelta(seconds=10)
    slow = backend("slow", attempt_timeout=timedelta(seconds=60), retry=RetryPolicy(first_wait=wait, longest_wait=wait))
    world = World({slow: Scripted(OK.after(3.0))})
    work = asyncio.ensure_future(world.fetch(screen(slow), budget_s=1.0))
    await world.clock.advance(1.0)

    assert work.done()
    assert reasons(work.result()) == {"one": Reason.DEADLINE}
    await world.clock.advance(1.0)
    assert len(world.channels[slow].requests) == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}
    world.assert_nothing_left()


def waiting(*, first_s: float, attempt_s: float = 60.0, attempts: int = 9) -> Backend:
    policy = RetryPolicy(
        max_attempts=attempts, first_wait=timedelta(seconds=first_s), longest_wait=timedelta(seconds=60)
    )
    return backend("orders", attempt_timeout=timedelta(seconds=attempt_s), retry=policy)


async def test_case_s3_no_back_off_sleeps_past_the_deadline() -> None:
    """First: budget 5 s, back-off 1/2/4 s, 503 at once. Answered within 5 s, and no attempt starts after that."""
    orders = waiting(first_s=1.0)
    for seed in range(20):
        world = World({orders: Scripted(status(503))}, seed=seed)

        with pytest.raises(SectionUnavailable) as missing:
            await world.run(screen(orders, declare=required), budget_s=5.0)

        assert missing.value.status == 502
        assert world.clock.now_s() <= 1005.0
        assert all(one.started_s < 1005.0 for one in world.ledger.sections[0].attempts)
        world.assert_nothing_left()


async def test_case_s3_an_attempt_never_outlives_the_budget() -> None:
    """Second: 2 s a try x 3, budget 3 s, silent backend. The second try has the rest; 504 at 3 s, to 0.1 s."""
    orders = waiting(first_s=0.0, attempt_s=2.0, attempts=3)
    world = World({orders: Scripted(hang())})

    with pytest.raises(SectionUnavailable) as missing:
        await world.run(screen(orders, declare=required), budget_s=3.0)

    assert (missing.value.status, missing.value.reason) == (504, Reason.DEADLINE)
    assert world.clock.now_s() == pytest.approx(1003.0, abs=0.1)
    assert world.clock.now_s() <= 1003.0
    attempts = world.ledger.sections[0].attempts
    assert [one.error for one in attempts] == [Reason.TIMEOUT, Reason.DEADLINE]
    assert [one.ended_s - one.started_s for one in attempts] == [pytest.approx(2.0), pytest.approx(1.0 - RESERVE_S)]


async def test_case_s3_a_callers_shorter_deadline_is_the_budget() -> None:
    """Third: 0.5 s is what the client asked for; answered by then, to 0.1 s."""
    orders = waiting(first_s=1.0, attempt_s=2.0)
    world = World({orders: Scripted(hang())})

    with pytest.raises(SectionUnavailable) as missing:
        await world.run(screen(orders, declare=required), budget_s=0.5)

    assert missing.value.status == 504
    assert world.clock.now_s() == pytest.approx(1000.5, abs=0.1)
    assert world.clock.now_s() <= 1000.5
