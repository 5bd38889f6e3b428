"""Retries within a fan-out: one budget for all, none past the deadline, none that could do harm."""

import asyncio
from datetime import timedelta

import pytest

from shared.backends.sections import Sections, optional, required
from shared.errors import Reason
from shared.resilience.breaker import BreakerPolicy
from shared.resilience.budget import RetryBudgetPolicy
from shared.resilience.bulkhead import BulkheadPolicy
from shared.resilience.retry import RetryPolicy
from shared.testing.scripted import Scripted, hang, reply, status
from tests.shared.backends.screen import Item, World, backend
from tests.shared.backends.wide import OK, THREE, reasons, screen


async def test_a_transient_failure_is_mended_by_a_second_attempt() -> None:
    """The screen is whole; the record shows both."""
    world = World({THREE[0]: Scripted(status(503), OK)})

    got = await world.run(screen(THREE[0]))

    assert (got.values["one"], got.degraded) == (Item(id=1), ())
    (section,) = world.ledger.sections
    tries = [(one.number, one.status, one.error) for one in section.attempts]
    assert tries == [(1, 503, Reason.FAULTED), (2, 200, None)]
    assert section.outcome == "fresh"
    world.assert_nothing_left()


@pytest.mark.parametrize("code", [400, 404, 500, 501])
async def test_what_will_not_mend_is_tried_once(code: int) -> None:
    """4xx is ours to fix; 500 is a bug."""
    world = World({THREE[0]: Scripted(status(code))})

    await world.run(screen(THREE[0]))

    assert len(world.channels[THREE[0]].requests) == 1


async def test_one_retry_budget_for_the_whole_fan_out() -> None:
    """Five broken backends with five attempts each: two retries in all, not twenty."""
    five = [backend(str(n), retry=RetryPolicy(max_attempts=5, first_wait=timedelta(0))) for n in range(5)]
    world = World({one: Scripted(status(503)) for one in five})

    got = await world.run(screen(*five))

    assert sum(len(channel.requests) for channel in world.channels.values()) == 5 + 2
    assert len(got.degraded) == 5
    world.assert_nothing_left()


async def test_an_outage_is_not_multiplied() -> None:
    """A backend that fails every call sees at most 1.1 times its load, plus the minimum."""
    once_in_ten = RetryBudgetPolicy(ratio=0.1, minimum=1, window=timedelta(hours=1))
    never = BreakerPolicy(minimum_calls=10_000)  # it would end the outage for the backend much sooner
    down = backend("down", retry=RetryPolicy(first_wait=timedelta(0)), budget=once_in_ten, breaker=never)
    world = World({down: Scripted(status(503))})

    for _ in range(200):
        await world.run(screen(down))

    assert 200 < len(world.channels[down].requests) <= 220


async def test_a_call_that_was_never_sent_earns_no_retry() -> None:
    """Shedding must not fill the retry budget."""
    budget = RetryBudgetPolicy(ratio=1.0, minimum=0, window=timedelta(hours=1))
    full = backend("full", bulkhead=BulkheadPolicy(max_concurrent=0), budget=budget)
    world = World({full: Scripted(OK)})

    for _ in range(10):
        await world.run(screen(full))

    assert not world.backends.state(full).budget.take()


async def test_a_retry_needs_a_permit_of_its_own() -> None:
    """A bulkhead that filled up meanwhile rejects it, and the section says so."""
    narrow = backend("narrow", bulkhead=BulkheadPolicy(max_concurrent=1))
    world = World({narrow: Scripted(status(503), hang())})
    work = asyncio.ensure_future(world.fetch(screen(narrow)))
    await world.clock.advance(0.0)
    world.backends.state(narrow).bulkhead.acquire()
    await world.clock.advance(0.1)

    got = await work

    assert reasons(got) == {"one": Reason.REJECTED}
    assert len(world.channels[narrow].requests) == 1
    world.backends.state(narrow).bulkhead.release()
    world.assert_nothing_left()


async def test_retry_after_within_the_time_is_honoured_and_beyond_it_is_told() -> None:
    """1 s: waited for. 9 s: the section is degraded now, and the client told 9 s."""
    first = World({THREE[0]: Scripted(status(503, (("retry-after", "1"),)), OK)})
    got = await first.run(screen(THREE[0]))
    assert got.degraded == ()
    assert 1001.0 <= first.clock.now_s() <= 1001.1

    second = World({THREE[0]: Scripted(status(503, (("retry-after", "9"),)), OK)})
    got = await second.run(screen(THREE[0]))
    assert second.clock.now_s() == 1000.0
    assert [gap.retry_after_seconds for gap in got.degraded] == [9]


async def test_case_w5_one_failing_section_leaves_the_others() -> None:
    """500, timeout or null of one: the other two are there, the gap is declared."""
    for step in (status(500), hang(), reply(None)):
        world = World({THREE[0]: Scripted(OK), THREE[1]: Scripted(OK), THREE[2]: Scripted(step)})

        got = await world.run(screen(*THREE))

        assert [got.values[name] for name in ("one", "two", "three")] == [Item(id=1), Item(id=1), None]
        assert [gap.section for gap in got.degraded] == ["three"]


async def test_a_defaults_section_may_stand_in_while_another_is_retried() -> None:
    """Branches do not wait for each other's retries, and each keeps its own outcome."""
    world = World({THREE[0]: Scripted(status(503), OK.after(0.2)), THREE[1]: Scripted(status(403))})

    class Screen(Sections):
        one = required(THREE[0].get("/x", into=Item))
        two = optional(THREE[1].get("/x", into=Item), default=Item(id=0))

    got = await world.run(Screen)

    assert (got.one, got.two) == (Item(id=1), Item(id=0))
    assert reasons(got) == {"two": Reason.REFUSED}
