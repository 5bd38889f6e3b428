"""A store, a control service and an edge that asks it, for the tests beside this file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.control.controls import RunningControl
from tests.edge.edges import RunningEdge
from tests.shared.store.servers import Server, serving

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def store() -> Iterator[Server]:
    """A Valkey that nobody stops."""
    with serving("valkey") as running:
        yield running


@pytest.fixture(scope="session")
def control(store, echo, tmp_path_factory) -> Iterator[RunningControl]:
    """One control service for all who need no more."""
    running = RunningControl(tmp_path_factory.mktemp("control"), store.url, echo.port)
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture(scope="session")
def asking(lasting_edge, control, echo) -> RunningEdge:
    """The edge of ``control.yaml`` beside this file, with that control service."""
    echo.published["/main/jwks"] = echo.issuer.jwks()  # from where no other module counts the fetches
    return lasting_edge((HERE / "control.yaml").read_text(), CONTROL=control.address)
