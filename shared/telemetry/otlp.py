"""Ledgers as OTLP's bytes: what opentelemetry's own encoder makes of their spans, at a tenth of the time.

At 100 % sampled, spans as objects and their encoding cost more than the requests that they tell of. Here the part of a
span that repeats (name, kind, attributes, status) is encoded once and remembered; a span is then one dict look-up and
one format. What a span says is still ``spans.py``'s word alone, and sending is still opentelemetry's exporter.
``tests/shared/telemetry/test_otlp.py`` compares every message with that of opentelemetry's encoder.

Field numbers are those of opentelemetry/proto/trace/v1/trace.proto (1.x, frozen).
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Final

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

from shared.telemetry import names
from shared.telemetry.ledger import AttemptRecord, Ledger, SectionRecord, SpanPlace, TraceOrigin
from shared.telemetry.protobuf import bytes_field, fixed64_field, key_value, varint, varint_field
from shared.telemetry.spans import Telling, context_of, tell_attempt, tell_section, tell_server

# SpanFlags: whether the parent is remote is known; whether it is. Little-endian fixed32.
LOCAL: Final = b"\x00\x01\x00\x00"
REMOTE: Final = b"\x00\x03\x00\x00"
# trace_id = 1, span_id = 2, start = 7, end = 8, flags = 16; then what comes of parent, state and the remembered part.
SPAN: Final = b"\x0a\x10%b\x12\x08%b\x39%b\x41%b\x85\x01%b%b%b"
LINK: Final = b"\x0a\x10%b\x12\x08%b\x35%b"
STATUS_ERROR: Final = b"\x7a\x02\x18\x02"
# Routes, sections, backends and outcomes are few; a client's own deadlines could make them many.
MOST_REMEMBERED: Final = 4096


class OtlpDelivery:
    """Takes ledgers to a collector. Opentelemetry's exporter sends: its retries, its headers, its certificates."""

    def __init__(self, exporter: OTLPSpanExporter, resource: Resource) -> None:
        self._client = exporter._client  # noqa: SLF001 - it has no public way for what is encoded already
        self.shutdown = exporter.shutdown
        self._encode = Encoder(resource).request

    def deliver(self, batch: Sequence[Ledger]) -> bool:
        """Send these, and return whether they arrived."""
        return self._client.export(self._encode(batch)).success


class Encoder:
    """Encodes the traces of one service."""

    def __init__(self, resource: Resource) -> None:
        self._remembered: dict[Hashable, bytes] = {}
        empty = ReadableSpan("", SpanContext(1, 1, is_remote=False), resource=resource)
        (told,) = encode_spans([empty]).resource_spans
        self._resource = bytes_field(1, told.resource.SerializeToString())
        self._scope = bytes_field(1, bytes_field(1, names.SCOPE.encode()))

    def request(self, ledgers: Sequence[Ledger]) -> bytes:
        """Return an ``ExportTraceServiceRequest``."""
        parts = [self._scope]
        for ledger in ledgers:
            self._trace(ledger, parts)
        return bytes_field(1, self._resource + bytes_field(2, b"".join(parts)))

    def _trace(self, ledger: Ledger, parts: list[bytes]) -> None:
        origin = ledger.origin
        spans = _Spans(ledger, parts)
        above = bytes.fromhex(origin.parent_id) if origin.parent_id else b""
        mine = ledger.span_id.to_bytes(8, "big")
        spans.add(mine, above, ledger.started_s, ledger.ended_s, self._server(ledger), REMOTE if above else LOCAL)
        for section in ledger.sections:
            over = section.span_id.to_bytes(8, "big")
            spans.add(over, mine, section.started_s, section.ended_s, self._section(section, origin))
            for one in section.attempts:
                own = one.span_id.to_bytes(8, "big")
                spans.add(own, over, one.started_s, one.ended_s, self._attempt(one))

    def _server(self, it: Ledger) -> bytes:
        if it.exception:  # its event has a time of its own
            return _encoded(tell_server(it), it.at_ns(it.ended_s))
        key = (it.method, it.route, it.status, it.deadline_ms, it.degraded, it.errors, it.kept)
        return self._remembered.get(key) or self._remember(key, lambda: tell_server(it))

    def _section(self, it: SectionRecord, origin: TraceOrigin) -> bytes:
        if it.needs:
            return _encoded(tell_section(it, origin))
        key = (it.name, it.outcome, it.reason, it.detail, it.served)
        return self._remembered.get(key) or self._remember(key, lambda: tell_section(it, origin))

    def _attempt(self, it: AttemptRecord) -> bytes:
        if it.joined:
            return _encoded(tell_attempt(it))
        key = (it.backend, it.number, it.method, it.status, it.error, it.detail, it.cancelled, it.hedge)
        return self._remembered.get(key) or self._remember(key, lambda: tell_attempt(it))

    def _remember(self, key: Hashable, tell: Callable[[], Telling]) -> bytes:
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        encoded = self._remembered[key] = _encoded(tell())
        return encoded


class _Spans:
    """What the spans of one trace share."""

    def __init__(self, ledger: Ledger, parts: list[bytes]) -> None:
        self._parts = parts
        self._trace = bytes.fromhex(ledger.origin.trace_id)
        self._at_ns = ledger.at_ns
        self._end_s = ledger.ended_s
        self._state = _state(ledger.origin)

    def add(
        self, span: bytes, above: bytes, started_s: float, ended_s: float, rest: bytes, flags: bytes = LOCAL
    ) -> None:
        start = self._at_ns(started_s).to_bytes(8, "little")
        end = self._at_ns(ended_s or self._end_s).to_bytes(8, "little")
        parent = b"\x22\x08%b" % above if above else b""
        raw = SPAN % (self._trace, span, start, end, flags, parent, self._state + rest)
        self._parts.append(b"\x12%b%b" % (varint(len(raw)), raw))


def _encoded(told: Telling, at_ns: int = 0) -> bytes:
    """Return all of a span but its ids, times and state."""
    raw = bytes_field(5, told.name.encode()) + varint_field(6, told.kind.value + 1)
    raw += b"".join(bytes_field(9, key_value(key, value)) for key, value in told.attributes.items())
    if told.exception:
        event = fixed64_field(1, at_ns) + bytes_field(2, names.EXCEPTION.encode())
        event += bytes_field(3, key_value(names.EXCEPTION_TYPE, told.exception))
        raw += bytes_field(11, event)
    raw += b"".join(bytes_field(13, _link(place)) for place in told.links)
    return raw + (STATUS_ERROR if told.failed else bytes_field(15, b""))


def _link(place: SpanPlace) -> bytes:
    return LINK % (bytes.fromhex(place.origin.trace_id), place.span_id.to_bytes(8, "big"), LOCAL)


def _state(origin: TraceOrigin) -> bytes:
    if not origin.tracestate:
        return b""
    members = context_of(origin, 1).trace_state.items()
    return bytes_field(3, ",".join(f"{key}={value}" for key, value in members).encode())
