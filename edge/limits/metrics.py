"""The limiter's metrics: checks by limit and outcome, and whether the store is there."""

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from edge.limits.decide import Check, Verdict
from shared.telemetry.metrics import Counts

METRIC_CHECKS: Final = "frontage_limits_checks"
METRIC_STORE_UP: Final = "frontage_limits_store_up"
METRIC_STORE_ASKED: Final = "frontage_limits_store_asked"
METRIC_CONNECTIONS: Final = "frontage_limits_connections"


class LimitMetrics(Collector):
    """Counts checks; reads the rest at scrape. ``outcome``: fits, refused, shadow (would be refused), unjudged."""

    def __init__(
        self, registry: CollectorRegistry, *, up: Callable[[], bool], asked: Callable[[], dict[str, int]],
        connections: Callable[[], int],
    ) -> None:  # fmt: skip
        self._checks = Counts(METRIC_CHECKS, "Checks by limit and outcome", ("limit", "outcome"))
        self._up = up
        self._asked = asked
        self._connections = connections
        registry.register(self._checks)
        registry.register(self)

    def checked(self, check: Check, verdict: Verdict | None) -> None:
        """Count one check."""
        if verdict is None:
            outcome = "unjudged"
        elif verdict.fits:
            outcome = "fits"
        else:
            outcome = "shadow" if check.policy.shadow else "refused"
        self._checks.of[check.policy.name, outcome] += 1

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Yield the families."""
        yield GaugeMetricFamily(METRIC_STORE_UP, "Whether the store is asked at all", float(self._up()))
        yield GaugeMetricFamily(METRIC_CONNECTIONS, "Connections of edges", self._connections())
        asked = CounterMetricFamily(METRIC_STORE_ASKED, "Questions to the store by outcome", labels=["outcome"])
        for outcome, count in self._asked().items():
            asked.add_metric([outcome], count)
        yield asked
