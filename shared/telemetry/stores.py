"""How the store is doing, shown: whether it is asked, what came of every question, what the cache made of it.

Owns the counters' names, and the log line of a store that turned. All of it is read at scrape from plain counts, so it
costs a question nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.store.standing import StoreTurnedEvent
from shared.store.store import Store
from shared.telemetry import names
from shared.telemetry.logs import get_logger

log = get_logger(__name__)


class StoreMetrics(Collector):
    """The store of one process, where it has one; and how often it turned."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._store: Store | None = None
        self._answers: Mapping[str, int] = {}
        self._turns: Final = Counter(
            names.METRIC_STORE_TURNS, "Times that the store was found away or back", ["state"], registry=registry
        )
        registry.register(self)

    def watch(self, store: Store, answers: Mapping[str, int]) -> None:
        """Show this one; ``answers`` are the counts of ``shared.backends.stored.StoredAnswers``."""
        self._store = store
        self._answers = answers

    def turned(self, event: StoreTurnedEvent) -> None:
        """Count and log it: why nobody asks the store any more, or that they do again."""
        state = "up" if event.up else "down"
        self._turns.labels(state).inc()
        log.warning("store_turned", state=state, cause=event.cause)

    def collect(self) -> Iterator[Metric]:
        """Read the live parts."""
        if self._store is None:
            return
        yield GaugeMetricFamily(names.METRIC_STORE_UP, "1 while the store is asked", value=float(self._store.up))
        questions = CounterMetricFamily(names.METRIC_STORE_QUESTIONS, "Questions by outcome", labels=["outcome"])
        for outcome, count in self._store.outcomes.items():
            questions.add_metric([outcome], count)
        answers = CounterMetricFamily(
            names.METRIC_STORED_ANSWERS, "Stored answers by what became of them", labels=["event"]
        )
        for event, count in self._answers.items():
            answers.add_metric([event], count)
        yield from (questions, answers)
