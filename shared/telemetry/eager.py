"""Spans made by the OpenTelemetry SDK as a request goes: its ids, its sampler, its limits. The stock part.

Each record of the ledger has its span: begun with it, ended when ``ended_s`` is set (an attempt) or with the request
(a section, whose outcome is known only then). It costs about half the throughput, and keeps nothing that the head did
not sample: the SDK decides when a span begins.
"""

from msgspec.structs import replace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import INVALID_SPAN, NonRecordingSpan, Span, SpanKind, StatusCode, Tracer, set_span_in_context

from shared.telemetry import names
from shared.telemetry.export import OnDrop, SpanDelivery, TraceExport
from shared.telemetry.ledger import AttemptRecord, Ledger, SectionRecord, SpanPlace, TraceOrigin
from shared.telemetry.spans import (
    Telling,
    attempt_kind,
    attempt_name,
    caller_of,
    link_to,
    section_name,
    server_name,
    tell_attempt,
    tell_section,
    tell_server,
)


class SdkTracing:
    """The SDK's provider behind our queue: its own would drop without counting, and hold up an exit for 30 s."""

    keeps = False

    def __init__(self, exporter: SpanExporter, resource: Resource, ratio: float, on_drop: OnDrop) -> None:
        self._export = TraceExport(SpanDelivery[ReadableSpan](exporter, lambda span: (span,)), on_drop)
        sampler = ParentBased(TraceIdRatioBased(ratio))
        provider = TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(_Handover(self._export))
        self._tracer = provider.get_tracer(names.SCOPE)
        self.close = self._export.close

    def open(self, origin: TraceOrigin, method: str, started_s: float) -> Ledger:
        """Open a ledger whose ids are those of the SDK's spans."""
        return SpanLedger(origin, method, started_s, tracer=self._tracer)

    def finish(self, ledger: Ledger) -> None:
        """End the spans that are still open."""
        if isinstance(ledger, SpanLedger):
            ledger.end()


class _Handover(SpanProcessor):
    """Passes ended spans on, if they are sampled."""

    def __init__(self, export: TraceExport[ReadableSpan]) -> None:
        self._export = export

    def on_end(self, span: ReadableSpan) -> None:
        if span.context.trace_flags.sampled:
            self._export.add(span)


class SpanLedger(Ledger, kw_only=True, gc=True):
    """A ledger with a live SERVER span. The SDK draws the ids, and decides when no caller did."""

    tracer: Tracer
    span: Span = INVALID_SPAN

    def __post_init__(self) -> None:
        """Begin the span, and take its ids."""
        origin = self.origin
        caller = caller_of(origin)
        within = Context() if caller is None else set_span_in_context(NonRecordingSpan(caller), Context())
        self.span = self.tracer.start_span(server_name(self), within, SpanKind.SERVER, start_time=self.wall_ns)
        mine = self.span.get_span_context()
        self.span_id = mine.span_id
        self.origin = replace(origin, trace_id=f"{mine.trace_id:032x}", sampled=mine.trace_flags.sampled)

    def section(self, name: str, now_s: float) -> SectionRecord:
        """Open the record of a section, and its span."""
        record = SpanSection(name, now_s, ledger=self)
        self.sections.append(record)
        return record

    def begin(self, over: Span, name: str, kind: SpanKind, started_s: float) -> Span:
        """Begin a span under another one."""
        within = set_span_in_context(over, Context())
        return self.tracer.start_span(name, within, kind, start_time=self.at_ns(started_s))

    def end(self) -> None:
        """End what is open, innermost first."""
        for section in self.sections:
            if isinstance(section, SpanSection):
                self.end_span(section.span, tell_section(section, self.origin), section.ended_s or self.ended_s)
        self.end_span(self.span, tell_server(self), self.ended_s)

    def end_span(self, span: Span, told: Telling, ended_s: float) -> None:
        """Say the rest of a span, and end it."""
        if not span.is_recording():
            return
        span.update_name(told.name)
        span.set_attributes(told.attributes)
        for place in told.links:
            span.add_link(link_to(place).context)
        if told.exception:
            span.add_event(names.EXCEPTION, {names.EXCEPTION_TYPE: told.exception}, self.at_ns(ended_s))
        if told.failed:
            span.set_status(StatusCode.ERROR)
        span.end(self.at_ns(ended_s))


class SpanSection(SectionRecord, kw_only=True, gc=True):
    """A section's record with its live span."""

    ledger: SpanLedger
    span: Span = INVALID_SPAN

    def __post_init__(self) -> None:
        """Begin the span, and take its id."""
        self.span = self.ledger.begin(self.ledger.span, section_name(self), SpanKind.INTERNAL, self.started_s)
        self.span_id = self.span.get_span_context().span_id

    def attempt(self, backend: str, method: str, now_s: float, joined: SpanPlace | None = None) -> AttemptRecord:
        """Open the record of the next attempt, and its span."""
        record = SpanAttempt(backend, method, len(self.attempts) + 1, now_s, joined, section=self)
        self.attempts.append(record)
        return record


class SpanAttempt(AttemptRecord, kw_only=True, gc=True):
    """An attempt's record with its live span, which ends when ``ended_s`` is set."""

    section: SpanSection
    span: Span = INVALID_SPAN

    def __post_init__(self) -> None:
        """Begin the span, and take its id."""
        over = self.section
        self.span = over.ledger.begin(over.span, attempt_name(self), attempt_kind(self), self.started_s)
        self.span_id = self.span.get_span_context().span_id

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "ended_s" and value:
            self.section.ledger.end_span(self.span, tell_attempt(self), self.ended_s)
