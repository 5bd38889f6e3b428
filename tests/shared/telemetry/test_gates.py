"""What stands between us and each backend, read at scrape."""

from datetime import timedelta
from random import Random
from typing import Any

from shared.backends.backend import Backend, Backends, CallPolicy
from shared.errors import Reason
from shared.resilience.breaker import BreakerPolicy
from shared.resilience.bulkhead import BulkheadPolicy
from shared.resilience.deadline import Deadline
from shared.resilience.limit import LimitPolicy
from shared.resilience.priority import Priority
from shared.resilience.verdict import Verdict
from shared.telemetry.ledger import Ledger, TraceOrigin
from shared.telemetry.metrics import Metrics
from shared.testing.clock import ManualClock
from shared.testing.scripted import Scripted, hang


def shown(metrics: Metrics) -> dict[str, float]:
    lines = metrics.scrape().decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


def watched(metrics: Metrics, **policy: Any) -> tuple[ManualClock, Any]:
    """Return a clock and the live state of one backend, ``orders``, that the metrics watch."""
    clock, orders = ManualClock(), Backend("orders", CallPolicy(**policy))
    backends = Backends({orders: Scripted(hang())}, clock, Random(1), metrics.gates.breaker_turned)
    metrics.gates.watch(backends.states)
    return clock, backends.state(orders)


def test_permits_queue_and_limit_are_gauges() -> None:
    """In flight, waiting, and how many there may be; read when asked, not when they change."""
    metrics = Metrics()
    _, state = watched(metrics, bulkhead=BulkheadPolicy(max_concurrent=2))
    for _ in range(2):
        state.bulkhead.acquire()
    state.bulkhead.wait(Priority.USER, Deadline(2000.0), lambda: None, lambda _: None)

    got = shown(metrics)

    assert got['frontage_backend_in_flight{backend="orders"}'] == 2
    assert got['frontage_backend_waiting{backend="orders"}'] == 1
    assert got['frontage_backend_limit{backend="orders"}'] == 2


def test_an_adaptive_limit_is_shown_as_it_moves() -> None:
    """What the backend was found to take, not what the policy allows at most."""
    metrics = Metrics()
    adaptive = LimitPolicy(slow_after=timedelta(seconds=1), first=20)
    _, state = watched(metrics, bulkhead=BulkheadPolicy(adaptive=adaptive))
    state.bulkhead.acquire()
    state.bulkhead.release(Verdict.OVERLOAD, 0.7)

    assert shown(metrics)['frontage_backend_limit{backend="orders"}'] == 18


def test_the_breakers_state_is_one_of_three() -> None:
    """1 for the state it is in, 0 for the others; its turns are counted."""
    metrics = Metrics()
    clock, state = watched(metrics, breaker=BreakerPolicy(minimum_calls=1, jitter=0.0))

    def now() -> list[str]:
        got = shown(metrics)
        states = ("closed", "open", "half_open")
        return [one for one in states if got[f'frontage_backend_breaker{{backend="orders",state="{one}"}}']]

    assert now() == ["closed"]
    state.breaker.done(state.breaker.admit(), Verdict.FAILURE, 0.1)
    assert now() == ["open"]
    clock.turn(5)
    probe = state.breaker.admit()
    assert now() == ["half_open"]
    state.breaker.done(probe, Verdict.SUCCESS, 0.1)
    assert now() == ["closed"]
    turns = {name: value for name, value in shown(metrics).items() if "turns_total" in name}
    assert turns == {
        f'frontage_backend_breaker_turns_total{{backend="orders",state="{one}"}}': 1.0
        for one in ("open", "half_open", "closed")
    }


def test_an_app_that_starts_again_shows_the_backends_it_has_now() -> None:
    """Watching anew replaces; nothing is registered twice."""
    metrics = Metrics()
    _, first = watched(metrics)
    first.bulkhead.acquire()
    watched(metrics)

    assert shown(metrics)['frontage_backend_in_flight{backend="orders"}'] == 0


def test_hedges_are_counted_by_whether_they_won() -> None:
    """A hedge that was given up for the first one, one that failed, one that won."""
    ledger = Ledger(TraceOrigin("a" * 32, None, sampled=False, tracestate=""), "GET", 10.0)
    section = ledger.section("orders", 10.0)
    section.attempt("orders", "GET", 10.0)
    for error, cancelled in ((None, True), (Reason.FAULTED, False), (None, False)):
        attempt = section.attempt("orders", "GET", 10.1)
        attempt.hedge, attempt.error, attempt.cancelled = True, error, cancelled
    metrics = Metrics()
    metrics.observe(ledger)

    got = shown(metrics)

    assert got['frontage_backend_hedges_total{backend="orders",won="yes"}'] == 1
    assert got['frontage_backend_hedges_total{backend="orders",won="no"}'] == 2


def test_the_pools_connections_are_gauges() -> None:
    """What a pool holds is shown; a channel that does not count has no line that would say 0."""
    metrics = Metrics()
    _, state = watched(metrics)
    assert not [name for name in shown(metrics) if "exchanges" in name]

    class Pool:
        connections, active = 3, 2

    state.channel = Pool()
    got = shown(metrics)

    assert got['frontage_backend_connections{backend="orders"}'] == 3
    assert got['frontage_backend_exchanges{backend="orders"}'] == 2
