"""Prometheus metrics of one process: fed from finished ledgers, read at scrape.

One process is one scrape target. Requests that a client left are counted under status 499 and never as errors.
"""

from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from shared.telemetry import names
from shared.telemetry.ledger import Ledger

# From one millisecond (a cache) to the longest route timeout; steps of about two, so that a p99 is read within 2x.
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class _Bound(dict[tuple[Any, ...], Any]):
    """A metric's children by their labels, found without asking the metric; as many as there are label sets."""

    def __init__(self, metric: Counter | Histogram) -> None:
        super().__init__()
        self._metric = metric

    def __missing__(self, labels: tuple[Any, ...]) -> Any:
        child = self[labels] = self._metric.labels(*labels)
        return child


class Metrics:
    """The counters of one service, on a registry of their own, so that two apps in one test do not meet."""

    def __init__(self) -> None:
        self.registry: Final = CollectorRegistry()
        self.requests: Final = Counter(
            names.METRIC_REQUESTS, "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.request_seconds: Final = Histogram(
            names.METRIC_REQUEST_SECONDS, "Time to answer", ["route"], registry=self.registry, buckets=BUCKETS
        )
        self.attempts: Final = Counter(
            names.METRIC_ATTEMPTS, "Attempts by outcome", ["backend", "outcome"], registry=self.registry
        )
        self.attempt_seconds: Final = Histogram(
            names.METRIC_ATTEMPT_SECONDS, "Time of one attempt", ["backend"], registry=self.registry, buckets=BUCKETS
        )
        self.sections: Final = Counter(
            names.METRIC_SECTIONS, "Sections by outcome", ["section", "outcome", "reason"], registry=self.registry
        )
        self.traces_dropped: Final = Counter(
            names.METRIC_LEDGERS_DROPPED, "Traces dropped because the export fell behind", registry=self.registry
        )
        self._requests, self._request_seconds = _Bound(self.requests), _Bound(self.request_seconds)
        self._attempts, self._attempt_seconds = _Bound(self.attempts), _Bound(self.attempt_seconds)
        self._sections = _Bound(self.sections)

    def observe(self, ledger: Ledger) -> None:
        """Count a finished request."""
        self._requests[ledger.method, ledger.route, ledger.status].inc()
        self._request_seconds[ledger.route,].observe(ledger.ended_s - ledger.started_s)
        for section in ledger.sections:
            self._sections[section.name, section.outcome, section.reason or ""].inc()
            for attempt in section.attempts:
                outcome = "cancelled" if attempt.cancelled else attempt.error or "ok"
                self._attempts[attempt.backend, outcome].inc()
                self._attempt_seconds[attempt.backend,].observe(attempt.ended_s - attempt.started_s)

    def scrape(self) -> bytes:
        """Return the Prometheus text format."""
        return generate_latest(self.registry)
