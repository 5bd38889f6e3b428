"""What stands between us and each backend, shown: breaker, permits, queue, limit, connections.

Owns the gauges, which are read from the live parts at scrape and cost a request nothing, and the one event that is
worth a log line: a breaker that turns.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Protocol, runtime_checkable

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from shared.resilience.breaker import Breaker, BreakerState, BreakerTurnedEvent
from shared.resilience.bulkhead import Bulkhead
from shared.telemetry import names
from shared.telemetry.logs import get_logger

log = get_logger(__name__)


@runtime_checkable
class Pooled(Protocol):
    """A channel that counts its connections; one that leaves that to a library does not."""

    @property
    def connections(self) -> int:
        """How many are open or being opened."""

    @property
    def active(self) -> int:
        """How many exchanges hold one or wait for one."""


class Gates(Protocol):
    """The live parts of one backend that are shown."""

    @property
    def breaker(self) -> Breaker:
        """Whether anything is sent."""

    @property
    def bulkhead(self) -> Bulkhead:
        """How much at once."""

    @property
    def channel(self) -> object:
        """Over what."""


class GateMetrics(Collector):
    """Gauges over the backends of one process, and a count of its breakers' turns."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._backends: Mapping[str, Gates] = {}
        self._turns: Final = Counter(
            names.METRIC_BREAKER_TURNS, "Breakers that changed state", ["backend", "state"], registry=registry
        )
        registry.register(self)

    def watch(self, backends: Mapping[str, Gates]) -> None:
        """Show these, by name."""
        self._backends = backends

    def breaker_turned(self, event: BreakerTurnedEvent) -> None:
        """Count and log it: an operator asks for this line first."""
        self._turns.labels(event.backend, event.state).inc()
        log.warning("breaker_turned", backend=event.backend, state=event.state.value)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read the live parts."""
        breaker = GaugeMetricFamily(names.METRIC_BREAKER, "1 for the breaker's state", labels=["backend", "state"])
        in_flight = GaugeMetricFamily(names.METRIC_IN_FLIGHT, "Permits taken", labels=["backend"])
        waiting = GaugeMetricFamily(names.METRIC_WAITING, "Calls that wait for a permit", labels=["backend"])
        limit = GaugeMetricFamily(names.METRIC_LIMIT, "Permits there are", labels=["backend"])
        connections = GaugeMetricFamily(names.METRIC_CONNECTIONS, "Connections there are", labels=["backend"])
        exchanges = GaugeMetricFamily(names.METRIC_EXCHANGES, "Exchanges that hold or await one", labels=["backend"])
        for name, gates in self._backends.items():
            for state in BreakerState:
                breaker.add_metric([name, state], float(gates.breaker.state is state))
            in_flight.add_metric([name], gates.bulkhead.in_flight)
            waiting.add_metric([name], gates.bulkhead.waiting)
            limit.add_metric([name], gates.bulkhead.limit)
            if isinstance(gates.channel, Pooled):
                connections.add_metric([name], gates.channel.connections)
                exchanges.add_metric([name], gates.channel.active)
        yield from (breaker, in_flight, waiting, limit, connections, exchanges)
