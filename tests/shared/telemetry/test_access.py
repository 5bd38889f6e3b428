"""The access log's lines: what structlog would have written, and never a blocked answer."""

import json
import threading

from shared.telemetry.access import MAX_LINES, AccessLog
from shared.telemetry.ledger import Ledger, TraceOrigin

TRACE = "a" * 32


def finished(route: str = "/mobile/v1/dashboard", degraded: str = "") -> Ledger:
    ledger = Ledger(TraceOrigin(TRACE, None, sampled=False, tracestate=""), "GET", 10.0)
    ledger.wall_ns, ledger.ended_s = 1_700_000_000_250_000_000, 10.0125
    ledger.route, ledger.status, ledger.degraded = route, 200, degraded
    ledger.request_id = "r-1"
    return ledger


def test_a_line_is_json_with_everything_in_it() -> None:
    """Method, template, status, time, gaps, moment of the end, trace and service."""
    written: list[bytes] = []
    access = AccessLog("Mobile BFF", written.append)
    access.add(finished(degraded="alerts:timeout:none"))
    access.close(5)

    assert json.loads(b"".join(written)) == {
        "method": "GET", "route": "/mobile/v1/dashboard", "status": 200, "ms": 12.5, "degraded": "alerts:timeout:none",
        "event": "request", "level": "info", "request_id": "r-1", "timestamp": "2023-11-14T22:13:20.262Z",
        "trace_id": TRACE, "service": "Mobile BFF",
    }  # fmt: skip


def test_what_needs_escaping_is_escaped() -> None:
    """One request is one line, whatever a template or a service is called."""
    written: list[bytes] = []
    access = AccessLog('a "service"\n', written.append)
    access.add(finished(route='/"\n'))
    access.add(finished())
    access.close(5)

    lines = b"".join(written).splitlines()
    assert [json.loads(line)["route"] for line in lines] == ['/"\n', "/mobile/v1/dashboard"]


def test_a_reader_that_stalls_costs_lines_and_never_an_answer() -> None:
    """The queue is bounded; adding to it never waits."""
    stalled, go_on = threading.Event(), threading.Event()

    def write(_: bytes) -> None:
        stalled.set()
        go_on.wait(5)

    access = AccessLog("t", write)
    access.add(finished())
    assert stalled.wait(5)
    for _ in range(MAX_LINES + 7):
        access.add(finished())

    assert access.dropped == 7
    go_on.set()
    access.close(5)
