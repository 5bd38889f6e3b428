"""Prometheus metrics of one process: fed from finished ledgers, read at scrape.

Owns the counting: plain numbers by label set, made into Prometheus families at scrape. Counting and scraping happen on
the event loop's thread, so nothing is locked; prometheus_client's own counters take a lock and four calls each, which
for a screen of three sections is a twentieth of the request. One process is one scrape target. Requests that a client
left are counted under status 499 and never as errors.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from shared.telemetry import names
from shared.telemetry.gates import GateMetrics
from shared.telemetry.ledger import Ledger
from shared.telemetry.stores import StoreMetrics

# From one millisecond (a cache) to the longest route timeout; steps of about two, so that a p99 is read within 2x.
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Counts(Collector):
    """How often something happened, by label set."""

    def __init__(self, name: str, text: str, labels: tuple[str, ...]) -> None:
        self._about = (name, text, labels)
        self.of: defaultdict[tuple[object, ...], int] = defaultdict(int)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the family."""
        name, text, labels = self._about
        family = CounterMetricFamily(name, text, labels=labels)
        for values, count in self.of.items():
            family.add_metric([str(value) for value in values], count)
        yield family


class Times(Collector):
    """How long something took, by one label: a count for each bucket, and the sum."""

    def __init__(self, name: str, text: str, label: str) -> None:
        self._about = (name, text, label)
        self._buckets: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(BUCKETS) + 1))
        self._sums: defaultdict[str, float] = defaultdict(float)

    def add(self, value: str, took_s: float) -> None:
        """Count one."""
        self._buckets[value][bisect_left(BUCKETS, took_s)] += 1
        self._sums[value] += took_s

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the family; Prometheus wants each bucket with all below it."""
        name, text, label = self._about
        family = HistogramMetricFamily(name, text, labels=[label])
        bounds = [*map(str, BUCKETS), "+Inf"]
        for value, counts in self._buckets.items():
            buckets = list(zip(bounds, map(float, accumulate(counts)), strict=True))
            family.add_metric([value], buckets, self._sums[value])
        yield family


class Metrics:
    """The counters of one service, on a registry of their own, so that two apps in one test do not meet."""

    def __init__(self) -> None:
        self.registry: Final = CollectorRegistry()
        self._requests = Counts(names.METRIC_REQUESTS, "Requests answered", ("method", "route", "status"))
        self._request_times = Times(names.METRIC_REQUEST_SECONDS, "Time to answer", "route")
        self._attempts = Counts(names.METRIC_ATTEMPTS, "Attempts by outcome", ("backend", "outcome"))
        self._attempt_times = Times(names.METRIC_ATTEMPT_SECONDS, "Time of one attempt", "backend")
        self._sections = Counts(names.METRIC_SECTIONS, "Sections by outcome", ("section", "outcome", "reason"))
        self._hedges = Counts(names.METRIC_HEDGES, "Attempts sent beside a slow one", ("backend", "won"))
        self._spared = Counts(names.METRIC_SPARED, "Calls without an exchange of their own", ("section", "how"))
        self._left_out = Counts(names.METRIC_LEFT_OUT, "Sections beyond what one answer may have", ("route",))
        self._graphql_errors = Counts(
            names.METRIC_GRAPHQL_ERRORS, "Errors in GraphQL answers, whose status does not tell", ("route", "code")
        )
        for collector in (
            self._requests, self._request_times, self._attempts, self._attempt_times, self._sections, self._hedges,
            self._spared, self._left_out, self._graphql_errors,
        ):  # fmt: skip
            self.registry.register(collector)
        self.gates: Final = GateMetrics(self.registry)
        self.stores: Final = StoreMetrics(self.registry)
        self.traces_kept: Final = Counter(
            names.METRIC_TRACES_KEPT, "Traces kept for their end", ["why"], registry=self.registry
        )
        # Counted on the thread of the export, too.
        self._traces_dropped: Final = Counter(
            names.METRIC_TRACES_DROPPED, "Traces (sdk: spans) never told", ["why"], registry=self.registry
        )

    def traces_dropped(self, count: int, why: str) -> None:
        """Count traces that nobody will see; on any thread."""
        self._traces_dropped.labels(why).inc(count)

    def observe(self, ledger: Ledger) -> None:
        """Count a finished request."""
        self._requests.of[ledger.method, ledger.route, ledger.status] += 1
        self._request_times.add(ledger.route, ledger.ended_s - ledger.started_s)
        if ledger.left_out:
            self._left_out.of[ledger.route,] += ledger.left_out
        for code in ledger.errors:
            self._graphql_errors.of[ledger.route, code] += 1
        for section in ledger.sections:
            self._sections.of[section.name, section.outcome, section.reason or ""] += 1
            if section.served:
                self._spared.of[section.name, section.served] += 1
            for attempt in section.attempts:
                if attempt.joined:
                    self._spared.of[section.name, "joined"] += 1
                    continue
                outcome = "cancelled" if attempt.cancelled else attempt.error or "ok"
                self._attempts.of[attempt.backend, outcome] += 1
                self._attempt_times.add(attempt.backend, attempt.ended_s - attempt.started_s)
                if attempt.hedge:
                    self._hedges.of[attempt.backend, "yes" if outcome == "ok" else "no"] += 1

    def scrape(self) -> bytes:
        """Return the Prometheus text format."""
        return generate_latest(self.registry)
