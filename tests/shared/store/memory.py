"""A store in this process, on a hand-turned clock, behind our own seam: ``Lines``. It can be slow, down, or odd."""

from collections.abc import Sequence
from typing import Any

from shared.clock import Clock
from shared.store.command import Word
from shared.store.errors import StoreUnreachable
from shared.store.standing import Listener, nobody
from shared.store.store import Store, StorePolicy


class MemoryLines:
    """Knows GET, SET … PX, DEL and PING, and lets values end when their time is over."""

    most_at_once = 64

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.values: dict[bytes, tuple[bytes, float]] = {}
        self.asked: list[tuple[Word, ...]] = []
        self.takes_s = 0.0
        self.down = False

    def line(self) -> "MemoryLines":
        return self

    async def connect(self) -> None:
        if self.down:
            raise StoreUnreachable("down")

    async def exchange(self, batch: Sequence[tuple[Word, ...]]) -> Sequence[Any]:
        if self.takes_s:
            await self.clock.sleep(self.takes_s)
        self.asked.extend(batch)
        return [self._answer(*words) for words in batch]

    async def aclose(self) -> None: ...

    def named(self, word: str) -> list[bytes]:
        """The keys that were asked about with that word."""
        return [words[1] for words in self.asked if words[0] == word]

    def _answer(self, word: str, key: bytes = b"", value: bytes = b"", *rest: Any) -> Any:
        now_s = self.clock.now_s()
        if word == "SET":
            self.values[key] = (value, now_s + rest[1] / 1000)
        elif word == "DEL":
            return int(self.values.pop(key, None) is not None)
        elif word == "GET":
            found, ends_s = self.values.get(key, (None, 0.0))
            return found if now_s < ends_s else None
        return b"OK"


def memory_store(lines: MemoryLines, policy: StorePolicy | None = None, listener: Listener = nobody) -> Store:
    """Open the real store on it."""
    return Store(lines, policy or StorePolicy(), lines.clock, 4, listener)
