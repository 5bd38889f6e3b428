import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource

from dev.traces import client
from dev.traces.waterfall import waterfall
from dev.traces.words import label, marks
from shared.errors import Reason
from shared.telemetry.afterwards import LedgerTracing
from shared.telemetry.ledger import Ledger, read_origin
from tests.dev.traces.conftest import Viewer, start_viewer
from tests.dev.traces.samples import TRACE_ID, dashboard, export, healthy, span

Starting = Callable[..., Viewer]


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_0(starting: Starting, sign: int) -> None:
    """Both servers, at once, even with an idle connection open."""
    viewer = starting()
    with httpx.Client(base_url=viewer.url) as idle:
        idle.get("/health/live")
        begun = time.monotonic()

        assert viewer.stop(sign) == 0
        assert time.monotonic() - begun < 5
    assert '"event": "stopped"' in viewer.log.read_text()
    assert "Traceback" not in viewer.log.read_text()


def test_a_restart_shows_the_same_traces(starting: Starting, tmp_path: Path) -> None:
    """The ring is on disk."""
    file = str(tmp_path / "traces.sqlite")
    viewer = starting(FRONTAGE_DATABASE=file)
    viewer.send(dashboard())
    before = client.by_id(viewer.url, TRACE_ID)
    assert viewer.stop() == 0

    again = starting(FRONTAGE_DATABASE=file)

    assert before is not None
    assert client.by_id(again.url, TRACE_ID) == before


def test_the_bounds_come_from_the_environment(starting: Starting) -> None:
    """FRONTAGE_MAX_TRACES and FRONTAGE_MAX_SPANS."""
    viewer = starting(FRONTAGE_MAX_TRACES="2", FRONTAGE_MAX_SPANS="3")
    for number in (1, 2, 3):
        viewer.send(healthy(f"{number:032x}", number * 10**9))

    assert client.by_id(viewer.url, "1") is None
    assert len(client.by_id(viewer.url, "3")["spans"]) == 3


def test_a_busy_port_is_named_with_the_remedy(tmp_path: Path) -> None:
    """Not a traceback: which address, and which setting moves it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(AssertionError) as caught:
            start_viewer(tmp_path, FRONTAGE_OTLP_LISTEN=address)

    assert f"traces cannot listen on {address}: Address already in use. Set FRONTAGE_OTLP_LISTEN" in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_last_is_the_newest_request_through_the_edge_or_a_bff(starting: Starting) -> None:
    """Calls made straight to a backend or to the identity provider are newer, and not what was asked for."""
    viewer = starting()
    assert client.last(viewer.url) is None
    viewer.send(dashboard("aa" * 16, 5 * 10**18 // 4))
    viewer.send(healthy("bb" * 16, 5 * 10**18 // 4 + 10**9))
    viewer.send(export(users=[span(1, 0, "GET /x", 0, 1, "server", trace_id="cc" * 16, at_ns=6 * 10**18 // 4)]))

    assert client.last(viewer.url)["traceID"] == "bb" * 16
    assert client.last(viewer.url, service="edge")["traceID"] == "aa" * 16
    assert client.last(viewer.url, service="users")["traceID"] == "cc" * 16
    assert client.last(viewer.url, service="nobody") is None
    assert client.by_id(viewer.url, "AA" * 16)["traceID"] == "aa" * 16
    assert client.by_id(viewer.url, "dd" * 16) is None
    assert client.by_id(viewer.url, "../services") is None


def test_every_bff_is_an_entry_by_its_folder() -> None:
    """A new BFF needs no line here."""
    assert client.entries() == ("edge", "mobile", "web")


def test_a_viewer_that_is_not_there_is_httpxs_error() -> None:
    """The caller explains it; None would say that there is no trace."""
    with pytest.raises(httpx.TransportError):
        client.last("http://127.0.0.1:9")


def test_what_our_services_record_arrives_as_rows(viewer: Viewer) -> None:
    """The real path: a request's ledger, opentelemetry's own exporter, OTLP, the store, Jaeger's JSON, the rows."""
    ledger = Ledger(read_origin(None, "", 1.0), "GET", 10.0)
    ledger.route, ledger.status, ledger.deadline_ms = "/mobile/v1/dashboard", 200, 900
    ledger.degraded, ledger.ended_s = "recentOrders:timeout:default", 10.9
    section = ledger.section("recentOrders", 10.001)
    section.outcome, section.reason, section.ended_s = "default", Reason.TIMEOUT, 10.899
    for begun, ended, cancelled in ((10.002, 10.4, False), (10.45, 10.898, True)):
        attempt = section.attempt("orders", "GET", begun)
        attempt.ended_s, attempt.cancelled = ended, cancelled
        attempt.error = None if cancelled else Reason.TIMEOUT
    exporting = LedgerTracing(
        OTLPSpanExporter(endpoint=f"{viewer.otlp}/v1/traces"), Resource({"service.name": "mobile"}), lambda *_: None
    )
    exporting.finish(ledger)
    exporting.close(10)

    fall = waterfall(client.by_id(viewer.url, ledger.origin.trace_id))

    assert [(label(row), marks(row)) for row in fall.rows] == [
        ("mobile GET /mobile/v1/dashboard", ["200", "degraded"]),
        ("recentOrders", ["degraded: timeout"]),
        ("GET orders #1", ["timeout", "retried"]),
        ("GET orders #2", ["cancelled"]),
    ]
    times = [time for row in fall.rows for time in (row.offset_us, row.duration_us)]
    expected = [0, 900_000, 1_000, 898_000, 2_000, 398_000, 450_000, 448_000]
    assert times == pytest.approx(expected, abs=2)  # the ledger's floats, cut to whole microseconds
    assert (fall.deadline_us, fall.degraded[0].source) == (900_000, "default")
