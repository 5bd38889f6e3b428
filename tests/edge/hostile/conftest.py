"""One edge, one upstream that keeps everything, for the whole corpus; both must be alive and well after each attack."""

import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.edge.edges import RunningEdge
from tests.edge.hostile.recorder import Recorder

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def recorder() -> Iterator[Recorder]:
    with Recorder(secrets.token_hex(16)) as running:
        running._loop.call_soon_threadsafe(running._released.set)
        yield running


@pytest.fixture(scope="session")
def attacked(lasting_edge, recorder, echo) -> RunningEdge:
    """The edge of ``hostile.yaml``."""
    text = (HERE / "hostile.yaml").read_text()
    edge = lasting_edge(text, RECORDER=f"127.0.0.1:{recorder.port}", STAMP=recorder.stamp)
    edge.first_pid = edge.envoy_pid()
    return edge


@pytest.fixture
def signed(echo, recorder) -> str:
    """A token that opens the secured door."""
    token = f"Bearer {echo.issuer.token(time.time())}"
    recorder.tokens.add(token)
    return token


@pytest.fixture(scope="session")
def honest(attacked) -> Iterator[httpx.Client]:
    """Somebody who has been there before it all began, and stays."""
    with attacked.client() as client:
        yield client


@pytest.fixture(autouse=True)
def _all_well(attacked, recorder, honest, signed) -> Iterator[None]:
    """Whatever was tried: nothing unjudged arrived, and edge and upstream serve the next honest request."""
    before = len(recorder.requests)
    yield
    assert honest.get("/open/alive").text == "/open/alive"
    assert honest.get("/secured/alive", headers={"authorization": signed}).text == "/secured/alive"
    assert honest.get("/secured/alive").status_code == 401
    assert recorder.faults(before) == []
    assert attacked.process.poll() is None
    assert attacked.envoy_pid() == attacked.first_pid, "Envoy was started anew"
