"""The fan-out: everything at once, one deadline, one retry budget, nothing left behind. All on a hand-turned clock."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.backends.backend import Backend, Call, CallPolicy
from shared.backends.fanout import COMPOSE_RESERVE
from shared.backends.sections import Sections, nullable, optional, required
from shared.errors import BackendUnreachable, Reason, SectionUnavailable
from shared.resilience.budget import RetryBudgetPolicy
from shared.resilience.bulkhead import BulkheadPolicy
from shared.resilience.retry import RetryPolicy
from shared.testing.clock import settle
from shared.testing.scripted import Scripted, broken, hang, reply, status
from tests.shared.backends.screen import TRACE_ID, Item, World, backend

RESERVE_S = COMPOSE_RESERVE.total_seconds()
OK = reply({"id": 1})


def screen(*backends: Backend, declare: Any = nullable) -> type[Sections]:
    """Return a screen with one section a backend: ``one``, ``two``, ``three`` ..."""
    named = zip(("one", "two", "three", "four", "five"), backends, strict=False)
    return type("Screen", (Sections,), {name: declare(owner.get("/x", into=Item)) for name, owner in named})


THREE = [backend(name) for name in ("users", "orders", "alerts")]


def reasons(got: Sections) -> dict[str, Reason]:
    return {gap.section: gap.reason for gap in got.degraded}


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


# Retries


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
    down = backend("down", retry=RetryPolicy(first_wait=timedelta(0)), budget=once_in_ten)
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
