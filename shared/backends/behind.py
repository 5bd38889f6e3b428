"""What is written to the store, behind the answers: nobody waits for it, and it may be left out.

Owns the queue. It is bounded twice, and what has no room is dropped and counted: a cache that misses is well, a request
that waits for a cache is not. Of one key only the latest counts, so that what was withdrawn is not written after.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NamedTuple

from shared.backends.envelope import Envelope, pack
from shared.clock import Clock
from shared.store.errors import StoreError
from shared.store.store import Store

# Answers come first: what they leave to write waits until they are likely on their way.
REST_S: Final = 0.005
# At once; reads of the same store must not queue behind more.
BATCH: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class BehindPolicy:
    """How much may wait to be written."""

    # A second's answers of one busy process; a store that takes longer for them is one that is not well.
    max_waiting: int = 2_000
    max_bytes: int = 8 * 1024 * 1024


class Kept(NamedTuple):
    """What is to be written, and for how long it is of use."""

    envelope: Envelope
    ttl: timedelta


class WriteBehind:
    """The live queue: key to what is to be written, or None for what is to be deleted."""

    def __init__(self, store: Store, clock: Clock, policy: BehindPolicy, counts: Counter[str]) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._counts = counts
        self._waiting: dict[bytes, Kept | None] = {}
        self._bytes = 0
        self._work: asyncio.Task[None] | None = None

    def put(self, key: bytes, kept: Kept) -> None:
        """Write soon, if there is room."""
        self._discard(key)
        size = len(kept.envelope.body)
        if len(self._waiting) >= self._policy.max_waiting or self._bytes + size > self._policy.max_bytes:
            self._counts["dropped"] += 1
            return
        self._bytes += size
        self._add(key, kept)

    def delete(self, key: bytes) -> None:
        """Delete soon; there is always room for that."""
        self._discard(key)
        self._add(key, None)

    async def aclose(self, within_s: float) -> None:
        """Write what waits, as far as there is time."""
        if self._work is not None:
            await asyncio.wait((self._work,), timeout=within_s)
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    def _add(self, key: bytes, kept: Kept | None) -> None:
        self._waiting[key] = kept
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._drain())

    def _discard(self, key: bytes) -> None:
        kept = self._waiting.pop(key, None)
        if kept is not None:
            self._bytes -= len(kept.envelope.body)

    async def _drain(self) -> None:
        while self._waiting:
            await self._clock.sleep(REST_S)
            batch = {key: self._waiting[key] for key in list(self._waiting)[:BATCH]}
            for key in batch:
                self._discard(key)
            told = [self._sent(key, kept) for key, kept in batch.items()]
            await asyncio.gather(*[one for one in told if one is not None], return_exceptions=True)

    def _sent(self, key: bytes, kept: Kept | None) -> "asyncio.Future[None] | asyncio.Future[int] | None":
        try:
            if kept is None:
                gone = self._store.delete(key)
                gone.add_done_callback(self._counting("forgotten"))
                return gone
            told = self._store.put(key, pack(kept.envelope), kept.ttl)
        except StoreError:
            self._counts["dropped"] += 1
            return None
        told.add_done_callback(self._counting("written"))
        return told

    def _counting(self, done: str) -> "Callable[[asyncio.Future[None] | asyncio.Future[int]], None]":
        def count(told: "asyncio.Future[None] | asyncio.Future[int]") -> None:
            self._counts["dropped" if told.cancelled() or told.exception() is not None else done] += 1

        return count
