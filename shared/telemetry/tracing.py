"""From ledgers to OpenTelemetry spans, off the request path.

Owns the queue between the two and the thread that empties it. The export itself is opentelemetry's OTLP exporter.
A collector that is slow or down costs dropped ledgers (counted), never a slower answer: the queue is bounded.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from shared.telemetry import names
from shared.telemetry.ledger import AttemptRecord, Ledger, SectionRecord
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

Attributes = dict[str, str | int | bool]
Timed = Ledger | SectionRecord | AttemptRecord

SCOPE: Final = InstrumentationScope("frontage")
SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
OK: Final = Status(StatusCode.UNSET)
ERROR: Final = Status(StatusCode.ERROR)

# At 3,000 requests a second a full queue is less than a second of traffic: enough for a flush, little memory.
QUEUE_LENGTH: Final = 2_048
# A developer looks at the trace right after the answer; four exports a second cost nothing.
FLUSH_S: Final = 0.25


class _Maker:
    """Makes the spans of one ledger: what they share, in one place."""

    def __init__(self, ledger: Ledger, resource: Resource) -> None:
        self._ledger = ledger
        self._resource = resource
        self._trace = int(ledger.origin.trace_id, 16)
        state = ledger.origin.tracestate
        self._state = TraceState.from_header([state]) if state else None

    def context(self, span_id: int, *, remote: bool = False) -> SpanContext:
        return SpanContext(self._trace, span_id, is_remote=remote, trace_flags=SAMPLED, trace_state=self._state)

    def _at_ns(self, moment_s: float) -> int:
        return self._ledger.wall_ns + int((moment_s - self._ledger.started_s) * 1e9)

    def span(
        self, name: str, parent: SpanContext | None, kind: SpanKind, record: Timed, attributes: Attributes, *,
        failed: bool,
    ) -> ReadableSpan:  # fmt: skip
        return ReadableSpan(
            name,
            self.context(record.span_id),
            parent,
            self._resource,
            attributes,
            kind=kind,
            status=ERROR if failed else OK,
            start_time=self._at_ns(record.started_s),
            end_time=self._at_ns(record.ended_s or self._ledger.ended_s),
            instrumentation_scope=SCOPE,
        )


def to_spans(ledger: Ledger, resource: Resource) -> Iterator[ReadableSpan]:
    """Yield the server span, then each section's span with its attempts, as the SDK itself would have made them."""
    made = _Maker(ledger, resource)
    parent_id = ledger.origin.parent_id
    caller = made.context(int(parent_id, 16), remote=True) if parent_id else None
    name = f"{ledger.method} {ledger.route}".strip()
    failed = ledger.status >= 500  # noqa: PLR2004 - HTTP 5xx
    yield made.span(name, caller, SpanKind.SERVER, ledger, _server_attributes(ledger), failed=failed)
    request = made.context(ledger.span_id)
    for section in ledger.sections:
        name, failed = f"section {section.name}", section.outcome == "failed"
        yield made.span(name, request, SpanKind.INTERNAL, section, _section_attributes(section), failed=failed)
        over = made.context(section.span_id)
        for one in section.attempts:
            name, failed = f"{one.method} {one.backend}", bool(one.error or one.cancelled)
            kind = SpanKind.INTERNAL if one.joined else SpanKind.CLIENT  # the backend never saw a joined one's id
            yield made.span(name, over, kind, one, _attempt_attributes(one), failed=failed)


def _server_attributes(ledger: Ledger) -> Attributes:
    attributes: Attributes = {names.HTTP_METHOD: ledger.method, names.HTTP_STATUS: ledger.status}
    if ledger.route:
        attributes[names.HTTP_ROUTE] = ledger.route
    if ledger.deadline_ms:
        attributes[names.DEADLINE_MS] = ledger.deadline_ms
    if ledger.degraded:
        attributes[names.DEGRADED] = ledger.degraded
    return attributes


def _section_attributes(section: SectionRecord) -> Attributes:
    attributes: Attributes = {names.SECTION: section.name, names.OUTCOME: section.outcome}
    if section.reason:
        attributes[names.REASON] = section.reason.value
    if section.served:
        attributes[names.SERVED] = section.served
    return attributes


def _attempt_attributes(attempt: AttemptRecord) -> Attributes:
    attributes: Attributes = {
        names.BACKEND: attempt.backend, names.ATTEMPT: attempt.number, names.HTTP_METHOD: attempt.method,
    }  # fmt: skip
    if attempt.status:
        attributes[names.HTTP_STATUS] = attempt.status
    if attempt.error or attempt.cancelled:
        attributes[names.ERROR_TYPE] = attempt.error.value if attempt.error else "cancelled"
    if attempt.cancelled:
        attributes[names.CANCELLED] = True
    if attempt.hedge:
        attributes[names.HEDGE] = True
    if attempt.joined:
        attributes[names.JOINED] = True
    return attributes


class TraceExport:
    """The thread that turns queued ledgers into spans and hands them to the exporter."""

    def __init__(self, exporter: SpanExporter, resource: Resource, on_drop: Callable[[int], None]) -> None:
        self._exporter = exporter
        self._resource = resource
        self._on_drop = on_drop
        self._queue: deque[Ledger] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trace-export", daemon=True)
        self._thread.start()

    def add(self, ledger: Ledger) -> None:
        """Queue a finished ledger; when the queue is full it is dropped and counted."""
        if len(self._queue) >= QUEUE_LENGTH:
            self._on_drop(1)
        else:
            self._queue.append(ledger)

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_S):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        """Export what is queued now. Nothing that goes wrong here may end the thread: it would never come back."""
        waiting = len(self._queue)
        if not waiting:
            return
        try:
            spans = [one for _ in range(waiting) for one in to_spans(self._queue.popleft(), self._resource)]
            result = self._exporter.export(spans)
        except Exception:
            log.exception("trace_export_failed")
            result = SpanExportResult.FAILURE
        if result is not SpanExportResult.SUCCESS:
            self._on_drop(waiting)

    def close(self, within_s: float) -> None:
        """Flush what is queued, for at most ``within_s`` seconds, and stop."""
        self._stop.set()
        self._thread.join(within_s)
        self._exporter.shutdown()
