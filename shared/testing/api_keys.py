"""API keys for tests of a BFF that takes them: made, replaced and revoked at once, without a store.

ring = KeyRing("partner")                                   # the BFF's own name
key = ring.make("acme", "orders:read")                      # {"x-api-key": "bffk_test_…"}
ring.revoke(key)

Owns the book that knows them; ``open_bff(..., accept="api_key", api_keys=ring)`` puts it in the place of the store's.
What a key is worth is judged as ever (``shared/identity/key_book.py``).
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from shared.clock import Clock
from shared.identity.api_keys import new_key, read_key
from shared.identity.credential import API_KEY_HEADER
from shared.identity.key_book import KeyBook
from shared.identity.key_records import KeyRecord, new_record
from shared.identity.key_store import KeyStore, Snapshot

# What a BFF's settings want to see where it takes keys; nobody asks there.
NOWHERE: Final = "valkey://127.0.0.1:1"


class KeyRing:
    """The keys of one test, as of ``now`` (seconds since the Unix epoch)."""

    def __init__(self, audience: str, now: Callable[[], float] = time.time) -> None:
        self._audience = audience
        self._now = now
        self.records: dict[str, KeyRecord] = {}

    def make(self, client: str, *scopes: str, audience: str | None = None, lives_s: float = 3600) -> dict[str, str]:
        """Return the header of a caller with a new key."""
        key = new_key("test")
        made = new_record(
            key, client=client, scopes=scopes, audiences=(audience or self._audience,), now_s=self._now(), life=None
        )
        self.records[key.id] = replace(made, expires_at=int(self._now() + lives_s))
        return {API_KEY_HEADER: key.text}

    def revoke(self, header: dict[str, str]) -> None:
        """Take a key back."""
        key = read_key(header[API_KEY_HEADER])
        assert key is not None  # noqa: S101 - a header that ``make`` returned
        self.records[key.id] = self.records[key.id].revoked()

    def book(self, clock: Clock) -> KeyBook:
        """Return the book of these keys, which is never out of date."""
        return _RingBook(self.records, clock)


class _Nowhere(KeyStore):
    """Keeps nothing, and is never asked."""

    def __init__(self) -> None:
        pass


class _RingBook(KeyBook):
    def __init__(self, records: dict[str, KeyRecord], clock: Clock) -> None:
        super().__init__(_Nowhere(), clock)
        self._book = Snapshot(b"ring", records)

    @property
    def ready(self) -> bool:
        """Always: nothing has to be read."""
        return True
