"""Where the records of API keys are kept: one hash in the store, and a mark that changes with it.

Owns the scripts, so that a change is whole or not at all, and that a reader who knows the mark reads no record. One
tag in all names: in a cluster they are in one slot. A store without persistence forgets keys.
"""

import secrets
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from shared.identity.key_records import KeyRecord, read_record
from shared.store.command import Script, Word
from shared.store.store import Store

RECORDS: Final = b"frontage:{keys}:records"
MARK: Final = b"frontage:{keys}:mark"
USED: Final = b"frontage:{keys}:used"


class Snapshot(NamedTuple):
    """All records by id, as of a mark."""

    mark: bytes
    records: dict[str, KeyRecord]


class Change(NamedTuple):
    """One record to write: as it was (None: it must not be there yet), and as it shall be."""

    before: KeyRecord | None
    after: KeyRecord


class KeyChangedMeanwhileError(Exception):
    """Somebody else changed a record in between: nothing was written."""


def _snapshot(reply: Any) -> Snapshot | None:
    mark, *rest = reply
    if not rest:
        return None
    records = [read_record(text) for text in rest[0][1::2]]
    return Snapshot(bytes(mark), {one.id: one for one in records})


_READ: Final = Script(
    """
    local mark = redis.call('GET', KEYS[1]) or ''
    if mark == ARGV[1] then return {mark} end
    return {mark, redis.call('HGETALL', KEYS[2])}
    """,
    _snapshot,
)
_WRITE: Final = Script(
    """
    for i = 2, #ARGV, 3 do
      if (redis.call('HGET', KEYS[2], ARGV[i]) or '') ~= ARGV[i + 1] then return 0 end
    end
    for i = 2, #ARGV, 3 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 2]) end
    redis.call('SET', KEYS[1], ARGV[1])
    return 1
    """,
    int,
)
_USE: Final = Script(
    """
    for i = 2, #ARGV do redis.call('HSET', KEYS[1], ARGV[i], ARGV[1]) end
    return #ARGV - 1
    """,
    int,
)
_USES: Final = Script(
    "return redis.call('HGETALL', KEYS[1])",
    lambda reply: {bytes(key).decode(): int(at) for key, at in zip(reply[::2], reply[1::2], strict=True)},
)


class KeyStore:
    """The records in one store. Every method raises StoreError when the store does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, known: bytes | None = None) -> Snapshot | None:
        """Return every record, or None when the mark is still the known one. Raises StoreRefused for what is none."""
        # No mark has a space in it: nothing is known yet.
        return await self._store.run(_READ, (MARK, RECORDS), (b" " if known is None else known,))

    async def write(self, *changes: Change) -> None:
        """Write all of the changes or none. Raises KeyChangedMeanwhileError."""
        words: list[Word] = [secrets.token_hex(16)]
        for before, after in changes:
            words += (after.id, b"" if before is None else before.written(), after.written())
        if not await self._store.run(_WRITE, (MARK, RECORDS), words):
            raise KeyChangedMeanwhileError

    async def note_use(self, ids: Iterable[str], now_s: float) -> None:
        """Note that these keys were used about now."""
        await self._store.run(_USE, (USED,), (int(now_s), *ids))

    async def uses(self) -> dict[str, int]:
        """Return when each key was used last, within five minutes."""
        return await self._store.run(_USES, (USED,), ())
