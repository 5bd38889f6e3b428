"""Certificates, one echo and one running edge for all; modules that reload or stop edges start their own."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from tests.edge.echo import Echo
from tests.edge.edges import RunningEdge

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def tls(tmp_path_factory) -> Path:
    """A folder with ca.pem, edge.pem, edge.key."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1", "api.example.test")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate.private_key_pem.write_to_path(folder / "edge.key")
    (folder / "edge.pem").write_bytes(b"".join(part.bytes() for part in certificate.cert_chain_pems))
    return folder


@pytest.fixture(scope="session")
def echo() -> Iterator[Echo]:
    with Echo() as running:
        yield running


def _starter(tls: Path, echo: Echo, tmp_path_factory) -> Iterator[Callable[..., RunningEdge]]:
    started: list[RunningEdge] = []

    def start(text: str, *, launch_only: bool = False, **environment: str) -> RunningEdge:
        folder = tmp_path_factory.mktemp("edge")
        variables = {
            "EDGE_CERTIFICATE": str(tls / "edge.pem"),
            "EDGE_KEY": str(tls / "edge.key"),
            "ECHO": f"127.0.0.1:{echo.port}",
            **environment,
        }
        edge = RunningEdge(folder, text, variables, tls / "ca.pem")
        started.append(edge)
        return edge.launch() if launch_only else edge.start()

    yield start
    for edge in started:
        if edge.process is not None:
            edge.stop()


@pytest.fixture(scope="module")
def new_edge(tls, echo, tmp_path_factory):
    """Start edges; each is stopped with its module: an Envoy holds several of the system's few inotify instances."""
    yield from _starter(tls, echo, tmp_path_factory)


@pytest.fixture(scope="session")
def lasting_edge(tls, echo, tmp_path_factory):
    """Start edges that many modules share."""
    yield from _starter(tls, echo, tmp_path_factory)


@pytest.fixture(scope="session")
def edge(lasting_edge) -> RunningEdge:
    """The edge of ``edge.yaml`` beside this file."""
    return lasting_edge((HERE / "edge.yaml").read_text())


@pytest.fixture
def token(echo) -> str:
    return echo.issuer.token(time.time())


@pytest.fixture
def bearer(token) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}
