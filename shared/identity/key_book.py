"""API keys as they stand now: all records in memory, read again every two seconds.

Owns the promise: what is revoked stops to count within ``max_age`` (5 s), whatever happens. So a book that could not
be read for that long answers 503 and not "valid": only who accepts the risk sets a longer one. Looking a key up asks
nobody; an unknown one takes as long as a wrong one.
"""

import asyncio
import hmac
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.clock import Clock
from shared.errors import ProblemCode, ProblemError
from shared.identity.api_keys import read_key
from shared.identity.credential import CredentialKind, bad_credential
from shared.identity.key_records import KeyRecord, KeyState
from shared.identity.key_store import KeyStore, Snapshot
from shared.identity.principal import Principal
from shared.store.errors import StoreError
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

# What an unknown key is compared with.
NOBODYS: Final = "0" * 64
NEVER: Final = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyBookPolicy:
    """How old the book may be, and how often a key's use is noted."""

    read_every: timedelta = timedelta(seconds=2)
    # Two readings and a slow answer. The stated bound of a revocation.
    max_age: timedelta = timedelta(seconds=5)
    # The first reading and after a failure: somebody waits for it.
    read_again: timedelta = timedelta(milliseconds=250)
    # Coarse: who rotates wants to know whether a key is still in use, not every call.
    note_use_every: timedelta = timedelta(minutes=5)


class KeyBook:
    """The live book of one process. ``start`` it with the process, ``close`` it before the store."""

    def __init__(self, keys: KeyStore, clock: Clock, policy: KeyBookPolicy | None = None) -> None:
        self._keys = keys
        self._clock = clock
        self._policy = policy or KeyBookPolicy()
        self._max_age_s = self._policy.max_age.total_seconds()
        self._book = Snapshot(b"", {})
        self._read_at_s = -math.inf
        self._used: dict[str, float] = {}
        self._noted: dict[str, float] = {}
        self._reading: asyncio.Task[None] | None = None
        self.listener: Callable[[KeyRecord, str], None] = lambda *_: None

    @property
    def ready(self) -> bool:
        """Whether the book is young enough to be believed."""
        return self._clock.now_s() - self._read_at_s < self._max_age_s

    def start(self) -> None:
        """Begin to read."""
        self._reading = asyncio.get_running_loop().create_task(self._keep_reading())

    async def close(self) -> None:
        """Read no more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    def verify(self, text: str) -> Principal:
        """Return whom an API key speaks for. Raises 401 for one that does not count, 503 when that is not known."""
        key = read_key(text)
        if key is None:  # a typing error, or nothing of ours: nobody is asked
            log.info("api_key_refused", reason="not a key")
            raise bad_credential(CredentialKind.API_KEY)
        if not self.ready:
            raise ProblemError(
                ProblemCode.BACKEND_UNREACHABLE, "API keys cannot be verified now.", retry_after=timedelta(seconds=1)
            )
        record = self._book.records.get(key.id)
        fits = hmac.compare_digest(key.digest, record.digest if record else NOBODYS)
        now = self._clock.wall_s()
        if record is None or not fits or not record.counts(now):
            reason = "unknown" if record is None else "another secret" if not fits else record.status(now)
            log.info("api_key_refused", key_id=key.id, reason=reason)
            raise bad_credential(CredentialKind.API_KEY)
        self._used[key.id] = now
        self.listener(record, "used")
        return principal_of(record, text)

    async def read(self) -> None:
        """Read the book once. Raises StoreError."""
        asked_at_s = self._clock.now_s()  # what was changed after this moment may be missing
        found = await self._keys.read(self._book.mark if self._read_at_s > -math.inf else None)
        if found is not None:
            self._book = found
            log.info("api_keys_read", count=len(found.records))
        self._read_at_s = asked_at_s

    async def _keep_reading(self) -> None:
        failing = False
        while True:
            try:
                await self.read()
                await self._note_uses()
            except StoreError as error:
                if not failing:
                    log.warning("api_keys_unread", cause=str(error))
                failing = True
                await self._clock.sleep(self._policy.read_again.total_seconds())
            else:
                failing = False
                await self._clock.sleep(self._policy.read_every.total_seconds())

    async def _note_uses(self) -> None:
        used, self._used = self._used, {}
        every_s = self._policy.note_use_every.total_seconds()
        news = {one: at for one, at in used.items() if at - self._noted.get(one, -NEVER) >= every_s}
        if news:
            self._noted |= news
            await self._keys.note_use(news, max(news.values()))


def principal_of(record: KeyRecord, text: str) -> Principal:
    """Return whom a key speaks for: its client, as itself."""
    return Principal(
        subject=record.client,
        client_id=record.client,
        scopes=frozenset(record.scopes),
        expires_at=NEVER if record.expires_at is None else record.expires_at,
        token=text,
        kind=CredentialKind.API_KEY,
        audiences=frozenset(record.audiences),
        retiring=record.state is KeyState.RETIRING,
    )
