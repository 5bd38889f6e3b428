"""Failures inside of a 200 are seen by whoever watches metrics and traces, not only by the client."""

import asyncio

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from shared.telemetry.tracing import Way, open_tracing
from shared.testing.faults import status
from shared.testing.sockets import SocketBackends
from tests.bffs.web.web import BOTH, DASHBOARD, VIEWER, Web

COUNTED = "frontage_graphql_errors_total"


def counted(web: Web) -> set[str]:
    return {line for line in web.app.state.metrics.scrape().decode().splitlines() if line.startswith(f"{COUNTED}{{")}


def line(code: str, times: int = 1) -> str:
    return f'{COUNTED}{{code="{code}",route="/web/graphql"}} {times:.1f}'


async def test_each_error_is_counted_by_its_code(web: Web, backends: SocketBackends) -> None:
    """The request is a 200 and stays one; what failed in it is a number of its own."""
    backends["users"].fault(status(500))
    for _ in range(2):
        assert (await web.query(BOTH)).status_code == 200
    assert (await web.query("{ nonsense }")).status_code == 400

    assert counted(web) == {line("backend_faulted", 2), line("invalid_request")}


async def test_a_gap_that_was_declared_is_no_error(web: Web, backends: SocketBackends) -> None:
    """It is in ``degraded``, and in the sections' metric."""
    backends["users"].fault(status(500))
    await web.query(DASHBOARD)

    assert counted(web) == set()


@pytest.mark.parametrize("way", ["ledger", "sdk"])
@pytest.mark.parametrize(("backend", "code", "failed"), [(500, "backend_faulted", True), (404, "not_found", False)])
async def test_a_trace_says_which_errors_its_answer_had(
    web: Web, backends: SocketBackends, way: Way, backend: int, code: str, failed: bool
) -> None:
    """And it is an error only when a REST answer of that kind would have been one."""
    exporter = InMemorySpanExporter()
    backends["users"].fault(status(backend))
    tracing = web.app.state.observer.tracing = open_tracing(way, exporter, Resource({}), 1.0, lambda *_: None)
    await web.query(VIEWER)
    await asyncio.to_thread(tracing.close, 5.0)
    (server,) = [span for span in exporter.get_finished_spans() if span.name == "POST /web/graphql"]

    assert server.attributes
    assert (server.attributes["frontage.errors"], server.attributes["http.response.status_code"]) == (code, 200)
    assert (server.status.status_code is StatusCode.ERROR) is failed
    assert server.attributes.get("error.type") == (code if failed else None)
