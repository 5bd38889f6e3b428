"""The line that answers "why was this section degraded", and its bounds."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.errors import Reason
from shared.telemetry.gaps import A_SECOND, MAX_DETAIL, GapLog
from shared.telemetry.ledger import Ledger, TraceOrigin
from shared.telemetry.logs import trace_id


def ended(*gaps: tuple[str, str, Reason, str], at_s: float = 100.0) -> Ledger:
    """Return the ledger of a request with these gaps: section, backend, reason, detail."""
    ledger = Ledger(TraceOrigin("ab" * 16, None, sampled=False, tracestate=""), "GET", at_s - 0.1)
    ledger.route, ledger.ended_s = "/screen", at_s
    ledger.section("whole", at_s).outcome = "fresh"
    for name, backend, reason, detail in gaps:
        section = ledger.section(name, at_s)
        section.outcome = "none"
        section.missing(reason, backend, detail)
    return ledger


ORDERS = ("recentOrders", "orders", Reason.FAULTED, "answered 500")
ALERTS = ("alerts", "alerts", Reason.TIMEOUT, "")


def lines(log: GapLog, *ledgers: Ledger) -> list[dict[str, Any]]:
    with capture_logs() as logged:
        for ledger in ledgers:
            log.tell(ledger)
    return list(logged)


def test_each_gap_is_a_line_with_its_cause() -> None:
    """Section, backend, reason, what happened; what was served is not mentioned."""
    first, second = lines(GapLog(), ended(ORDERS, ALERTS))

    assert first == {
        "event": "section_missing", "log_level": "warning", "section": "recentOrders", "backend": "orders",
        "reason": "faulted", "detail": "answered 500", "outcome": "none", "attempts": 0, "route": "/screen",
        "request_id": "", "not_said": 0,
    }  # fmt: skip
    assert (second["section"], second["reason"]) == ("alerts", "timeout")


def test_an_outage_does_not_drown_the_log_and_the_rest_is_counted() -> None:
    """So many lines a second for one backend and reason; others are not silenced by it."""
    log = GapLog()
    said = lines(log, *(ended(ORDERS) for _ in range(A_SECOND + 20)), ended(ALERTS))

    assert [line["backend"] for line in said] == ["orders"] * A_SECOND + ["alerts"]
    (next_second,) = lines(log, ended(ORDERS, at_s=101.0))
    assert next_second["not_said"] == 20


def test_a_long_detail_is_cut() -> None:
    """It cannot be ours."""
    (line,) = lines(GapLog(), ended(("s", "b", Reason.INVALID, "x" * 5_000)))

    assert len(line["detail"]) == MAX_DETAIL


@pytest.mark.parametrize("path", ["/small/screen", "/small/needed"])
async def test_a_gap_of_a_real_request_carries_its_trace_id(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Through the whole stack: from the trace id that a client quotes to the cause."""
    from tests.shared.asgi.small_bff import SmallBff  # noqa: PLC0415 - only this one needs sockets
    from tests.shared.backends.raw import answers, http  # noqa: PLC0415 - same

    seen = []
    async with SmallBff(attempts=1) as bff:
        bff.backends["main"].script = answers(http(b"{}", status="500 Oops"))
        tell = bff.observer()._gaps.tell
        bff.observer()._gaps.tell = lambda ledger: (seen.append(trace_id.get()), tell(ledger))
        with capture_logs() as logged:
            answer = await bff.client.get(path, headers=bff.bearer)

    (line,) = [one for one in logged if one["event"] == "section_missing"]
    assert (line["backend"], line["detail"], line["attempts"]) == ("main", "answered 500", 1)
    assert seen == [answer.headers["x-trace-id"]]
