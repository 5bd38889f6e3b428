"""The ledger: what one request did, recorded as it happens and read only afterwards.

Owns trace ids and the record of sections and attempts. Turning a ledger into spans is ``afterwards.py``'s work, into
metrics ``metrics.py``'s, into a log line ``logs.py``'s; none of them runs before the answer has left.
The hot path fills slots and draws random ids: spans made eagerly would cost half the throughput.
"""

import re
import time
from collections.abc import Sequence
from functools import partial
from random import getrandbits
from typing import Final

import msgspec

from shared.errors import PROBLEM_KINDS, ProblemCode, Reason

# A status of ours, not of the client: only then has a request failed (semantic conventions for HTTP).
FAULT: Final = 500

# W3C Trace Context, version 00. Other versions are read by their first four fields, as the recommendation says.
TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


# W3C Trace Context §3.3: a vendor's own state travels with the trace, or not at all.
_MEMBER: Final = r"[a-z0-9][a-z0-9_*/@-]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
TRACESTATE: Final = re.compile(rf"{_MEMBER}(?:[ \t]*,[ \t]*{_MEMBER}){{0,31}}")
MAX_TRACESTATE: Final = 512


# What proxies generate (UUIDs and the like). Anything freer could carry a person's data into logs and backends.
REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._~-]{1,128}")


class TraceOrigin(msgspec.Struct, frozen=True, gc=False):
    """Where a request's trace comes from: ids as lower-case hex, and whether it is sampled."""

    trace_id: str
    parent_id: str | None
    sampled: bool
    tracestate: str


def read_origin(traceparent: str | None, tracestate: str, ratio: float) -> TraceOrigin:
    """Join the caller's trace, or begin one when it said none that counts."""
    match = TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if match and _well_formed(match):
        state = tracestate if len(tracestate) <= MAX_TRACESTATE and TRACESTATE.fullmatch(tracestate) else ""
        return TraceOrigin(match[2], match[3], bool(int(match[4], 16) & 1), state)
    return begin_trace(ratio)


def begin_trace(ratio: float) -> TraceOrigin:
    """Begin a trace; that share of them is sampled."""
    trace = getrandbits(128) or 1
    # The low 56 bits are random by W3C Level 2, so every service would decide alike (OpenTelemetry TraceIdRatioBased).
    return TraceOrigin(f"{trace:032x}", None, (trace & (2**56 - 1)) < ratio * 2**56, "")


def _well_formed(match: re.Match[str]) -> bool:
    version, trace, parent, rest = match[1], match[2], match[3], match[5]
    return version != "ff" and trace != "0" * 32 and parent != "0" * 16 and (version != "00" or rest is None)


class SpanPlace(msgspec.Struct, frozen=True, gc=False):
    """Where a span is: what another one needs to point at it."""

    origin: TraceOrigin
    span_id: int


class Record(msgspec.Struct, kw_only=True, eq=False, gc=False):
    """A span to be. A struct, for msgspec fills its slots in C; it holds no cycle, so no collector looks at it."""

    # Zero would be no id (W3C); at ten thousand spans a second it is drawn once in sixty million years.
    span_id: int = msgspec.field(default_factory=partial(getrandbits, 64))


class AttemptRecord(Record):
    """One try of a call: becomes one CLIENT span, or, when it only waited for another's exchange, an INTERNAL one.

    ``ended_s`` is set last: then everything else is known.
    """

    backend: str
    method: str
    number: int
    started_s: float
    joined: SpanPlace | None = None  # the attempt whose exchange it waited for
    ended_s: float = 0.0
    status: int = 0
    error: Reason | None = None
    detail: str = ""  # what happened, in our words: a type, a status, a number; never a payload
    cancelled: bool = False
    hedge: bool = False  # sent beside another one that took long


class SectionRecord(Record):
    """One section of a fan-out: becomes one INTERNAL span over its attempts."""

    name: str
    started_s: float
    ended_s: float = 0.0
    outcome: str = "unused"  # what a section stays when the answer fails for another reason
    reason: Reason | None = None
    backend: str = ""  # of a gap: whose fault
    detail: str = ""  # of a gap: what happened
    served: str = ""  # "remembered" or "renewing": how an answer came without an attempt
    needs: "Sequence[SectionRecord]" = ()  # whose values it was waiting for
    attempts: list[AttemptRecord] = []  # a struct gives each its own

    def attempt(self, backend: str, method: str, now_s: float, joined: SpanPlace | None = None) -> AttemptRecord:
        """Open the record of the next attempt; ``joined`` is the one whose exchange it waits for."""
        record = AttemptRecord(backend, method, len(self.attempts) + 1, now_s, joined)
        self.attempts.append(record)
        return record

    def missing(self, reason: Reason, backend: str, detail: str) -> None:
        """Note why it is a gap."""
        self.reason, self.backend, self.detail = reason, backend, detail


class Ledger(Record):
    """What one request did. Times are the clock's monotonic seconds; ``wall_ns`` dates ``started_s``."""

    origin: TraceOrigin
    method: str
    started_s: float
    wall_ns: int = msgspec.field(default_factory=time.time_ns)
    ended_s: float = 0.0
    request_id: str = ""
    route: str = ""
    status: int = 0
    deadline_ms: int = 0
    degraded: str = ""
    left_out: int = 0  # sections that the answer had no room for
    errors: tuple[ProblemCode, ...] = ()  # of a GraphQL answer, whose status does not tell
    exception: str = ""  # type of what nobody caught
    kept: str = ""  # why the trace is told although it was not sampled
    sections: list[SectionRecord] = []  # a struct gives each its own

    @property
    def failed(self) -> bool:
        """Whether it went wrong on our side: by its status, by what nobody caught, by an error inside of a 200."""
        if self.status >= FAULT or self.exception:
            return True
        return bool(self.errors) and any(PROBLEM_KINDS[code].status >= FAULT for code in self.errors)

    def name(self, request_id: str | None) -> None:
        """Take the edge's id of the request, if it is one."""
        self.request_id = request_id if request_id and REQUEST_ID.fullmatch(request_id) else ""

    def section(self, name: str, now_s: float) -> SectionRecord:
        """Open the record of a section."""
        record = SectionRecord(name, now_s)
        self.sections.append(record)
        return record

    def traceparent(self, span_id: int) -> str:
        """Return the W3C header that a call made under ``span_id`` carries."""
        return f"00-{self.origin.trace_id}-{span_id:016x}-{'01' if self.origin.sampled else '00'}"

    def at_ns(self, moment_s: float) -> int:
        """Return a moment of this request as nanoseconds since the Unix epoch."""
        return self.wall_ns + int((moment_s - self.started_s) * 1e9)
