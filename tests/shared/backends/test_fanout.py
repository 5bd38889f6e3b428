"""The fan-out: everything at once, one deadline, nothing left behind. All on a hand-turned clock."""

import asyncio
from datetime import timedelta

import pytest

from shared.backends.backend import Backend, CallPolicy
from shared.backends.sections import required
from shared.errors import Reason, SectionUnavailable
from shared.resilience.retry import RetryPolicy
from shared.testing.clock import settle
from shared.testing.scripted import Scripted, hang, status
from tests.shared.backends.screen import TRACE_ID, Item, World, backend
from tests.shared.backends.wide import OK, RESERVE_S, THREE, reasons, screen


async def test_all_requests_are_sent_before_any_reply() -> None:
    """In parallel, and written at once: no backend waits for another's answer."""
    world = World({one: Scripted(hang()) for one in THREE})
    work = asyncio.ensure_future(world.fetch(screen(*THREE)))
    await asyncio.sleep(0)

    assert [len(channel.requests) for channel in world.channels.values()] == [1, 1, 1]
    work.cancel()


async def test_the_answer_comes_with_the_slowest_section() -> None:
    """Not with the sum of all."""
    world = World({one: Scripted(OK.after(0.1 * at)) for at, one in enumerate(THREE, 1)})

    got = await world.run(screen(*THREE))

    assert world.clock.now_s() == pytest.approx(1000.3)
    assert got.degraded == ()
    world.assert_nothing_left()


async def test_the_answer_comes_by_the_deadline_with_what_is_ready() -> None:
    """A silent backend costs its section, not the screen; the rest of the time is for composing."""
    patient = backend("patient", attempt_timeout=timedelta(seconds=60))
    world = World({THREE[0]: Scripted(OK), patient: Scripted(hang())})

    got = await world.run(screen(THREE[0], patient), budget_s=1.0)

    assert world.clock.now_s() == pytest.approx(1001.0 - RESERVE_S)
    assert got.values["one"] == Item(id=1)
    assert reasons(got) == {"two": Reason.DEADLINE}
    assert world.channels[patient].aborted == 1
    world.assert_nothing_left()


async def test_an_attempt_that_times_out_costs_its_section_only() -> None:
    """Its own timeout is shorter than the whole: that is told apart."""
    world = World({THREE[0]: Scripted(OK.after(0.5)), THREE[1]: Scripted(hang())})

    got = await world.run(screen(*THREE[:2]), budget_s=3.0)

    assert got.values["one"] == Item(id=1)
    assert reasons(got) == {"two": Reason.TIMEOUT}
    assert world.clock.now_s() == pytest.approx(1001.4, abs=0.03)  # two attempts of 0.7 s and a short wait
    world.assert_nothing_left()


async def test_without_time_nothing_is_sent() -> None:
    """A deadline within the reserve: every section says so, at once."""
    world = World({one: Scripted(OK) for one in THREE})

    got = await world.run(screen(*THREE), budget_s=RESERVE_S)

    assert reasons(got) == dict.fromkeys(["one", "two", "three"], Reason.DEADLINE)
    assert [len(channel.requests) for channel in world.channels.values()] == [0, 0, 0]
    world.assert_nothing_left()


async def test_without_time_a_required_section_is_a_504() -> None:
    """Never sent, never 500."""
    world = World({THREE[0]: Scripted(OK)})

    with pytest.raises(SectionUnavailable) as missing:
        await world.run(screen(THREE[0], declare=required), budget_s=0.001)

    assert missing.value.status == 504


async def test_a_cancelled_fan_out_gives_up_every_attempt_at_once() -> None:
    """The client left: each backend sees the close, also the one between two attempts."""
    world = World({THREE[0]: Scripted(hang()), THREE[1]: Scripted(status(503)), THREE[2]: Scripted(OK)})
    work = asyncio.ensure_future(world.fetch(screen(*THREE)))
    await world.clock.advance(0.0)
    before = asyncio.all_tasks()

    work.cancel()
    await settle()

    assert work.cancelled()
    assert world.channels[THREE[0]].aborted == 1
    assert len(asyncio.all_tasks()) < len(before)
    world.assert_nothing_left()
    await world.clock.advance(5)
    assert len(world.channels[THREE[1]].requests) == 1


# Each request


async def test_every_attempt_carries_its_own_span_and_what_is_left_of_the_time() -> None:
    """min(attempt timeout, time left - reserve), in milliseconds; a second attempt has less and another id."""
    slow = backend("slow", attempt_timeout=timedelta(milliseconds=400), retry=RetryPolicy(first_wait=timedelta(0)))
    world = World({slow: Scripted(hang())})

    await world.run(screen(slow), budget_s=0.7)

    sent = [dict(one.headers) for one in world.channels[slow].requests]
    spans = [one.span_id for one in world.ledger.sections[0].attempts]
    assert [one["traceparent"] for one in sent] == [f"00-{TRACE_ID}-{span:016x}-01" for span in spans]
    assert spans[0] != spans[1]
    assert [int(one["x-deadline-ms"]) for one in sent] == [pytest.approx(400, abs=1), pytest.approx(275, abs=1)]


async def test_the_callers_credential_goes_only_where_it_is_declared() -> None:
    """A backend that did not ask for it never sees a token."""
    ours, theirs = Backend("ours", CallPolicy(), credentials=True), Backend("theirs", CallPolicy())
    world = World({ours: Scripted(OK), theirs: Scripted(OK)})

    await world.run(screen(ours, theirs))

    assert dict(world.channels[ours].requests[0].headers)["authorization"] == "Bearer alice"
    assert "authorization" not in dict(world.channels[theirs].requests[0].headers)


async def test_the_flag_of_an_unsampled_trace_travels_on() -> None:
    """Same trace, not recorded, by anybody (field case T2)."""
    world = World({THREE[0]: Scripted(OK)})
    world.new_ledger = lambda **_: World.new_ledger(world, sampled=False, tracestate="vendor=1")

    await world.run(screen(THREE[0]))

    headers = dict(world.channels[THREE[0]].requests[0].headers)
    assert headers["traceparent"].startswith(f"00-{TRACE_ID}-")
    assert headers["traceparent"].endswith("-00")
    assert headers["tracestate"] == "vendor=1"
