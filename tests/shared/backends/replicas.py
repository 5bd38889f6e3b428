"""Two processes of one BFF that share a store: each with a memory, gates and flights of its own."""

from collections.abc import Mapping
from typing import Any

from shared.backends.backend import Backend
from shared.backends.stored import StoredAnswers, StoredPolicy
from shared.testing.clock import ManualClock
from shared.testing.scripted import Scripted
from tests.shared.backends.screen import World
from tests.shared.store.memory import MemoryLines, memory_store


class Replicas:
    """``here`` and ``there``, two worlds; ``lines`` is what they share."""

    def __init__(
        self, here: Mapping[Backend, Scripted], there: Mapping[Backend, Scripted], policy: StoredPolicy | None = None
    ) -> None:
        self.clock = ManualClock()
        self.lines = MemoryLines(self.clock)
        self.here, self.there = World(here, self.clock), World(there, self.clock)
        for world in (self.here, self.there):
            world.backends.stored = StoredAnswers(memory_store(self.lines), "test", self.clock, policy)

    async def warm(self, screen: type[Any], **parameters: str) -> Any:
        """Ask here, and let what was answered reach the store."""
        got = await self.here.run(screen, **parameters)
        await self.clock.advance(0.1)
        return got

    def counts(self, world: World) -> dict[str, int]:
        assert world.backends.stored is not None
        return dict(world.backends.stored.counts)
