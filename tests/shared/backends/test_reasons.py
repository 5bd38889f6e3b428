"""The partial-result contract: every reason met by every kind of section (architecture §4)."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.backends.sections import Sections, nullable, optional, required
from shared.errors import (
    Reason,
    SectionUnavailable,
    Source,
)
from shared.testing.scripted import Scripted, Step
from tests.shared.backends.screen import Item, World, backend
from tests.shared.backends.troubles import (
    DEFAULT,
    LASTING,
    ONCE,
    STATUS,
    TROUBLE,
    every_reason,
)


def one_section(declare: Callable[[Any], Any], reason: Reason, *before: Step) -> tuple[type[Sections], World]:
    """Return a screen with the one section, and a world in which it meets that reason (after ``before``)."""
    trouble = TROUBLE[reason]
    items = backend("items", retry=ONCE, **trouble.policy)

    class Screen(Sections):
        main_item = declare(items.get("/items/{user}", into=Item))

    return Screen, World({items: Scripted(*before, trouble.step)})


def test_the_tables_here_are_whole() -> None:
    """A new reason must be added to every promise below."""
    assert set(TROUBLE) == set(STATUS) == set(Reason)


@every_reason
async def test_a_required_section_decides_the_status(reason: Reason) -> None:
    """By its reason; the problem names the section; 503 says when to come back."""
    screen, world = one_section(required, reason)

    with pytest.raises(SectionUnavailable) as missing:
        await world.run(screen, user="u")

    problem = missing.value
    assert (problem.status, problem.code) == STATUS[reason]
    assert (problem.section, problem.reason) == ("mainItem", reason)
    assert (problem.retry_after is None) == (reason in LASTING)
    if problem.status == 503:
        assert problem.retry_after
    assert [(one.outcome, one.reason) for one in world.ledger.sections] == [("failed", reason)]
    world.assert_nothing_left()


@every_reason
async def test_an_optional_section_has_its_default(reason: Reason) -> None:
    """And ``degraded`` says so, once."""
    screen, world = one_section(lambda call: optional(call, default=DEFAULT), reason)

    got = await world.run(screen, user="u")

    assert got.main_item == DEFAULT
    (gap,) = got.degraded
    assert (gap.section, gap.reason, gap.source, gap.age_seconds) == ("mainItem", reason, Source.DEFAULT, None)
    assert gap.retry_after_seconds == (None if reason in LASTING else 2)
    assert world.ledger.degraded == f"mainItem:{reason}:default"
    assert [(one.outcome, one.reason) for one in world.ledger.sections] == [("default", reason)]
    world.assert_nothing_left()


@every_reason
async def test_a_nullable_section_is_null(reason: Reason) -> None:
    """Where no honest default exists, nothing stands in."""
    screen, world = one_section(nullable, reason)

    got = await world.run(screen, user="u")

    assert got.main_item is None
    assert [(gap.section, gap.reason, gap.source) for gap in got.degraded] == [("mainItem", reason, Source.NONE)]
    world.assert_nothing_left()
