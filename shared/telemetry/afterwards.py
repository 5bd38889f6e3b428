"""Spans made from finished ledgers, on the thread of the export: a request pays for its slots and nothing else."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, Status, StatusCode

from shared.telemetry import names
from shared.telemetry.export import Delivery, OnDrop, SpanDelivery, TraceExport
from shared.telemetry.ledger import AttemptRecord, Ledger, SectionRecord
from shared.telemetry.otlp import OtlpDelivery
from shared.telemetry.spans import Telling, caller_of, context_of, link_to, tell_attempt, tell_section, tell_server

Timed = Ledger | SectionRecord | AttemptRecord

SCOPE: Final = InstrumentationScope(names.SCOPE, "")
OK: Final = Status(StatusCode.UNSET)
ERROR: Final = Status(StatusCode.ERROR)


class LedgerTracing:
    """Ledgers in, spans out: as bytes at once for a real collector, as objects for any other exporter."""

    keeps = True

    def __init__(self, exporter: SpanExporter, resource: Resource, on_drop: OnDrop) -> None:
        delivery: Delivery[Ledger] = (
            OtlpDelivery(exporter, resource)
            if isinstance(exporter, OTLPSpanExporter)
            else SpanDelivery(exporter, partial(to_spans, resource=resource))
        )
        self._export = TraceExport(delivery, on_drop)
        self.open = Ledger
        self.finish = self._export.add
        self.close = self._export.close


def to_spans(ledger: Ledger, resource: Resource) -> Iterator[ReadableSpan]:
    """Yield the server span, then each section's span with its attempts, as the SDK itself would have made them."""
    made = _Maker(ledger, resource)
    server = context_of(ledger.origin, ledger.span_id)
    yield made.span(tell_server(ledger), server, caller_of(ledger.origin), ledger)
    for section in ledger.sections:
        over = context_of(ledger.origin, section.span_id)
        yield made.span(tell_section(section, ledger.origin), over, server, section)
        for one in section.attempts:
            yield made.span(tell_attempt(one), context_of(ledger.origin, one.span_id), over, one)


class _Maker:
    """What the spans of one ledger share."""

    def __init__(self, ledger: Ledger, resource: Resource) -> None:
        self._ledger = ledger
        self._resource = resource

    def span(self, told: Telling, context: SpanContext, parent: SpanContext | None, record: Timed) -> ReadableSpan:
        end_ns = self._ledger.at_ns(record.ended_s or self._ledger.ended_s)
        events = [Event(names.EXCEPTION, {names.EXCEPTION_TYPE: told.exception}, end_ns)] if told.exception else ()
        return ReadableSpan(
            told.name,
            context,
            parent,
            self._resource,
            told.attributes,
            events=events,
            links=[link_to(place) for place in told.links],
            kind=told.kind,
            status=ERROR if told.failed else OK,
            start_time=self._ledger.at_ns(record.started_s),
            end_time=end_ns,
            instrumentation_scope=SCOPE,
        )
