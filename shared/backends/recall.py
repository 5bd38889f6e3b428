"""What one branch knows from before: the remembered answer, the question whether it still holds, and the new answer.

Owns the way between a reply and the memory, in both its levels (``cache.py``, ``stored.py``): 200 is stored as its
headers allow, 304 renews what is there (RFC 9111 §4.3), everything else is never stored (field case A7). A refusal that
takes the thing back ends the memory of it (ADR 8).
"""

from datetime import timedelta
from typing import Any, Final

from shared.backends.backend import Backends
from shared.backends.cache import CallKey, Entry
from shared.backends.channel import Reply, field_lines
from shared.backends.envelope import Envelope
from shared.backends.freshness import SILENT, Freshness, age_on_arrival, freshness, kept_headers
from shared.backends.judging import judge, read
from shared.backends.live import LiveCall
from shared.backends.lookup import LookUp
from shared.backends.stored import Asked
from shared.errors import BackendInvalid, CallError

OK: Final = 200
NOT_MODIFIED: Final = 304
# How an answer was served without an attempt of its own; in spans and metrics.
REMEMBERED: Final = "remembered"
STORED: Final = "stored"
RENEWING: Final = "renewing"
# Clocks of two machines that keep time differ by milliseconds; what comes from further ahead comes from a broken one.
MOST_SKEW_S: Final = 5.0
# All other headers of a remembered answer hold on until a 304 says them anew.
OF_ONE_ANSWER: Final = frozenset({"age", "date"})


class Recall:
    """The live part of one remembered call. ``stale_for``: an answer that is never fresh is of use too."""

    asked_s = 0.0  # when the attempt that is judged was sent
    _found = False

    def __init__(self, live: LiveCall, key: CallKey, backends: Backends, *, stale_for: timedelta | None) -> None:
        self._live = live
        call = self._call = live.call
        self._cache = backends.cache
        self._stored = backends.stored
        self._clock = backends.clock
        self._stale_for = stale_for
        self.key = key
        self.entry: Entry | None = self._cache.get(key) if call.cache is not None else None

    def usable(self) -> str:
        """Tell how the remembered answer may be used without waiting: ``remembered``, ``renewing``, or not ("").

        ``stored`` is what was remembered elsewhere.
        """
        policy, now_s = self._call.cache, self._clock.now_s()
        if self.entry is None or policy is None:
            return ""
        if self.entry.is_fresh(now_s, policy):
            return STORED if self._found else REMEMBERED
        return RENEWING if self.entry.may_be_renewed_behind(now_s, policy) else ""

    def older(self, stale_for: timedelta) -> tuple[timedelta, Any] | None:
        """Return age and value of what may stand in for the failed call."""
        return self._cache.older(self.key, stale_for)

    def look_up(self, left_s: float) -> LookUp | None:
        """Ask the store for what this process does not know, unless it would be of no use or take too long."""
        if self._stored is None:
            return None
        if self._call.cache is None and self._stale_for is not None and self.older(self._stale_for) is not None:
            return None
        asked = self._stored.ask(self._kind, self.key, left_s)
        return None if asked is None else LookUp(asked, self._found_there)

    @property
    def _kind(self) -> tuple[str, str]:
        return self._call.backend.name, self._call.template

    def validators(self) -> bytes:
        """Return the header lines that ask whether the remembered answer still holds."""
        return b"" if self.entry is None else field_lines(self.entry.validators)

    def judge(self, reply: Reply) -> tuple[Any, CallError | None]:
        """Return the value of a reply or its error; remember what may be remembered."""
        if reply.status == NOT_MODIFIED and self.entry is not None and self.entry.validators:
            return self._renew(self.entry, reply)
        value, error = judge(self._live, reply, self._clock)
        if error is None and reply.status == OK:
            headers = kept_headers(reply)
            if headers or self._stale_for is not None:
                body = None if self._stored is None else self._stored.to_keep(reply.body)
                self._remember(value, headers, len(reply.body), body)
            elif self.entry is not None or self._stored is not None:
                self._forget()
        return value, error

    def _renew(self, entry: Entry, reply: Reply) -> tuple[Any, CallError | None]:
        news = kept_headers(reply)
        if "etag" in news and "etag" in entry.headers and news["etag"] != entry.headers["etag"]:
            self._forget()  # so that the next attempt asks for all of it
            self.entry = None
            return None, BackendInvalid(self._call.backend.name, "answered 304 of something else")
        held = {name: value for name, value in entry.headers.items() if name not in OF_ONE_ANSWER}
        self._remember(entry.value, {**held, **news}, entry.body_bytes, entry.body)
        return entry.value, None

    def _remember(self, value: Any, headers: dict[str, str], body_bytes: int, body: bytes | None) -> None:
        now_s = self._clock.now_s()
        age_s = now_s - self.asked_s
        fresh: Freshness | None = SILENT
        if headers:
            wall_s = self._clock.wall_s()
            fresh = freshness(headers, public=self._call.public, wall_s=wall_s)
            age_s = age_on_arrival(headers, wall_s=wall_s, delay_s=age_s)
        if fresh is not None:
            entry = Entry(value, headers, fresh, now_s - age_s, body_bytes, body)
            useful = self._call.cache is not None and (fresh.fresh_s > 0 or entry.validators)
            if useful or (self._stale_for is not None and fresh.may_be_stale):
                self._cache.put(self.key, entry)
                self._keep(entry, age_s)
                return
        self._forget()

    def _keep(self, entry: Entry, age_s: float) -> None:
        """Let other processes know."""
        if self._stored is not None and entry.body is not None:
            envelope = Envelope(entry.headers, self._clock.wall_s(), age_s, entry.body)
            self._stored.keep(
                self._kind, self.key, envelope, entry.useful_for(self._call.cache, self._stale_for) - age_s
            )

    def _forget(self) -> None:
        known = self._cache.forget(self.key)
        if self._stored is not None:
            self._stored.keeps_nothing(self._kind)
            if known:
                self._stored.forget(self.key)

    def _found_there(self, asked: Asked) -> None:
        """Take what the store knows, if it fits and is newer than what is known here: judged as if it came just now."""
        if self._stored is None or (envelope := self._stored.read(asked)) is None:
            return
        value, misfit = read(self._live, envelope.body)
        fresh: Freshness | None = SILENT
        if envelope.headers:
            fresh = freshness(envelope.headers, public=self._call.public, wall_s=envelope.received_s)
        since_s = self._clock.wall_s() - envelope.received_s
        if misfit is not None or fresh is None or since_s < -MOST_SKEW_S:
            self._stored.counts["misfit"] += 1
            return
        made_s = self._clock.now_s() - envelope.age_s - max(0.0, since_s)
        entry = Entry(value, envelope.headers, fresh, made_s, len(envelope.body), envelope.body)
        known = self._cache.get(self.key)
        if known is None or known.made_s < made_s:
            known = entry
            self._cache.put(self.key, entry)
        if self._call.cache is not None:
            self.entry, self._found = known, True
