"""Whoever joins, leaves, runs out of time or is answered, in whatever order: a state machine of coalescing."""

import asyncio
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.backends.channel import OutboundRequest, PlainReply, Receiver
from shared.backends.fanout import COMPOSE_RESERVE, Caller
from shared.backends.sections import Sections, nullable
from shared.errors import Reason
from shared.resilience.deadline import TICK_S
from shared.resilience.retry import RetryPolicy
from shared.testing.clock import ManualClock, settle
from tests.shared.backends.screen import Item, World, backend

ATTEMPT_S = 1.0
ITEMS = backend("items", retry=RetryPolicy(max_attempts=1), attempt_timeout=timedelta(seconds=ATTEMPT_S))


class Page(Sections):
    item = nullable(ITEMS.get("/items", into=Item))


class Held:
    """One exchange that the machine answers when it likes."""

    def __init__(self, receiver: Receiver, owner: int) -> None:
        self.receiver = receiver
        self.owner = owner
        self.aborted = False
        self.over = False

    def abort(self) -> None:
        assert not self.over, "an exchange that has ended was aborted"
        self.aborted = self.over = True


class HeldChannel:
    """A channel that only collects."""

    clock: Any = None
    asker = -1

    def __init__(self) -> None:
        self.exchanges: list[Held] = []

    def send(self, request: OutboundRequest, receiver: Receiver) -> Held:
        self.exchanges.append(Held(receiver, self.asker))
        return self.exchanges[-1]

    async def aclose(self) -> None: ...


class Waiter:
    def __init__(self, owner: int, task: asyncio.Future[Any], ends_s: float) -> None:
        self.owner = owner
        self.task = task
        self.ends_s = ends_s
        self.left = False


class Coalescing(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.clock = ManualClock()
        self.channel = HeldChannel()
        self.world = World({ITEMS: self.channel}, self.clock)  # type: ignore[dict-item]  # a channel as good as scripted
        self.waiters: list[Waiter] = []

    def live(self) -> list[Held]:
        return [one for one in self.channel.exchanges if not one.over]

    def waiting(self) -> list[Waiter]:
        return [one for one in self.waiters if not one.task.done()]

    # Few owners and budgets near each other: most who arrive can join somebody.
    @rule(owner=st.sampled_from([0, 0, 0, 1, 2]), budget_ms=st.sampled_from([30, 300, 400, 700, 1100, 3000]))
    def arrive(self, owner: int, budget_ms: int) -> None:
        self.channel.asker = owner
        live = sum(one.owner == owner for one in self.live())

        async def go() -> None:
            caller = Caller(scope=f"scope {owner}")
            task = asyncio.ensure_future(self.world.fetch(Page, caller, budget_s=budget_ms / 1000))
            left_s = min(ATTEMPT_S, budget_ms / 1000 - COMPOSE_RESERVE.total_seconds())
            self.waiters.append(Waiter(owner, task, self.clock.now_s() + left_s))
            await settle()

        self.runner.run(go())
        # Joined, or alone; and never more than two of one kind for each half of an attempt's time.
        assert sum(one.owner == owner for one in self.live()) - live in {0, 1}

    @precondition(lambda self: self.waiting())
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        waiter = data.draw(st.sampled_from(self.waiting()))
        waiter.left = True
        waiter.task.cancel()
        self.runner.run(settle())
        assert waiter.task.cancelled()

    @precondition(lambda self: self.live())
    @rule(data=st.data(), code=st.sampled_from([200, 200, 500, 503, 404]))
    def answer(self, data: st.DataObject, code: int) -> None:
        exchange = data.draw(st.sampled_from(self.live()))
        exchange.over = True

        async def go() -> None:
            exchange.receiver.replied(PlainReply(code, b'{"id": %d}' % exchange.owner))
            await settle()

        self.runner.run(go())

    @rule(tenths=st.sampled_from([1, 1, 2, 3, 6, 12]))
    def time_passes(self, tenths: int) -> None:
        self.runner.run(self.clock.advance(tenths / 10))

    @invariant()
    def nobody_gets_what_is_a_strangers(self) -> None:
        for one in self.waiters:
            if one.task.done() and not one.task.cancelled():
                item = one.task.result().item
                assert item is None or item.id == one.owner

    @invariant()
    def an_exchange_lives_as_long_as_somebody_waits(self) -> None:
        for owner in range(3):
            exchanges = sum(one.owner == owner for one in self.live())
            waiting = sum(one.owner == owner for one in self.waiting())
            assert (exchanges > 0) == (waiting > 0)
            assert exchanges <= waiting

    @invariant()
    def a_permit_is_an_exchange(self) -> None:
        assert self.world.backends.state(ITEMS).bulkhead.in_flight == len(self.live())
        assert len(self.world.backends.flights) <= len(self.live())

    @invariant()
    def nobody_waits_past_their_own_time_nor_is_sent_away_before(self) -> None:
        for one in self.waiters:
            if not one.task.done():
                assert self.clock.now_s() < one.ends_s + TICK_S
            elif not one.task.cancelled() and one.task.result().degraded:
                (gap,) = one.task.result().degraded
                if gap.reason in {Reason.TIMEOUT, Reason.DEADLINE}:
                    assert self.clock.now_s() >= one.ends_s - 2 * TICK_S

    def teardown(self) -> None:
        with self.runner:
            self.runner.run(self.clock.advance(5))
            assert all(one.task.done() for one in self.waiters)
            assert self.live() == []
            assert self.clock.pending == 0
            assert len(self.world.backends.flights) == 0
            assert self.world.backends.state(ITEMS).bulkhead.in_flight == 0


TestCoalescing = Coalescing.TestCase
TestCoalescing.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
