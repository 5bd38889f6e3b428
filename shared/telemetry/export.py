"""The queue between requests and the collector, and the thread that empties it.

A collector that refuses, is silent, or takes its time costs traces (counted), never an answer (field case T4): adding
never waits, the queue is bounded, and the only thread that ever talks to the collector is the one in here. How a queued
thing is said is its delivery's business (``SpanDelivery`` here, ``otlp.py``); sending is opentelemetry's.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, Protocol, TypeVar

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from shared.telemetry.logs import get_logger

log = get_logger(__name__)

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
# How many, and why.
OnDrop = Callable[[int, str], None]

QUEUE_FULL: Final = "queue_full"
EXPORT_FAILED: Final = "export_failed"
CLOSING: Final = "closing"

# At 3,000 requests a second a full queue is less than a second of traffic: enough for a flush, little memory.
QUEUE_LENGTH: Final = 2_048
# A developer looks at the trace right after the answer; four exports a second cost nothing.
FLUSH_S: Final = 0.25
# One request of some 300 KB: far below what collectors take, and one lost request loses little.
BATCH: Final = 256


class Delivery(Protocol[T_contra]):
    """Takes a batch to the collector. Called on the export's thread only, but for ``shutdown``."""

    def deliver(self, batch: Sequence[T_contra]) -> bool:
        """Return whether it arrived. May take its time, and may raise."""

    def shutdown(self) -> None:
        """Give up waiting for better times."""


class SpanDelivery(Generic[T]):
    """Makes spans of each queued thing, and gives them to an exporter."""

    def __init__(self, exporter: SpanExporter, spans_of: Callable[[T], Iterable[ReadableSpan]]) -> None:
        self._exporter = exporter
        self._spans_of = spans_of
        self.shutdown = exporter.shutdown

    def deliver(self, batch: Sequence[T]) -> bool:
        """Export the spans of a batch."""
        spans = [span for one in batch for span in self._spans_of(one)]
        return self._exporter.export(spans) is SpanExportResult.SUCCESS


class TraceExport(Generic[T]):
    """What is queued for the collector, and what became of it."""

    def __init__(self, delivery: Delivery[T], on_drop: OnDrop) -> None:
        self._delivery = delivery
        self._on_drop = on_drop
        self._queue: deque[T] = deque()
        self._under_way = 0
        self._stop = threading.Event()
        self._given_up = False
        self._thread = threading.Thread(target=self._run, name="trace-export", daemon=True)
        self._thread.start()

    def add(self, one: T) -> None:
        """Queue it; when the queue is full it is dropped and counted."""
        if len(self._queue) >= QUEUE_LENGTH:
            self._on_drop(1, QUEUE_FULL)
        else:
            self._queue.append(one)

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_S):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        """Export what is queued now, in parts."""
        waiting = len(self._queue)
        while waiting > 0 and not self._given_up:
            self._export([self._queue.popleft() for _ in range(min(waiting, BATCH))])
            waiting -= BATCH

    def _export(self, batch: list[T]) -> None:
        """Export once. Nothing that goes wrong here may end the thread: it would never come back."""
        self._under_way = len(batch)
        try:
            arrived = self._delivery.deliver(batch)
        except Exception:
            log.exception("trace_export_failed")
            arrived = False
        if not self._given_up:
            self._under_way = 0
            if not arrived:
                self._on_drop(len(batch), EXPORT_FAILED)

    def close(self, within_s: float) -> None:
        """Flush what is queued, for at most ``within_s`` seconds, and stop; what is left then is counted and said."""
        self._stop.set()
        self._thread.join(within_s)
        self._given_up = True
        if left := len(self._queue) + self._under_way:
            self._on_drop(left, CLOSING)
            log.warning("traces_left_behind", count=left)
        self._delivery.shutdown()
