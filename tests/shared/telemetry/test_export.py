"""The export: bounded, counted, on a thread of its own; whatever the collector does, it never stands in the way."""

import threading
from functools import partial
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.telemetry.afterwards import to_spans
from shared.telemetry.export import BATCH, QUEUE_LENGTH, OnDrop, SpanDelivery, TraceExport
from shared.telemetry.ledger import Ledger, TraceOrigin

RESOURCE = Resource({"service.name": "mobile"})


def finished() -> Ledger:
    """Return the ledger of a request with one section and one attempt: three spans."""
    ledger = Ledger(TraceOrigin("ab" * 16, None, sampled=True, tracestate=""), "GET", 100.0)
    section = ledger.section("orders", 100.0)
    section.attempt("orders", "GET", 100.0).ended_s = 100.1
    ledger.ended_s = section.ended_s = 100.1
    return ledger


def export_to(exporter: SpanExporter, on_drop: OnDrop) -> TraceExport[Ledger]:
    return TraceExport(SpanDelivery(exporter, partial(to_spans, resource=RESOURCE)), on_drop)


def nobody(count: int, why: str) -> None:
    raise AssertionError(f"dropped {count}: {why}")


class Blocking(SpanExporter):
    """A collector that takes its time."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.release = threading.Event()
        self.exported = 0

    def export(self, spans: Any) -> SpanExportResult:
        self.entered.set()
        self.release.wait(5)
        self.exported += len(spans)
        return SpanExportResult.SUCCESS


class Failing(SpanExporter):
    """A collector that fails once, in one way or the other."""

    def __init__(self, how: Any) -> None:
        self.how = how
        self.tries = 0
        self.spans: list[ReadableSpan] = []
        self.done = threading.Event()

    def export(self, spans: Any) -> SpanExportResult:
        self.tries += 1
        if self.tries == 1:
            if isinstance(self.how, Exception):
                raise self.how
            return SpanExportResult.FAILURE
        self.spans.extend(spans)
        self.done.set()
        return SpanExportResult.SUCCESS


def test_what_is_queued_is_exported_at_the_end() -> None:
    """A service that stops loses no trace while its collector answers."""
    exporter = InMemorySpanExporter()
    export = export_to(exporter, nobody)
    for _ in range(BATCH + 3):
        export.add(finished())

    export.close(within_s=5)

    assert len(exporter.get_finished_spans()) == 3 * (BATCH + 3)


def test_a_collector_that_hangs_costs_traces_and_nothing_else() -> None:
    """The queue is bounded, what does not fit is counted, adding never waits, closing waits no longer than told."""
    drops: list[tuple[int, str]] = []
    exporter = Blocking()
    export = export_to(exporter, lambda *drop: drops.append(drop))
    ledger = finished()
    export.add(ledger)
    assert exporter.entered.wait(5)

    for _ in range(QUEUE_LENGTH + 7):
        export.add(ledger)

    assert drops == [(1, "queue_full")] * 7
    export.close(within_s=0.01)
    assert drops[7:] == [(QUEUE_LENGTH + 1, "closing")], "what was under way may never have arrived"
    exporter.release.set()
    export._thread.join(5)
    assert not export._thread.is_alive()


@pytest.mark.parametrize("how", [RuntimeError("collector said http://internal"), None], ids=["raises", "reports"])
def test_a_failed_export_is_counted_and_the_next_one_succeeds(how: Any) -> None:
    """A collector that comes back finds us exporting."""
    drops: list[tuple[int, str]] = []
    exporter = Failing(how)
    export = export_to(exporter, lambda *drop: drops.append(drop))
    export.add(finished())
    while not drops:
        export._stop.wait(0.01)
    export.add(finished())

    assert exporter.done.wait(5)
    assert drops == [(1, "export_failed")]
    export.close(within_s=5)
    assert len(exporter.spans) == 3
