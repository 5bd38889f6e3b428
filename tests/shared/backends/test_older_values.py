"""An older value stands in: while it is young enough, and only for its own user, target and type."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.backends.sections import Sections, nullable, optional
from shared.errors import (
    Reason,
    Source,
)
from shared.testing.scripted import Scripted, reply, status
from tests.shared.backends.screen import ALICE, BOB, Item, World, backend
from tests.shared.backends.troubles import (
    DEFAULT,
    OLD,
    ONCE,
    STALE_FOR,
    TROUBLE,
    every_reason,
)


def well_at_first(reason: Reason, declare: Callable[[Any], Any]) -> tuple[type[Sections], World, Callable[[], None]]:
    """Return a screen, a world that is well for one request, and what makes it meet that reason after it."""
    trouble = TROUBLE[reason]
    items = backend("items", retry=ONCE, attempt_timeout=trouble.policy.get("attempt_timeout", timedelta(seconds=60)))

    class Screen(Sections):
        main_item = declare(items.get("/items/{user}", into=Item))

    world = World({items: Scripted(reply({"id": 1}), trouble.step)})

    def break_it() -> None:
        if reason is Reason.REJECTED:
            world.backends.state(items).bulkhead.resize(0)

    return Screen, world, break_it


@every_reason
@pytest.mark.parametrize("kind", ["optional", "nullable"])
async def test_an_older_value_stands_in_while_it_is_young_enough(reason: Reason, kind: str) -> None:
    """Its age is told in whole seconds; once too old, the declared fallback has its turn."""

    def declare(call: Any) -> Any:
        if kind == "nullable":
            return nullable(call, stale_for=STALE_FOR)
        return optional(call, default=DEFAULT, stale_for=STALE_FOR)

    screen, world, break_it = well_at_first(reason, declare)
    assert (await world.run(screen, user="u")).degraded == ()
    break_it()
    await world.clock.advance(12.4)

    got = await world.run(screen, user="u")

    assert got.main_item == OLD
    (gap,) = got.degraded
    waited = {Reason.TIMEOUT: 1, Reason.DEADLINE: 2.975}.get(reason, 0)
    assert (gap.reason, gap.source, gap.age_seconds) == (reason, Source.STALE, int(12.4 + waited))

    await world.clock.advance(STALE_FOR.total_seconds())
    got = await world.run(screen, user="u")
    assert got.main_item == (None if kind == "nullable" else DEFAULT)
    assert [gap.source for gap in got.degraded] == [Source.NONE if kind == "nullable" else Source.DEFAULT]


async def test_an_older_value_never_answers_another_user() -> None:
    """Same target, same everything, another identity: Bob gets the default, not Alice's item."""
    items = backend("items", retry=ONCE)

    class Screen(Sections):
        mine = optional(items.get("/me", into=Item), default=DEFAULT, stale_for=STALE_FOR)

    world = World({items: Scripted(reply({"id": 1}), status(500))})
    assert (await world.run(Screen, ALICE)).mine == OLD

    assert (await world.run(Screen, BOB)).mine == DEFAULT
    assert (await world.run(Screen, ALICE)).mine == OLD


async def test_an_older_value_answers_only_its_own_target_and_type() -> None:
    """Another parameter, or another reading of the same target, is another value."""
    items = backend("items", retry=ONCE)

    class Screen(Sections):
        as_item = nullable(items.get("/items/{user}", into=Item), stale_for=STALE_FOR)

    class OtherReading(Sections):
        as_dict = nullable(items.get("/items/{user}", into=dict[str, int]), stale_for=STALE_FOR)

    world = World({items: Scripted(reply({"id": 1}), status(500))})
    await world.run(Screen, user="u")

    assert (await world.run(Screen, user="v")).as_item is None
    assert (await world.run(OtherReading, user="u")).as_dict is None
    assert (await world.run(Screen, user="u")).as_item == OLD


async def test_what_went_wrong_is_never_remembered() -> None:
    """Only fresh values stand in: not a default, not an older value with a new date."""
    items = backend("items", retry=ONCE)

    class Screen(Sections):
        item = optional(items.get("/x", into=Item), default=DEFAULT, stale_for=timedelta(seconds=10))

    world = World({items: Scripted(reply({"id": 1}), status(500))})
    for _ in range(3):
        got = await world.run(Screen)
        await world.clock.advance(4)

    assert got.degraded[0].age_seconds == 8
    assert (await world.run(Screen)).item == DEFAULT
