"""The second level of the response cache: what other processes, or this one before a restart, were answered.

Owns who asks the store for an answer, and what is written there. It is never in the way: a look-up has a time of its
own, the store's, and takes none when the store is not well; writing is behind the answers (``behind.py``). The first
level, ``cache.py``, is asked before, and takes what is found.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from shared.backends.behind import BehindPolicy, Kept, WriteBehind
from shared.backends.cache import CallKey
from shared.backends.envelope import Envelope, name_of, unpack
from shared.clock import Clock
from shared.store.errors import StoreError
from shared.store.store import Store

# Shorter is over before another process could ask.
SHORTEST_S: Final = 1.0
# What is left to write when a process ends is worth a moment, not a deploy.
FLUSH_WITHIN_S: Final = 0.25

Asked = asyncio.Future[bytes | None]
# Backend and template of a call: there are as many as are declared.
Kind = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPolicy:
    """What is written to the store."""

    # Screens are made of kilobytes; one large value takes as long as a thousand small ones, and all wait for it.
    max_body_bytes: int = 256 * 1024
    # Nobody's data is kept longer, whatever backends and sections say: what is in no process any more must end.
    longest: timedelta = timedelta(days=1)
    behind: BehindPolicy = field(default_factory=BehindPolicy)


class StoredAnswers:
    """The live part. ``service`` keeps the answers of one BFF's backends from those of another's.

    ``counts``: look-ups by what came of them (``hit``, ``miss``, ``failed``, ``garbled``), and what was ``written``,
    ``forgotten``, ``dropped`` or ``too_large``.
    """

    def __init__(self, store: Store, service: str, clock: Clock, policy: StoredPolicy | None = None) -> None:
        self._store = store
        self._service = service
        self._clock = clock
        self._policy = policy or StoredPolicy()
        self._asked: dict[bytes, Asked] = {}
        self._barren: set[Kind] = set()
        self.counts: Counter[str] = Counter()
        self._behind = WriteBehind(store, clock, self._policy.behind, self.counts)

    def ask(self, kind: Kind, key: CallKey, left_s: float) -> Asked | None:
        """Ask for an answer; None when it is not worth asking, or too little time is left for it.

        It is not while the store is away, nor for a ``kind`` of call whose last answer gave nothing to store.
        All who ask for one at the same time wait for one future; so nobody may cancel it.
        """
        if not self._store.up or kind in self._barren or left_s < 2 * self._store.answer_s:
            return None
        name = name_of(self._service, key)
        asked = self._asked.get(name)
        if asked is not None:
            return asked
        try:
            asked = self._asked[name] = self._store.get(name)
        except StoreError:
            self.counts["failed"] += 1
            return None
        asked.add_done_callback(lambda _: self._asked.pop(name))
        return asked

    def read(self, asked: Asked) -> Envelope | None:
        """Return what came of it, if anything."""
        if asked.cancelled() or asked.exception() is not None:
            self.counts["failed"] += 1
            return None
        value = asked.result()
        envelope = None if value is None else unpack(value)
        self.counts["miss" if value is None else "garbled" if envelope is None else "hit"] += 1
        return envelope

    def to_keep(self, body: bytes) -> bytes | None:
        """Return the payload if it may be written; then it must be at hand when it is renewed."""
        if len(body) <= self._policy.max_body_bytes:
            return body
        self.counts["too_large"] += 1
        return None

    def keep(self, kind: Kind, key: CallKey, envelope: Envelope, useful_s: float) -> None:
        """Write an answer, for as long as it is of use."""
        if useful_s < SHORTEST_S:
            self._barren.add(kind)
            return
        self._barren.discard(kind)
        longest_s = self._policy.longest.total_seconds()
        kept = Kept(envelope, timedelta(seconds=min(useful_s, longest_s)))
        self._behind.put(name_of(self._service, key), kept)

    def keeps_nothing(self, kind: Kind) -> None:
        """Learn that an answer was not to be stored: the next of its kind need not be looked for."""
        self._barren.add(kind)

    def forget(self, key: CallKey) -> None:
        """Delete an answer."""
        self._behind.delete(name_of(self._service, key))

    async def aclose(self) -> None:
        """Write what waits, within a moment."""
        await self._behind.aclose(FLUSH_WITHIN_S)
