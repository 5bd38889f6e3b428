"""Whatever backends do and whenever, the answer is there by the deadline and nothing is left behind."""

import asyncio
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.backends.sections import Sections, nullable, optional, required
from shared.errors import BackendInvalid, BackendUnreachable, ProblemError
from shared.resilience.breaker import BreakerPolicy
from shared.resilience.bulkhead import BulkheadPolicy
from shared.resilience.hedge import HedgePolicy
from shared.resilience.retry import RetryPolicy
from shared.testing.clock import settle
from shared.testing.scripted import Scripted, Step, broken, hang, reply, status
from tests.shared.backends.screen import Item, World, backend

OUTCOMES = st.sampled_from([
    lambda: reply({"id": 1}),
    lambda: status(204),
    lambda: status(404),
    lambda: status(429, (("retry-after", "1"),)),
    lambda: status(500),
    lambda: status(503),
    lambda: status(503, (("retry-after", "0"),)),
    lambda: reply(b"<html>"),
    lambda: broken(BackendUnreachable("x", "reset")),
    lambda: broken(BackendInvalid("x", "not HTTP")),
    hang,
])  # fmt: skip
STEPS = st.builds(lambda make, tenths: make().after(tenths / 10), OUTCOMES, st.integers(0, 40))
KINDS = st.sampled_from([
    required,
    lambda call: required(call, subject=True),
    lambda call: optional(call, default=Item(id=0)),
    lambda call: nullable(call, stale_for=timedelta(minutes=1), subject=True),
    nullable,
])  # fmt: skip
BRANCH = st.fixed_dictionaries({
    "kind": KINDS,
    "steps": st.lists(STEPS, min_size=1, max_size=4),
    "attempt_s": st.sampled_from([0.1, 0.7, 2.0, 60.0]),
    "attempts": st.integers(1, 4),
    "wait_s": st.sampled_from([0.0, 0.025, 1.0]),
    "permits": st.sampled_from([0, 1, 2, 100]),
    "taken": st.sampled_from([0, 1]),
    "hedge_s": st.sampled_from([None, 0.0, 0.05, 1.0]),
    "breaker": st.sampled_from([1, 20]),
})  # fmt: skip
NAMES = ("one", "two", "three", "four")


def build(branches: list[dict[str, Any]], seed: int) -> tuple[type[Sections], World]:
    sections, channels = {}, {}
    for name, one in zip(NAMES, branches, strict=False):
        wait = timedelta(seconds=one["wait_s"])
        owner = backend(
            name,
            attempt_timeout=timedelta(seconds=one["attempt_s"]),
            retry=RetryPolicy(max_attempts=one["attempts"], first_wait=wait, longest_wait=wait * 4),
            bulkhead=BulkheadPolicy(max_concurrent=one["permits"], max_wait=timedelta(seconds=1)),
            hedge=None if one["hedge_s"] is None else HedgePolicy(after=timedelta(seconds=one["hedge_s"])),
            breaker=BreakerPolicy(minimum_calls=one["breaker"]),
        )
        sections[name] = one["kind"](owner.get("/x", into=Item))
        steps: list[Step] = one["steps"]
        channels[owner] = Scripted(*steps)
    world = World(channels, seed=seed)
    for owner, one in zip(channels, branches, strict=False):
        bulkhead = world.backends.state(owner).bulkhead
        if one["taken"] and bulkhead.acquire():  # by somebody who gives it back after a while
            world.clock.call_later(0.3, bulkhead.release)
    return type("Screen", (Sections,), sections), world


@settings(max_examples=300, deadline=None)
@given(branches=st.lists(BRANCH, min_size=1, max_size=4), budget_ms=st.integers(1, 4000), seed=st.integers(0, 9))
async def test_there_is_always_an_answer_by_the_deadline_and_nothing_left(
    branches: list[dict[str, Any]], budget_ms: int, seed: int
) -> None:
    """A value or a problem, never an exception of another kind; no permit, exchange, timer or task survives it."""
    screen, world = build(branches, seed)

    (answer,) = await asyncio.gather(world.run(screen, budget_s=budget_ms / 1000), return_exceptions=True)

    if isinstance(answer, Sections):
        gaps = {gap.section for gap in answer.degraded}
        assert all(answer.values[one.attribute] in (Item(id=1), one.default) for one in screen.declared)
        assert all(one.name not in gaps for one in screen.declared if one.fallback is None)
    else:
        assert isinstance(answer, ProblemError), answer
        assert answer.status in {404, 502, 503, 504}

    assert world.clock.now_s() <= 1000.0 + budget_ms / 1000
    await world.clock.advance(0.3)
    await settle()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    world.assert_nothing_left()
    retries = sum(max(0, len(section.attempts) - 1) for section in world.ledger.sections)
    assert retries <= 2


@settings(max_examples=150, deadline=None)
@given(branches=st.lists(BRANCH, min_size=1, max_size=4), leave_ms=st.integers(0, 3000), seed=st.integers(0, 9))
async def test_a_client_may_leave_at_any_moment(branches: list[dict[str, Any]], leave_ms: int, seed: int) -> None:
    """Every attempt is given up at once, and no later reply or timer stirs anything."""
    screen, world = build(branches, seed)
    work = asyncio.ensure_future(world.fetch(screen))
    await world.clock.advance(leave_ms / 1000)
    work.cancel()
    await asyncio.wait([work])
    if not work.cancelled():
        work.exception()
    await settle()

    assert asyncio.all_tasks() == {asyncio.current_task()}
    sent = [len(channel.requests) for channel in world.channels.values()]
    await world.clock.advance(60)
    world.assert_nothing_left()
    assert [len(channel.requests) for channel in world.channels.values()] == sent
