"""Coalescing: identical reads share one exchange; each waiter keeps its own time; nothing is shared with a stranger."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.backends.backend import Backend, CallPolicy
from shared.backends.fanout import Caller
from shared.backends.sections import Sections, nullable
from shared.errors import Reason
from shared.resilience.bulkhead import BulkheadPolicy
from shared.resilience.hedge import HedgePolicy
from shared.resilience.retry import RetryPolicy
from shared.telemetry.metrics import Metrics
from shared.testing.clock import settle
from shared.testing.scripted import Scripted, hang, reply, status
from tests.shared.backends.screen import ALICE, BOB, Item, World, backend

ONCE = RetryPolicy(max_attempts=1)
AT_ONCE = RetryPolicy(first_wait=timedelta(0))
ITEMS = backend("items", retry=ONCE, attempt_timeout=timedelta(seconds=1))
ONE, TWO = Item(id=1), Item(id=2)


def screen(owner: Backend = ITEMS, path: str = "/items", **how: Any) -> type[Sections]:
    class Screen(Sections):
        item = nullable(owner.get(path, into=Item, **how))

    return Screen


PAGE = screen()


async def asking(world: World, *pages: tuple[type[Sections], Caller], **fields: Any) -> list[asyncio.Future[Any]]:
    """Start these fetches, one after the other, all in flight."""
    tasks = []
    for page, caller in pages:
        tasks.append(asyncio.ensure_future(world.fetch(page, caller, **fields)))
        await settle()
    return tasks


def sent(world: World, owner: Backend = ITEMS) -> int:
    return len(world.channels[owner].requests)


def reason(answer: Any) -> Reason | None:
    return answer.degraded[0].reason if answer.degraded else None


async def test_identical_reads_in_flight_share_one_exchange_and_one_permit() -> None:
    """A hundred readers, one call, one permit: a bulkhead of one is enough for them all."""
    narrow = backend("items", retry=ONCE, bulkhead=BulkheadPolicy(max_concurrent=1))
    world, page = World({narrow: Scripted(reply({"id": 1}).after(0.1))}), screen(narrow)
    tasks = await asking(world, *[(page, ALICE)] * 100)
    assert world.backends.state(narrow).bulkhead.in_flight == 1
    await world.clock.advance(0.1)

    assert [task.result().item for task in tasks] == [ONE] * 100
    assert sent(world, narrow) == 1
    assert len(world.backends.flights) == 0
    world.assert_nothing_left()


async def test_a_read_after_the_answer_asks_anew() -> None:
    """Sharing ends with the exchange: this is no cache."""
    world = World({ITEMS: Scripted(reply({"id": 1}), reply({"id": 2}))})

    assert [(await world.run(PAGE)).item for _ in range(2)] == [ONE, TWO]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((PAGE, ALICE), (PAGE, BOB)),
        ((screen(path="/items?a"), ALICE), (screen(path="/items?b"), ALICE)),
        ((PAGE, ALICE), (screen(coalesce=False), ALICE)),
    ],
)
async def test_what_differs_is_not_shared(first: Any, second: Any) -> None:
    """Another caller, another target, a call that opted out."""
    world = World({ITEMS: Scripted(reply({"id": 1}).after(0.1), reply({"id": 2}).after(0.1))})
    tasks = await asking(world, first, second)
    await world.clock.advance(0.1)

    assert [task.result().item for task in tasks] == [ONE, TWO]


async def test_two_readings_of_one_target_are_not_shared() -> None:
    """Each gets its own type."""

    class Raw(Sections):
        item = nullable(ITEMS.get("/items", into=dict[str, int]))

    world = World({ITEMS: Scripted(reply({"id": 1}).after(0.1), reply({"id": 2}).after(0.1))})
    tasks = await asking(world, (PAGE, ALICE), (Raw, ALICE))
    await world.clock.advance(0.1)

    assert [task.result().item for task in tasks] == [ONE, {"id": 2}]


async def test_another_token_of_the_same_user_is_not_shared_where_it_travels_on() -> None:
    """The credential that is forwarded is part of what makes two reads identical."""
    theirs = Backend("items", CallPolicy(retry=ONCE), credentials=True)
    world, page = World({theirs: Scripted(reply({"id": 1}).after(0.1), reply({"id": 2}).after(0.1))}), screen(theirs)
    tasks = await asking(world, (page, ALICE), (page, Caller(scope=ALICE.scope, authorization="Bearer other")))
    await world.clock.advance(0.1)

    assert [task.result().item for task in tasks] == [ONE, TWO]


async def test_a_public_call_is_shared_by_all_callers() -> None:
    """It carries nobody's data."""
    world, page = World({ITEMS: Scripted(reply({"id": 1}).after(0.1))}), screen(public=True)
    tasks = await asking(world, (page, ALICE), (page, BOB))
    await world.clock.advance(0.1)

    assert [task.result().item for task in tasks] == [ONE, ONE]
    assert sent(world) == 1


async def test_the_first_may_leave_and_the_others_are_answered() -> None:
    """The exchange goes on as long as anybody waits for it."""
    world = World({ITEMS: Scripted(reply({"id": 1}).after(0.3))})
    first, second = await asking(world, (PAGE, ALICE), (PAGE, ALICE))
    first.cancel()
    await settle()
    assert world.channels[ITEMS].aborted == 0
    await world.clock.advance(0.3)

    assert second.result().item == ONE
    assert sent(world) == 1
    world.assert_nothing_left()


async def test_the_last_to_leave_takes_the_exchange_along() -> None:
    """At once: the backend sees the close, the permit is back."""
    world = World({ITEMS: Scripted(hang())})
    tasks = await asking(world, *[(PAGE, ALICE)] * 3)
    for task in tasks[:2]:
        task.cancel()
    await settle()
    assert world.channels[ITEMS].aborted == 0
    tasks[2].cancel()
    await settle()

    assert world.channels[ITEMS].aborted == 1
    assert len(world.backends.flights) == 0
    world.assert_nothing_left()


async def test_each_keeps_its_own_deadline() -> None:
    """The first has 0.2 s and is told "deadline"; the second has 0.1 s more and gets the answer."""
    world = World({ITEMS: Scripted(reply({"id": 1}).after(0.25))})
    (first,) = await asking(world, (PAGE, ALICE), budget_s=0.2)
    (second,) = await asking(world, (PAGE, ALICE), budget_s=0.3)
    await world.clock.advance(0.2)
    assert reason(first.result()) is Reason.DEADLINE
    await world.clock.advance(0.05)

    assert second.result().item == ONE
    assert sent(world) == 1
    world.assert_nothing_left()


async def test_each_keeps_its_own_attempt_timeout() -> None:
    """Joined 0.4 s later, its second ends 0.4 s later: the answer between the two is its own."""
    world = World({ITEMS: Scripted(reply({"id": 1}).after(1.2))})
    (first,) = await asking(world, (PAGE, ALICE))
    await world.clock.advance(0.4)
    (second,) = await asking(world, (PAGE, ALICE))
    await world.clock.advance(0.6)
    assert reason(first.result()) is Reason.TIMEOUT
    await world.clock.advance(0.2)

    assert second.result().item == ONE
    assert sent(world) == 1
    world.assert_nothing_left()


async def test_nobody_joins_an_exchange_that_has_too_little_time_for_them() -> None:
    """The backend was told the first one's 100 ms: whoever has three seconds asks for themselves."""
    world = World({ITEMS: Scripted(hang(), reply({"id": 2}))})
    (hurried,) = await asking(world, (PAGE, ALICE), budget_s=0.1)
    (patient,) = await asking(world, (PAGE, ALICE), budget_s=3.0)
    await world.clock.advance(0.05)

    assert patient.result().item == TWO
    await world.clock.advance(0.1)
    assert reason(hurried.result()) is Reason.DEADLINE
    world.assert_nothing_left()


async def test_nobody_joins_what_was_too_slow_for_somebody() -> None:
    """A second attempt after a timeout is a new exchange, not the stuck one again."""
    items = backend("items", retry=AT_ONCE, attempt_timeout=timedelta(seconds=1))
    world, page = World({items: Scripted(hang(), reply({"id": 2}))}), screen(items)
    (first,) = await asking(world, (page, ALICE))
    await world.clock.advance(0.4)
    (second,) = await asking(world, (page, ALICE))
    await world.clock.advance(0.6)

    assert first.result().item == TWO
    assert not second.done()
    await world.clock.advance(0.4)
    assert second.result().item == TWO
    world.assert_nothing_left()


async def test_a_failure_reaches_those_who_waited_and_nobody_else() -> None:
    """All who waited have it; the next reader asks anew."""
    world = World({ITEMS: Scripted(status(500).after(0.1), reply({"id": 2}))})
    tasks = await asking(world, *[(PAGE, ALICE)] * 3)
    await world.clock.advance(0.1)

    assert [reason(task.result()) for task in tasks] == [Reason.FAULTED] * 3
    assert (await world.run(PAGE)).item == TWO
    assert sent(world) == 2


async def test_a_shared_failure_is_retried_once_for_all() -> None:
    """Each may try again by its own budget, and the second attempts, too, are one exchange."""
    items = backend("items", retry=AT_ONCE)
    world, page = World({items: Scripted(status(503).after(0.1), reply({"id": 2}).after(0.1))}), screen(items)
    tasks = await asking(world, *[(page, ALICE)] * 5)
    await world.clock.advance(0.2)

    assert [task.result().item for task in tasks] == [TWO] * 5
    assert sent(world, items) == 2
    world.assert_nothing_left()


async def test_a_hedge_never_joins_what_it_is_to_overtake() -> None:
    """It is an exchange of its own; who joined the slow one hedges for itself."""
    items = backend("items", retry=ONCE, hedge=HedgePolicy(after=timedelta(milliseconds=100)))
    world, page = World({items: Scripted(hang(), reply({"id": 2}), reply({"id": 3}))}), screen(items)
    (first,) = await asking(world, (page, ALICE))
    await world.clock.advance(0.05)
    (second,) = await asking(world, (page, ALICE))
    await world.clock.advance(0.06)
    assert first.result().item == TWO
    assert world.channels[items].aborted == 0
    await world.clock.advance(0.06)

    assert second.result().item == Item(id=3)
    assert world.channels[items].aborted == 1
    world.assert_nothing_left()


async def test_the_record_tells_who_sent_and_who_joined() -> None:
    """Joined reads are counted as spared, never as attempts at the backend."""
    world = World({ITEMS: Scripted(reply({"id": 1}).after(0.1))})
    ledgers = []
    tasks = []
    for _ in range(3):
        tasks += await asking(world, (PAGE, ALICE))
        ledgers.append(world.ledger)
    await world.clock.advance(0.1)

    attempts = [ledger.sections[0].attempts for ledger in ledgers]
    assert [[(bool(one.joined), one.status, one.error) for one in each] for each in attempts] == [
        [(False, 200, None)], [(True, 200, None)], [(True, 200, None)],
    ]  # fmt: skip
    metrics = Metrics()
    for ledger in ledgers:
        ledger.ended_s = world.clock.now_s()
        metrics.observe(ledger)
    text = metrics.scrape().decode()
    assert 'frontage_backend_attempts_total{backend="items",outcome="ok"} 1.0' in text
    assert 'frontage_backend_calls_spared_total{how="joined",section="item"} 2.0' in text


async def test_the_record_of_one_who_left_is_closed_then() -> None:
    """Not when the exchange ends: its trace may be on its way already."""
    world = World({ITEMS: Scripted(reply({"id": 1}).after(0.3))})
    (first,) = await asking(world, (PAGE, ALICE))
    ledger = world.ledger
    (second,) = await asking(world, (PAGE, ALICE))
    await world.clock.advance(0.1)
    first.cancel()
    await settle()
    (attempt,) = ledger.sections[0].attempts
    closed = (attempt.ended_s, attempt.cancelled, attempt.status)
    assert closed == (pytest.approx(1000.1), True, 0)
    await world.clock.advance(0.2)

    assert second.done()
    assert (attempt.ended_s, attempt.cancelled, attempt.status) == closed
    assert world.ledger.sections[0].attempts[0].status == 200
