"""The seam between requests and traces: two ways to make spans, one setting that chooses (``FRONTAGE_TRACING``).

    ledger   a request fills slots, its spans are made afterwards on another thread (``afterwards.py``)
    sdk      the OpenTelemetry SDK makes every span when it begins: the stock part, to rule ours out (``eager.py``)

``tests/shared/asgi/test_both_ways.py`` holds both to the same spans.
"""

from typing import Literal, Protocol

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExporter

from shared.telemetry.afterwards import LedgerTracing
from shared.telemetry.eager import SdkTracing
from shared.telemetry.export import OnDrop
from shared.telemetry.ledger import Ledger, TraceOrigin

Way = Literal["ledger", "sdk"]


class Tracing(Protocol):
    """Gives each request its ledger, and takes those whose traces are to be told."""

    @property
    def keeps(self) -> bool:
        """Whether a trace that was not sampled can still be told at its end."""

    def open(self, origin: TraceOrigin, method: str, started_s: float) -> Ledger:
        """Open the ledger of a request; ``origin`` has a new trace id when ours is the first span."""

    def finish(self, ledger: Ledger) -> None:
        """Tell a finished request. Never waits."""

    def close(self, within_s: float) -> None:
        """Tell what is still queued, for at most ``within_s`` seconds, and stop."""


def open_tracing(way: Way, exporter: SpanExporter, resource: Resource, ratio: float, on_drop: OnDrop) -> Tracing:
    """Open one of the two ways. ``ratio`` decides where no caller did; ``on_drop`` is told how many, and why."""
    if way == "sdk":
        return SdkTracing(exporter, resource, ratio, on_drop)
    return LedgerTracing(exporter, resource, on_drop)
