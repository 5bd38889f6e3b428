"""The limiter's metrics: checks by limit and outcome, and who is connected. The store's own are ``shared``'s."""

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from shared.limits.decide import Check, Verdict
from shared.telemetry.metrics import Counts

METRIC_CHECKS: Final = "frontage_limits_checks"
METRIC_CONNECTIONS: Final = "frontage_limits_connections"


class LimitMetrics(Collector):
    """Counts checks. ``outcome``: fits, refused, shadow (would be refused), unjudged (the store was not to be had)."""

    def __init__(self, registry: CollectorRegistry, connections: Callable[[], int]) -> None:
        self._checks = Counts(METRIC_CHECKS, "Checks by limit and outcome", ("limit", "outcome"))
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

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield how many edges' workers are connected."""
        yield GaugeMetricFamily(METRIC_CONNECTIONS, "Connections of edges", self._connections())
