"""Prometheus metrics of one process: fed from finished ledgers, read at scrape.

Owns the counting: plain numbers by label set, made into Prometheus families at scrape. Finished ledgers are put by and
counted many at once, at scrape at the latest: then C does most of it, and a request pays for an append. Counting and
scraping happen on the event loop's thread, so nothing is locked. One process is one scrape target. Requests that a
client left are counted under status 499 and never as errors.
"""

from bisect import bisect_right
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, chain
from operator import attrgetter
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from shared.telemetry import names
from shared.telemetry.gates import GateMetrics
from shared.telemetry.ledger import AttemptRecord, Ledger, SectionRecord
from shared.telemetry.stores import StoreMetrics

# From one millisecond (a cache) to the longest route timeout; steps of about two, so that a p99 is read within 2x.
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

# So few that they are still in the processor's cache, so many that the counting's own overhead no longer shows.
TOGETHER: Final = 64

Key = Callable[[Any], tuple[str, float, float]]
_request: Final = attrgetter("method", "route", "status")
_request_time: Final = attrgetter("route", "ended_s", "started_s")
_sections_of: Final[Any] = attrgetter("sections")
_section: Final = attrgetter("name", "outcome", "reason")
_attempts_of: Final[Any] = attrgetter("attempts")
_joined: Final = attrgetter("joined")
_attempt: Final = attrgetter("backend", "cancelled", "error", "hedge")
_attempt_time: Final = attrgetter("backend", "ended_s", "started_s")


class Counts(Collector):
    """How often something happened, by label set."""

    def __init__(self, name: str, text: str, labels: tuple[str, ...]) -> None:
        self._about = (name, text, labels)
        self.of: Tally[tuple[object, ...]] = Tally()

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the family."""
        name, text, labels = self._about
        family = CounterMetricFamily(name, text, labels=labels)
        for values, count in self.of.items():
            family.add_metric(["" if value is None else str(value) for value in values], count)
        yield family


class Times(Collector):
    """How long something took, by one label: a count for each bucket, and the sum."""

    def __init__(self, name: str, text: str, label: str) -> None:
        self._about = (name, text, label)
        self._buckets: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(BUCKETS) + 1))
        self._sums: defaultdict[str, float] = defaultdict(float)

    def add(self, value: str, took_s: Iterable[float]) -> None:
        """Count how long some took."""
        ordered = sorted(took_s)
        counts, below = self._buckets[value], 0
        for bucket, bound in enumerate(BUCKETS):
            up_to = bisect_right(ordered, bound, below)
            counts[bucket] += up_to - below
            below = up_to
        counts[-1] += len(ordered) - below
        self._sums[value] += sum(ordered)

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
        self._finished: list[Ledger] = []
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
        """Count a finished request, soon; nothing in its ledger changes any more."""
        self._finished.append(ledger)
        if len(self._finished) >= TOGETHER:
            self._count()

    def _count(self) -> None:
        """Count what was put by."""
        ledgers, self._finished = self._finished, []
        self._requests.of.update(map(_request, ledgers))
        for route, took_s in _times_by(_request_time, ledgers):
            self._request_times.add(route, took_s)
        for ledger in ledgers:
            if ledger.left_out:
                self._left_out.of[ledger.route,] += ledger.left_out
            if ledger.errors:
                self._graphql_errors.of.update((ledger.route, code) for code in ledger.errors)
        sections: list[SectionRecord] = list(chain.from_iterable(map(_sections_of, ledgers)))
        self._sections.of.update(map(_section, sections))
        self._spared.of.update((one.name, one.served) for one in sections if one.served)
        attempts: list[AttemptRecord] = list(chain.from_iterable(map(_attempts_of, sections)))
        if any(map(_joined, attempts)):
            self._spared.of.update((one.name, "joined") for one in sections for each in one.attempts if each.joined)
            attempts = [one for one in attempts if not one.joined]
        self._count_attempts(attempts)

    def _count_attempts(self, attempts: list[AttemptRecord]) -> None:
        """Count tries that were exchanges of their own."""
        for (backend, cancelled, error, hedge), count in Tally(map(_attempt, attempts)).items():
            outcome = "cancelled" if cancelled else error or "ok"
            self._attempts.of[backend, outcome] += count
            if hedge:
                self._hedges.of[backend, "yes" if outcome == "ok" else "no"] += count
        for backend, took_s in _times_by(_attempt_time, attempts):
            self._attempt_times.add(backend, took_s)

    def scrape(self) -> bytes:
        """Return the Prometheus text format."""
        self._count()
        return generate_latest(self.registry)


def _times_by(key: Key, records: Iterable[object]) -> Iterable[tuple[str, list[float]]]:
    """Return how long they took, by what ``key`` gives beside their end and their start."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for value, ended_s, started_s in map(key, records):
        found[value].append(ended_s - started_s)
    return found.items()
