"""What one branch knows from before: the remembered answer, the question whether it still holds, and the new answer.

Owns the way between a reply and the memory: 200 is stored as its headers allow, 304 renews what is there (RFC 9111
§4.3), everything else is never stored (field case A7). A refusal that takes the thing back
ends the memory of it (ADR 8).
"""

from datetime import timedelta
from typing import Any, Final

from shared.backends.backend import AnyCall
from shared.backends.cache import CallKey, Entry, ResponseCache
from shared.backends.channel import Headers, Reply
from shared.backends.freshness import SILENT, Freshness, age_on_arrival, freshness, kept_headers
from shared.backends.judging import judge
from shared.clock import Clock
from shared.errors import BackendInvalid, BackendRefused, CallError

OK: Final = 200
NOT_MODIFIED: Final = 304
# The backend took it back, or the caller's right to see it: RFC 9110 §15.5.2, .4, .5, .11.
WITHDRAWN: Final = frozenset({401, 403, 404, 410})
# How an answer was served without an attempt of its own; in spans and metrics.
REMEMBERED: Final = "remembered"
RENEWING: Final = "renewing"
# All other headers of a remembered answer hold on until a 304 says them anew.
OF_ONE_ANSWER: Final = frozenset({"age", "date"})


def withdraws(error: CallError | None) -> bool:
    """Tell whether a failure says that an older value is not to be shown any more."""
    return isinstance(error, BackendRefused) and error.status in WITHDRAWN


class Recall:
    """The live part of one remembered call. ``for_failures``: an answer that is never fresh is of use too."""

    __slots__ = ("_asked_s", "_cache", "_call", "_clock", "_for_failures", "entry", "key")

    def __init__(self, call: AnyCall, key: CallKey, cache: ResponseCache, clock: Clock, *, for_failures: bool) -> None:
        self._call = call
        self._cache = cache
        self._clock = clock
        self._for_failures = for_failures
        self._asked_s = 0.0
        self.key = key
        self.entry: Entry | None = cache.get(key) if call.cache is not None else None

    def usable(self) -> str:
        """Tell how the remembered answer may be used without waiting: ``remembered``, ``renewing``, or not ("")."""
        policy, now_s = self._call.cache, self._clock.now_s()
        if self.entry is None or policy is None:
            return ""
        if self.entry.is_fresh(now_s, policy):
            return REMEMBERED
        return RENEWING if self.entry.may_be_renewed_behind(now_s, policy) else ""

    def older(self, stale_for: timedelta) -> tuple[timedelta, Any] | None:
        """Return age and value of what may stand in for the failed call."""
        return self._cache.older(self.key, stale_for)

    def validators(self) -> Headers:
        """Return the headers that ask whether the remembered answer still holds."""
        self._asked_s = self._clock.now_s()
        return () if self.entry is None else self.entry.validators

    def judge(self, reply: Reply) -> tuple[Any, CallError | None]:
        """Return the value of a reply or its error; remember what may be remembered."""
        if reply.status == NOT_MODIFIED and self.entry is not None and self.entry.validators:
            return self._renew(self.entry, reply)
        value, error = judge(self._call, reply, self._clock.wall_s())
        if error is None and reply.status == OK:
            headers = kept_headers(reply)
            if headers or self._for_failures:
                self._remember(value, headers, len(reply.body))
            elif self.entry is not None:
                self._cache.forget(self.key)
        return value, error

    def _renew(self, entry: Entry, reply: Reply) -> tuple[Any, CallError | None]:
        news = kept_headers(reply)
        if "etag" in news and "etag" in entry.headers and news["etag"] != entry.headers["etag"]:
            self._cache.forget(self.key)  # so that the next attempt asks for all of it
            self.entry = None
            return None, BackendInvalid(self._call.backend.name, "answered 304 of something else")
        held = {name: value for name, value in entry.headers.items() if name not in OF_ONE_ANSWER}
        self._remember(entry.value, {**held, **news}, entry.body_bytes)
        return entry.value, None

    def _remember(self, value: Any, headers: dict[str, str], body_bytes: int) -> None:
        now_s = self._clock.now_s()
        delay_s = now_s - self._asked_s
        fresh: Freshness | None = SILENT
        age_s = delay_s
        if headers:
            wall_s = self._clock.wall_s()
            fresh = freshness(headers, public=self._call.public, wall_s=wall_s)
            age_s = age_on_arrival(headers, wall_s=wall_s, delay_s=delay_s)
        if fresh is not None:
            entry = Entry(value, headers, fresh, now_s - age_s, body_bytes)
            useful = self._call.cache is not None and (fresh.fresh_s > 0 or entry.validators)
            if useful or (self._for_failures and fresh.may_be_stale):
                self._cache.put(self.key, entry)
                return
        self._cache.forget(self.key)
