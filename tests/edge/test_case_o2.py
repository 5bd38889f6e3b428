"""O2, between the edge and its upstreams: who keeps a connection longer is whoever answers on it."""

import asyncio
import random
import time
from pathlib import Path

import pytest

from edge.load import load
from shared.asgi.serve import KEEP_ALIVE_S
from tests.edge.echo import Echo

TEXT = """
listeners:
  public:
    address: ${EDGE_PUBLIC_ADDRESS}
    hosts: [localhost]
    tls: {certificate: "${EDGE_CERTIFICATE}", key: "${EDGE_KEY}"}
routes:
  - {name: all, match: {path: "/all/{**rest}"}, cluster: closing, timeout: 2s}
clusters:
  closing: {endpoints: ["${CLOSING}"], idle_timeout: 300ms, endpoints_close_idle: 500ms}
telemetry: {traces: ""}
admin: {address: "${EDGE_ADMIN_ADDRESS}"}
"""
CLOSES_AFTER_S = 0.5


class Closing(Echo):
    """Closes what was idle for half a second, to the instant."""

    async def _request(self, reader, writer) -> bool:
        try:
            return await asyncio.wait_for(super()._request(reader, writer), CLOSES_AFTER_S)
        except TimeoutError:
            raise ConnectionError from None


@pytest.fixture(scope="module")
def closing():
    with Closing() as running:
        yield running


def test_case_o2_requests_at_the_very_moment_of_the_close_are_answered(new_edge, closing):
    """One each half second (± 50 ms), the upstream's own limit; GET and POST, each arrives once."""
    edge, pace = new_edge(TEXT, CLOSING=f"127.0.0.1:{closing.port}"), random.Random(2)
    with edge.client() as client:
        statuses = []
        for number in range(10):
            method = ("GET", "POST")[number % 2]
            statuses.append(client.request(method, f"/all/{number}").status_code)
            time.sleep(CLOSES_AFTER_S + pace.uniform(-0.05, 0.05))  # the race itself
    assert statuses == [200] * 10
    assert [one["target"] for one in closing.seen] == [f"/all/{number}" for number in range(10)]


def test_case_o2_the_edge_closes_before_our_own_services_do():
    """At each hop of the system's own edge; what the file says of them is what they do."""
    edge = load(Path("edge/edge.yaml"), {}).edge
    assert set(edge.spec.clusters) >= {"mobile", "web"}
    for cluster in edge.spec.clusters.values():
        assert cluster.idle_timeout < cluster.endpoints_close_idle
        assert cluster.endpoints_close_idle.total_seconds() <= KEEP_ALIVE_S
