"""The control service's metrics: judgements by kind and outcome, signatures, and who is connected."""

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from shared.telemetry.metrics import Counts

METRIC_JUDGED: Final = "frontage_control_judged"
METRIC_SIGNED: Final = "frontage_control_signed"
METRIC_RETIRING: Final = "frontage_control_retiring_keys_used"
METRIC_CONNECTIONS: Final = "frontage_control_connections"


class ControlMetrics(Collector):
    """Counts answers. ``outcome``: ``passed``, or the code of the problem."""

    def __init__(self, registry: CollectorRegistry, connections: Callable[[], int], signed: Callable[[], int]) -> None:
        self._judged = Counts(METRIC_JUDGED, "Credentials by kind and outcome", ("kind", "outcome"))
        self._connections = connections
        self._signed = signed
        registry.register(self._judged)
        registry.register(self)

    def judged(self, kind: str, outcome: str) -> None:
        """Count one answer."""
        self._judged.of[kind, outcome] += 1

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Yield signatures made, and how many edges' workers are connected."""
        yield CounterMetricFamily(METRIC_SIGNED, "Internal tokens signed", self._signed())
        yield GaugeMetricFamily(METRIC_CONNECTIONS, "Connections of edges", self._connections())
