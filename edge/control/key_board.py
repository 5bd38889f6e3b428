"""Where control services post their public keys for each other: one hash in the store.

Owns what a posting says. One that was not renewed for ``ALIVE`` is of a process that is gone; its key is still
published until ``until``. Without a store there is nobody else.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

from shared.store.command import Script, Word
from shared.store.store import Store

BOARD: Final = b"frontage:edge-jwks"
# Three postings: a process that missed them does not sign any more.
ALIVE: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Posted:
    """One public key, as JSON Web Key; ``signing``: somebody alive signs with it, or will."""

    public: dict[str, Any]
    signing: bool


class KeyBoard(Protocol):
    """What all control services have in common."""

    async def read(self, now_s: float) -> dict[str, Posted]:
        """Return every key that still counts, by its id. Raises StoreError."""

    async def post(self, keys: Sequence[Posted], now_s: float, linger: timedelta) -> None:
        """Post one's own keys, which count until ``linger`` from now unless posted again. Raises StoreError."""


def _postings(reply: Any) -> list[dict[str, Any]]:
    return [json.loads(text) for text in reply[1::2]]


_READ: Final = Script("return redis.call('HGETALL', KEYS[1])", _postings)
# The whole hash ends with the last one that posts; what is over is taken out by whoever comes by.
_POST: Final = Script(
    """
    for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
    local all = redis.call('HGETALL', KEYS[1])
    for i = 1, #all, 2 do
      if cjson.decode(all[i + 1])['until'] < tonumber(ARGV[1]) then redis.call('HDEL', KEYS[1], all[i]) end
    end
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return 1
    """,
    int,
)


class StoreBoard:
    """The board in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, now_s: float) -> dict[str, Posted]:
        """Return every key that still counts, by its id. Raises StoreError."""
        alive_s = ALIVE.total_seconds()
        return {
            one["jwk"]["kid"]: Posted(one["jwk"], signing=one["signing"] and now_s - one["posted"] < alive_s)
            for one in await self._store.run(_READ, (BOARD,), ())
            if one["until"] >= now_s
        }

    async def post(self, keys: Sequence[Posted], now_s: float, linger: timedelta) -> None:
        """Post one's own keys, which count until ``linger`` from now unless posted again. Raises StoreError."""
        until = now_s + linger.total_seconds()
        words: list[Word] = [now_s, int(linger / timedelta(milliseconds=1))]
        for key in keys:
            posting = {"jwk": key.public, "signing": key.signing, "posted": now_s, "until": until}
            words += (str(key.public["kid"]), json.dumps(posting))
        await self._store.run(_POST, (BOARD,), words)


class NoBoard:
    """For a control service that is alone."""

    async def read(self, now_s: float) -> dict[str, Posted]:  # noqa: ARG002 - the board's form
        """Nobody else posts."""
        return {}

    async def post(self, keys: Sequence[Posted], now_s: float, linger: timedelta) -> None:
        """Nobody else reads."""
