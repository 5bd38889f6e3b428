"""An older value stands in: while it is young enough, and only for its own user, target and type."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.backends.backend import Call
from shared.backends.cache import CachePolicy
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


@pytest.mark.parametrize("reason", [one for one in Reason if one is not Reason.REFUSED], ids=str)
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


@pytest.mark.parametrize("code", [401, 403, 404, 410])
async def test_what_was_withdrawn_is_not_shown_and_never_comes_back(code: int) -> None:
    """The thing is gone, or the right to see it: the default at once, and again when the backend then only fails."""
    items = backend("items", retry=ONCE)

    class Screen(Sections):
        item = optional(items.get("/x", into=Item), default=DEFAULT, stale_for=STALE_FOR)

    world = World({items: Scripted(reply({"id": 1}), status(code), status(500))})
    await world.run(Screen)

    for reason in (Reason.REFUSED, Reason.FAULTED):
        got = await world.run(Screen)
        assert got.item == DEFAULT
        assert [(gap.reason, gap.source) for gap in got.degraded] == [(reason, Source.DEFAULT)]
    assert len(world.backends.cache) == 0


@pytest.mark.parametrize("code", [400, 402, 405, 406, 408, 409, 412, 415, 422, 425, 428, 429, 451])
async def test_other_refusals_take_nothing_back(code: int) -> None:
    """They are about this request, or about how many there are: what was true a moment ago stands in."""
    items = backend("items", retry=ONCE)

    class Screen(Sections):
        item = optional(items.get("/x", into=Item), default=DEFAULT, stale_for=STALE_FOR)

    world = World({items: Scripted(reply({"id": 1}), status(code))})
    await world.run(Screen)

    assert (await world.run(Screen)).item == OLD


async def test_a_withdrawal_is_its_callers_own() -> None:
    """Bob may not see it any more; what Alice saw stands in for Alice all the same."""
    items = backend("items", retry=ONCE)

    class Screen(Sections):
        item = optional(items.get("/x", into=Item), default=DEFAULT, stale_for=STALE_FOR)

    world = World({items: Scripted(reply({"id": 1}), reply({"id": 1}), status(403), status(500))})
    for caller in (ALICE, BOB, BOB):
        await world.run(Screen, caller)

    assert (await world.run(Screen, ALICE)).item == OLD
    assert (await world.run(Screen, BOB)).item == DEFAULT


async def test_a_withdrawal_seen_by_whoever_asked_ends_the_memory_for_all_sections() -> None:
    """Two sections read one target; the one without a memory of its own learns of the 404, the other forgets."""
    items = backend("items", retry=ONCE)
    call: Call[Item] = items.get("/x", into=Item)

    class Keeping(Sections):
        item = optional(call, default=DEFAULT, stale_for=STALE_FOR)

    class Passing(Sections):
        item = nullable(call)

    world = World({items: Scripted(reply({"id": 1}), status(404), status(500))})
    await world.run(Keeping)
    await world.run(Passing)

    assert (await world.run(Keeping)).item == DEFAULT


async def test_a_withdrawal_learnt_behind_an_answer_counts_too() -> None:
    """The renewal of what was just given met a 410: the next reader asks, and nothing stands in."""
    items = backend("items", retry=ONCE)
    policy = CachePolicy(while_revalidate=timedelta(seconds=30))

    class Screen(Sections):
        item = optional(items.get("/x", into=Item, cache=policy), default=DEFAULT, stale_for=STALE_FOR)

    held = reply({"id": 1}, headers=(("cache-control", "max-age=5"),))
    world = World({items: Scripted(held, status(410), status(500))})
    await world.run(Screen)
    await world.clock.advance(6)
    assert (await world.run(Screen)).item == OLD
    await world.clock.advance(0)

    got = await world.run(Screen)

    assert (got.item, [gap.reason for gap in got.degraded]) == (DEFAULT, [Reason.FAULTED])


async def test_what_depends_on_a_withdrawn_section_keeps_its_own_memory() -> None:
    """Its own backend said nothing: its older value is not shown now, for it was not asked, and is there next time."""
    first, then = backend("first", retry=ONCE), backend("then", retry=ONCE)

    class Screen(Sections):
        one = nullable(first.get("/x", into=Item))
        two = nullable(then.get("/y/{of}", into=Item), stale_for=STALE_FOR, given={"of": one.of(lambda it: str(it.id))})

    ok = reply({"id": 1})
    world = World({first: Scripted(ok, status(404), ok), then: Scripted(ok, status(500))})
    await world.run(Screen)
    assert (await world.run(Screen)).two is None

    assert (await world.run(Screen)).two == OLD
