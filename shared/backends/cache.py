"""The answers that one process remembers: whose, how fresh, how old, and within which bounds.

Owns the memory. What headers mean is ``freshness.py``; when a branch asks here, ``recall.py``. It serves both a fresh
answer instead of a call and an older one for a call that failed. The identity scope is part of every key, so one
user's answer can never be another's (field case A7).
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple

from shared.backends.channel import Headers
from shared.backends.freshness import Freshness
from shared.clock import Clock

# A decoded payload takes several times its JSON, and every entry its key and headers: an estimate, on the careful side.
DECODED_FACTOR: Final = 6
ENTRY_BYTES: Final = 2_048


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePolicy:
    """That answers of a call may be used again. For how long is the backend's word; this can only make it shorter.

    ``while_revalidate`` is how long past its freshness an answer may still be given, while it is renewed behind it.
    """

    # A backend that says a year means "never changes", until it does: an hour bounds what a mistake costs.
    longest_fresh: timedelta = timedelta(hours=1)
    while_revalidate: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheBounds:
    """How much one process remembers; what was used longest ago goes first."""

    max_entries: int = 10_000
    # A sixth of the memory that a BFF's pod may use (``k8s.yaml``: 384 MiB).
    max_bytes: int = 64 * 1024 * 1024


class CallKey(NamedTuple):
    """What tells one read from every other. ``scope`` is None for public calls only; ``credential`` is a digest.

    Two calls may read one target as two types; ``decode`` keeps the one's value out of the other's section.
    """

    scope: str | None
    backend: str
    method: str
    target: str
    credential: bytes
    decode: Callable[[bytes], Any]


class Entry(NamedTuple):
    """One remembered answer: a value that must not change, the headers it came with, and when it was made."""

    value: Any
    headers: Mapping[str, str]
    freshness: Freshness
    made_s: float
    body_bytes: int
    body: bytes | None = None  # as it came, only where it may be written to a store

    @property
    def weight(self) -> int:
        """About how many bytes of memory it takes."""
        return ENTRY_BYTES + DECODED_FACTOR * self.body_bytes + len(self.body or b"")

    def age_s(self, now_s: float) -> float:
        """Seconds since the backend made it."""
        return now_s - self.made_s

    def is_fresh(self, now_s: float, policy: CachePolicy) -> bool:
        """Tell whether it may be used without asking."""
        return self.age_s(now_s) < min(self.freshness.fresh_s, policy.longest_fresh.total_seconds())

    def may_be_renewed_behind(self, now_s: float, policy: CachePolicy) -> bool:
        """Tell whether it may be used while a newer one is fetched (RFC 5861 §3)."""
        fresh_s = min(self.freshness.fresh_s, policy.longest_fresh.total_seconds())
        # Never fresh is never promised: without a lifetime there is nothing that a window could follow.
        return self.freshness.may_be_stale and fresh_s > 0 and self.age_s(now_s) < fresh_s + self._window_s(policy)

    def stands_in_for(self, stale_for: timedelta) -> float:
        """Return how old it may be, in seconds, to stand in for a failed call (RFC 5861 §4); negative: never."""
        if not self.freshness.may_be_stale:
            return min(self.freshness.fresh_s, stale_for.total_seconds()) if self.freshness.fresh_s else -1.0
        said_s = self.freshness.if_error_s
        longest_s = stale_for.total_seconds()
        return longest_s if said_s is None else min(longest_s, self.freshness.fresh_s + said_s)

    def useful_for(self, policy: CachePolicy | None, stale_for: timedelta | None) -> float:
        """Return the age, in seconds, up to which it may be used without its backend."""
        longest_s = 0.0 if stale_for is None else self.stands_in_for(stale_for)
        if policy is None:
            return longest_s
        fresh_s = min(self.freshness.fresh_s, policy.longest_fresh.total_seconds())
        window_s = self._window_s(policy) if self.freshness.may_be_stale and fresh_s > 0 else 0.0
        return max(longest_s, fresh_s + window_s)

    def _window_s(self, policy: CachePolicy) -> float:
        window_s, said_s = policy.while_revalidate.total_seconds(), self.freshness.while_revalidate_s
        return window_s if said_s is None else min(window_s, said_s)

    @property
    def validators(self) -> Headers:
        """The headers that ask whether this is still the answer (RFC 9110 §13.1)."""
        if etag := self.headers.get("etag"):
            return (("if-none-match", etag),)
        if modified := self.headers.get("last-modified"):
            return (("if-modified-since", modified),)
        return ()


class ResponseCache:
    """A bounded memory of answers."""

    def __init__(self, clock: Clock, bounds: CacheBounds | None = None) -> None:
        self._clock = clock
        bounds = bounds or CacheBounds()
        self._max_bytes, self._max_entries = bounds.max_bytes, bounds.max_entries
        self._entries: OrderedDict[CallKey, Entry] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: CallKey) -> Entry | None:
        """Return what is remembered, however old."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: CallKey, entry: Entry) -> None:
        """Remember; forget what was used longest ago when that is too much."""
        weight = entry.weight
        if weight > self._max_bytes:
            self.forget(key)
            return
        older = self._entries.get(key)
        self._entries[key] = entry
        if older is None:
            self.bytes += weight
        else:
            self.bytes += weight - older.weight
            self._entries.move_to_end(key)
        while self.bytes > self._max_bytes or len(self._entries) > self._max_entries:
            _, oldest = self._entries.popitem(last=False)
            self.bytes -= oldest.weight

    def forget(self, key: CallKey) -> bool:
        """Remember no longer; tell whether there was anything."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.bytes -= entry.weight
        return entry is not None

    def older(self, key: CallKey, stale_for: timedelta) -> tuple[timedelta, Any] | None:
        """Return age and value of what may stand in for a failed call, unless there is nothing that young."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        age_s = entry.age_s(self._clock.now_s())
        return (timedelta(seconds=age_s), entry.value) if age_s <= entry.stands_in_for(stale_for) else None
