"""Breaker, bulkhead and budget under any order of events, each beside a model that is too simple to be wrong."""

from datetime import timedelta
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, precondition, rule

from shared.errors import BreakerOpen, BulkheadFull, CallRejected
from shared.resilience.breaker import Breaker, BreakerPolicy, BreakerState, BreakerTurnedEvent
from shared.resilience.budget import RequestBudget, RetryBudget, RetryBudgetPolicy
from shared.resilience.bulkhead import Bulkhead, BulkheadPolicy, Waiter
from shared.resilience.deadline import Deadline
from shared.resilience.priority import Priority, ceilings
from shared.resilience.verdict import Verdict
from shared.testing.clock import ManualClock

CLOSED, OPEN, HALF_OPEN = BreakerState
WELL = frozenset({Verdict.SUCCESS})
PAUSES = st.sampled_from([0.0, 0.01, 0.5, 1.0, 2.0, 4.9, 5.0, 30.0])


class BreakerMachine(RuleBasedStateMachine):
    """Permits of probes are never lost and never too many; only what is known to be true turns it."""

    tickets = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        policy = BreakerPolicy(minimum_calls=4, probes=2, jitter=0.0, slow_after=timedelta(seconds=1))
        self.policy = policy
        self.breaker = Breaker("x", policy, self.clock, Random(1), self.turned)
        self.turns: list[BreakerState] = []
        self.hints: list[timedelta | None] = []
        self.since_s = self.clock.now_s()
        self.period = 0
        self.ended: list[tuple[float, bool, bool]] = []  # of this closed period: when, failed, slow
        self.probes: dict[int, float] = {}  # of this half-open period: ticket -> when its permit is back by itself

    def turned(self, event: BreakerTurnedEvent) -> None:
        self.turns.append(event.state)
        self.since_s = self.clock.now_s()
        self.period += 1
        self.ended, self.probes = [], {}

    @rule(seconds=PAUSES)
    def time_passes(self, seconds: float) -> None:
        self.clock.turn(seconds)

    @precondition(lambda self: self.breaker.state is CLOSED)
    @rule()
    def an_outage(self) -> None:
        """As many failures as it takes: otherwise most runs would never see it open."""
        while self.breaker.state is CLOSED:
            self._ends(self.breaker.admit(), self.period, Verdict.FAILURE, 0.01)

    @precondition(lambda self: self.breaker.state is OPEN)
    @rule()
    def the_open_time_passes(self) -> None:
        self.clock.turn(5)

    @rule(target=tickets)
    def a_call_comes(self) -> object:
        before, now = self.breaker.state, self.clock.now_s()
        out = sum(until > now for until in self.probes.values())
        try:
            ticket = self.breaker.admit()
        except BreakerOpen as rejected:
            self.hints.append(rejected.retry_after)
            if before is OPEN:
                assert now < self.since_s + 5
            else:
                assert before is HALF_OPEN
                assert out == self.policy.probes
            return multiple()
        if before is OPEN:
            assert now >= self.since_s
            assert self.breaker.state is HALF_OPEN
        if before is HALF_OPEN:
            assert out < self.policy.probes
        if self.breaker.state is HALF_OPEN:
            self.probes[ticket] = now + 2
        return (ticket, self.period)

    @rule(one=consumes(tickets), verdict=st.sampled_from(Verdict), elapsed_s=st.sampled_from([0.01, 1.0]))
    def a_call_ends(self, one: tuple[int, int], verdict: Verdict, elapsed_s: float) -> None:
        self._ends(*one, verdict, elapsed_s)

    def _ends(self, ticket: int, period: int, verdict: Verdict, elapsed_s: float) -> None:
        before, count, now = self.breaker.state, len(self.turns), self.clock.now_s()
        failed, slow = verdict is not Verdict.SUCCESS, elapsed_s >= 1
        ours = period == self.period and verdict is not Verdict.IGNORED
        recent = [other for other in self.ended if other[0] > now - 9] + [(now, failed, slow)]
        possible = [other for other in self.ended if other[0] > now - 10] + [(now, failed, slow)]
        if before is CLOSED and ours:
            self.ended.append((now, failed, slow))
        if period == self.period:
            self.probes.pop(ticket, None)

        self.breaker.done(ticket, verdict, elapsed_s)

        turned = self.turns[count:]
        if not ours:
            assert turned == []
        elif before is HALF_OPEN:
            assert turned == [OPEN if failed or slow else CLOSED]
        elif turned:
            assert turned == [OPEN]
            assert len(possible) >= 4
            assert failed or slow
        elif failed:  # still closed: then what certainly counts is too little or too well
            assert len(recent) < 4 or 2 * sum(other[1] for other in recent) < len(possible)

    @invariant()
    def a_rejection_says_when_to_come_back(self) -> None:
        assert all(hint is not None and timedelta(0) < hint <= timedelta(seconds=5) for hint in self.hints)

    @invariant()
    def probes_are_bounded_and_only_out_while_half_open(self) -> None:
        assert 0 <= self.breaker.probing <= self.policy.probes
        if self.breaker.state is not HALF_OPEN:
            assert self.breaker.probing == 0

    @precondition(lambda self: self.breaker.state is not CLOSED)
    @rule()
    def it_always_finds_its_way_back(self) -> None:
        """Whatever is still out: after the open time and a probe's timeout, one success closes it."""
        self.clock.turn(5 + 2)
        self.breaker.done(self.breaker.admit(), Verdict.SUCCESS, 0.01)
        assert self.breaker.state is CLOSED


class BulkheadMachine(RuleBasedStateMachine):
    """Permits are never negative and never lost; nobody is overtaken by a less important one or a later equal."""

    permits = Bundle("permits")

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        policy = BulkheadPolicy(max_concurrent=4, max_waiting=3, max_wait=timedelta(seconds=1))
        self.bulkhead = Bulkhead("x", policy, self.clock)
        self.out = 0
        self.queue: list[tuple[Priority, int, float]] = []  # (priority, number, until): the model of who waits
        self.waiters: dict[int, Waiter] = {}
        self.granted: list[int] = []
        self.number = 0

    def _granted(self, priority: Priority, number: int) -> None:
        (place,) = [one for one in self.queue if one[1] == number]
        now = self.clock.now_s()
        in_time = [one for one in self.queue if one[2] > now]
        assert place == min(in_time), f"{place} before {min(in_time)}"
        self.queue.remove(place)
        self.granted.append(number)
        self.out += 1

    def _refused(self, priority: Priority, number: int, error: CallRejected) -> None:
        (place,) = [one for one in self.queue if one[1] == number]
        shed = place[2] > self.clock.now_s()
        if shed:
            assert len(self.queue) == 3
            assert priority == max(self.queue)[0], "not the least important"
            assert place == max(self.queue), "not the last of them"
        self.queue.remove(place)

    @rule(seconds=st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.turn(seconds)

    @rule(priority=st.sampled_from(Priority), within_s=st.sampled_from([0.0, 0.3, 9.0]))
    def a_call_comes(self, priority: Priority, within_s: float) -> None:
        may = self.out < ceilings(self.bulkhead.limit)[priority]
        assert self.bulkhead.acquire(priority) == may
        if may:
            self.out += 1
            return
        self.number += 1
        number, now = self.number, self.clock.now_s()
        waiting, lowest = len(self.queue), max(self.queue)[0] if self.queue else None
        until_s = now + min(1.0, within_s)
        try:
            waiter = self.bulkhead.wait(
                priority,
                Deadline(now + within_s),
                lambda: self._granted(priority, number),
                lambda error: self._refused(priority, number, error),
            )
        except BulkheadFull:
            assert self.out == 0 or (waiting == 3 and lowest is not None and lowest <= priority)
            return
        self.waiters[number] = waiter
        self.queue.append((priority, number, until_s))

    @precondition(lambda self: self.out > 0)
    @rule()
    def a_call_ends(self) -> None:
        self.out -= 1
        self.bulkhead.release()
        now, most = self.clock.now_s(), ceilings(self.bulkhead.limit)
        kept = [place for place in self.queue if place[2] > now and self.out < most[place[0]]]
        assert not kept, "a permit is free, and somebody who may have it waits"

    @precondition(lambda self: self.waiters)
    @rule(data=st.data())
    def a_caller_leaves(self, data: st.DataObject) -> None:
        """Also one that was granted or refused already."""
        number = data.draw(st.sampled_from(sorted(self.waiters)))
        self.queue = [one for one in self.queue if one[1] != number]
        self.waiters.pop(number).leave()

    @rule(limit=st.integers(0, 6))
    def the_limit_moves(self, limit: int) -> None:
        self.bulkhead.resize(limit)

    @invariant()
    def permits_are_never_negative_and_never_lost(self) -> None:
        assert self.bulkhead.in_flight == self.out >= 0

    @invariant()
    def the_queue_is_the_models(self) -> None:
        assert self.bulkhead.waiting == len(self.queue) <= 3
        assert self.clock.pending == len(self.queue)

    def teardown(self) -> None:
        """Everything given back and everybody timed out: as new."""
        for _ in range(self.out):
            self.out -= 1
            self.bulkhead.release()
        self.clock.turn(2)
        for _ in range(self.out):
            self.out -= 1
            self.bulkhead.release()
        assert (self.bulkhead.in_flight, self.bulkhead.waiting, self.clock.pending) == (0, 0, 0)


class BudgetMachine(RuleBasedStateMachine):
    """Retries and hedges of all fan-outs together never exceed what the window's calls earned."""

    fanouts = Bundle("fanouts")

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.budget = RetryBudget(RetryBudgetPolicy(ratio=0.5, minimum=1, window=timedelta(seconds=10)), self.clock)
        self.calls: list[float] = []
        self.taken: list[float] = []

    @rule(seconds=PAUSES)
    def time_passes(self, seconds: float) -> None:
        self.clock.turn(seconds)

    @rule(target=fanouts)
    def a_request_comes(self) -> RequestBudget:
        self.budget.record_call()
        self.calls.append(self.clock.now_s())
        return RequestBudget(retries=2)

    @rule(whole=fanouts)
    def one_more_is_asked_for(self, whole: RequestBudget) -> None:
        now, left = self.clock.now_s(), whole.retries
        if whole.for_backend(self.budget).take():
            self.taken.append(now)
            assert whole.retries == left - 1 >= 0
        else:
            assert whole.retries == left
            earned = max(1, int(0.5 * sum(now - 5 < at for at in self.calls)))
            assert left == 0 or sum(now - 10 <= at for at in self.taken) >= earned, "refused though it was earned"

    @invariant()
    def no_more_than_the_window_allows(self) -> None:
        now = self.clock.now_s()
        earned = max(1.0, 0.5 * sum(now - 15 <= at for at in self.calls))
        assert sum(now - 5 < at for at in self.taken) <= earned


for machine in (BreakerMachine, BulkheadMachine, BudgetMachine):
    machine.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)

TestBreaker = BreakerMachine.TestCase
TestBulkhead = BulkheadMachine.TestCase
TestBudget = BudgetMachine.TestCase
