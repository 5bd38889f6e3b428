"""Sections of one screen: which failure speaks for the whole, and what becomes of the others."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.backends.sections import nullable, optional, required
from shared.errors import (
    ProblemCode,
    ProblemError,
    Reason,
    SectionUnavailable,
)
from shared.resilience.bulkhead import BulkheadPolicy
from shared.testing.scripted import Scripted, Step, hang, reply, status
from tests.shared.backends.screen import World, backend
from tests.shared.backends.troubles import (
    DEFAULT,
    A,
    B,
    call_of,
    screen_of,
)


@pytest.mark.parametrize("subject", [required, nullable])
async def test_a_missing_subject_is_not_found(subject: Callable[..., Any]) -> None:
    """404 of the thing asked for: not a gap, not a 502; nobody waits for the rest."""
    world = World({A: Scripted(status(404)), B: Scripted(hang())})
    screen = screen_of(subject(call_of(A), subject=True), nullable(call_of(B)))

    with pytest.raises(ProblemError) as missing:
        await world.run(screen)

    assert (missing.value.code, missing.value.status, missing.value.section) == (ProblemCode.NOT_FOUND, 404, None)
    assert world.clock.now_s() == 1000.0
    world.assert_nothing_left()


async def test_a_404_of_anything_else_is_refused() -> None:
    """Only the subject's absence is the client's business."""
    world = World({A: Scripted(reply({"id": 1})), B: Scripted(status(404))})

    got = await world.run(screen_of(nullable(call_of(A), subject=True), nullable(call_of(B))))

    assert [(gap.section, gap.reason) for gap in got.degraded] == [("two", Reason.REFUSED)]


@pytest.mark.parametrize("code", [400, 403, 410])
async def test_another_4xx_of_the_subject_is_refused(code: int) -> None:
    """Only 404 says that it does not exist."""
    world = World({A: Scripted(status(code)), B: Scripted(reply({"id": 1}))})

    got = await world.run(screen_of(nullable(call_of(A), subject=True), nullable(call_of(B))))

    assert [(gap.section, gap.reason) for gap in got.degraded] == [("one", Reason.REFUSED)]


async def test_the_subjects_404_speaks_before_a_required_section() -> None:
    """A user who does not exist has no orders either: that is 404, not a required section that nobody waited for."""
    world = World({A: Scripted(hang()), B: Scripted(status(404))})

    with pytest.raises(ProblemError) as missing:
        await world.run(screen_of(required(call_of(A)), nullable(call_of(B), subject=True)))

    assert missing.value.code is ProblemCode.NOT_FOUND
    assert world.channels[A].aborted == 1


@pytest.mark.parametrize("slow", [hang(), reply({"id": 1}).after(1)], ids=["hangs", "would answer later"])
@pytest.mark.parametrize("order", ["failed one last", "failed one first"])
async def test_the_required_section_that_failed_is_named_not_the_one_nobody_waited_for(slow: Step, order: str) -> None:
    """Its sibling was well, as far as anybody knows."""
    world = World({A: Scripted(slow), B: Scripted(status(500).after(0.1))})
    sections = [required(call_of(A)), required(call_of(B))]
    failed = "two" if order == "failed one last" else "one"

    with pytest.raises(SectionUnavailable) as missing:
        await world.run(screen_of(*sections if failed == "two" else reversed(sections)))

    assert (missing.value.section, missing.value.code) == (failed, ProblemCode.BACKEND_FAULTED)
    assert world.clock.now_s() == pytest.approx(1000.1)
    world.assert_nothing_left()


async def test_a_required_section_that_failed_ends_the_waiting() -> None:
    """There will be no answer: the others are given up at once, and marked as not used."""
    world = World({A: Scripted(hang()), B: Scripted(status(500).after(0.1))})

    with pytest.raises(SectionUnavailable):
        await world.run(screen_of(nullable(call_of(A)), required(call_of(B))))

    assert world.clock.now_s() == pytest.approx(1000.1)
    assert world.channels[A].aborted == 1
    assert {one.name: one.outcome for one in world.ledger.sections} == {"one": "unused", "two": "failed"}
    assert [one.cancelled for one in world.ledger.sections[0].attempts] == [True]
    world.assert_nothing_left()


async def test_after_a_required_section_was_rejected_nothing_is_sent() -> None:
    """Shedding load must not load the other backends with calls nobody will read."""
    full = backend("full", bulkhead=BulkheadPolicy(max_concurrent=0))
    world = World({full: Scripted(hang()), B: Scripted(hang())})

    with pytest.raises(SectionUnavailable) as missing:
        await world.run(screen_of(required(call_of(full)), nullable(call_of(B))))

    assert missing.value.code is ProblemCode.OVERLOADED
    assert world.channels[B].requests == []
    world.assert_nothing_left()


async def test_several_gaps_are_listed_in_the_order_of_the_declaration() -> None:
    """Not in the order in which they came about."""
    world = World({A: Scripted(status(500).after(0.2)), B: Scripted(status(403))})

    got = await world.run(screen_of(nullable(call_of(A)), optional(call_of(B), default=DEFAULT)))

    assert [gap.section for gap in got.degraded] == ["one", "two"]
    assert world.ledger.degraded == "one:faulted:none,two:refused:default"
