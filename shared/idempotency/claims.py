"""Who executes a write, and what came of it: one record for each key in the store, changed by scripts alone.

Owns the record. It holds the digest of the request (another one under the same key is told apart), who executes it and
until when, and in the end the answer. A claim ends by itself, so a process that died holds up nobody for longer than a
request can take; the key of who executes is checked before anything is written, so one that comes late writes nothing.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from shared.store.command import Script
from shared.store.store import Store

# As long as an app may try again: over a night without a network.
KEPT: Final = timedelta(hours=24)
# A request has three seconds at most (``asgi/defaults.py``); who has not finished by then never will.
LEASE: Final = timedelta(seconds=10)

CLAIM: Final = """
local key, digest, holder, lease, kept = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local had = redis.call('HMGET', key, 'digest', 'answer', 'until')
if had[1] and had[1] ~= digest then return {'other'} end
if had[2] then return {'done', had[2]} end
if had[3] and tonumber(had[3]) > now then return {'busy', tostring(tonumber(had[3]) - now)} end
redis.call('HSET', key, 'digest', digest, 'holder', holder, 'until', now + lease)
redis.call('PEXPIRE', key, kept)
return {'mine'}
"""
FINISH: Final = """
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'answer', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
RELEASE: Final = """
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
return redis.call('HDEL', KEYS[1], 'holder', 'until')
"""


class Standing(StrEnum):
    """How a write stands when it comes."""

    MINE = "mine"
    BUSY = "busy"
    DONE = "done"
    OTHER = "other"


class Claim(NamedTuple):
    """What a claim found: the answer when it is done, the time that it may still take when it is busy."""

    standing: Standing
    answer: bytes = b""
    left: timedelta = timedelta(0)


def _claim(reply: Any) -> Claim:
    standing = Standing(reply[0].decode())
    if standing is Standing.DONE:
        return Claim(standing, answer=reply[1])
    if standing is Standing.BUSY:
        return Claim(standing, left=timedelta(milliseconds=float(reply[1])))
    return Claim(standing)


_CLAIM: Final = Script(CLAIM, _claim)
_FINISH: Final = Script(FINISH, bool)
_RELEASE: Final = Script(RELEASE, bool)


def _ms(time: timedelta) -> int:
    return int(time / timedelta(milliseconds=1))


class Claims:
    """The records of one service. Every method raises StoreError when the store did not say that it did it."""

    def __init__(self, store: Store, service: str) -> None:
        self._store = store
        self._prefix = f"frontage:{service}:once:1:".encode()

    async def claim(self, name: str, digest: str, holder: str) -> Claim:
        """Claim a write for ``holder``, or learn how it stands."""
        return await self._store.run(_CLAIM, [self._key(name)], [digest, holder, _ms(LEASE), _ms(KEPT)])

    async def finish(self, name: str, holder: str, answer: bytes) -> bool:
        """Keep the answer, if the claim is still ``holder``'s."""
        return await self._store.run(_FINISH, [self._key(name)], [holder, answer, _ms(KEPT)])

    def release(self, name: str, holder: str) -> None:
        """Let the next one execute it; nobody waits for that, and a claim that stays ends by itself."""
        self._store.run(_RELEASE, [self._key(name)], [holder])

    def _key(self, name: str) -> bytes:
        return self._prefix + name.encode()
