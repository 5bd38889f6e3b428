"""A fan-out leaves nothing for the collector: what it made is freed when its answer is."""

import gc
from datetime import timedelta

import pytest

from shared.backends.cache import CachePolicy
from shared.backends.sections import Sections, nullable
from shared.backends.wire.pool import PoolPolicy, WirePool
from shared.clock import LoopClock
from shared.testing.scripted import Scripted, Step, reply, status
from tests.shared.backends.raw import RawBackend, answers, http
from tests.shared.backends.screen import Item, World, backend

ITEMS = backend("items")


class Page(Sections):
    shared = nullable(ITEMS.get("/a", into=Item, cache=CachePolicy()), stale_for=timedelta(minutes=1))
    alone = nullable(ITEMS.get("/b", into=Item, coalesce=False))
    again = nullable(ITEMS.get("/a", into=Item))


@pytest.mark.parametrize("step", [reply({"id": 1}), status(404)])
async def test_no_cycle_is_left_behind(step: Step) -> None:
    """At thousands of answers a second, cycles are what makes the collector stop the process."""
    assert await left_by(World({ITEMS: Scripted(step)})) == set()


async def test_no_cycle_is_left_on_the_wire() -> None:
    """Nor between an attempt and what carried it."""
    async with RawBackend(answers(http(b'{"id": 1}'))) as backend:
        pool = WirePool("items", backend.url, PoolPolicy(), LoopClock())
        assert await left_by(World({ITEMS: pool})) == set()
        await pool.aclose()


async def left_by(world: World) -> set[str]:
    """Return the types of ours that only the collector would free after a page."""
    await world.run(Page)
    gc.collect()
    gc.disable()
    try:
        await world.run(Page)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        return {type(one).__name__ for one in gc.garbage if type(one).__module__.startswith("shared.")}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
