"""A store, limiters and edges for the tests beside this file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.edges import RunningEdge
from tests.edge.limits.limiters import RunningLimiter
from tests.shared.store.servers import Server, serving

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def store() -> Iterator[Server]:
    """A Valkey that nobody stops."""
    with serving("valkey") as running:
        yield running


@pytest.fixture(scope="module")
def new_limiter(tmp_path_factory):
    """Start limiters; each is stopped at the end."""
    started: list[RunningLimiter] = []

    def start(store_url: str, **options: str) -> RunningLimiter:
        started.append(RunningLimiter(tmp_path_factory.mktemp("limiter"), store_url, **options))
        return started[-1].start()

    yield start
    for limiter in started:
        if limiter.process.poll() is None:
            limiter.process.kill()
            limiter.process.wait()


@pytest.fixture(scope="session")
def limiter(store, tmp_path_factory) -> Iterator[RunningLimiter]:
    """One limiter for all who need no more."""
    running = RunningLimiter(tmp_path_factory.mktemp("limiter"), store.url).start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def limited(lasting_edge, limiter) -> RunningEdge:
    """The edge of ``limited.yaml`` beside this file, with that limiter."""
    return lasting_edge((HERE / "limited.yaml").read_text(), LIMITER=limiter.address)


@pytest.fixture
def fresh(store) -> None:
    """Nothing has been counted yet."""
    with store.client as client:
        client.flushall()
