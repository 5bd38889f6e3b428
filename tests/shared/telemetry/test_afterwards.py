"""From ledgers to spans: one tree, marked as it went."""

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import SpanKind, StatusCode

from shared.errors import Reason
from shared.telemetry.afterwards import to_spans
from shared.telemetry.ledger import Ledger, TraceOrigin

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
RESOURCE = Resource({"service.name": "mobile"})


def finished(*, parent: str | None = "00f067aa0ba902b7", status: int = 200, state: str = "") -> Ledger:
    """Return the ledger of a request with a retried section, a section given up, and one never used."""
    ledger = Ledger(TraceOrigin(TRACE, parent, sampled=True, tracestate=state), "GET", 100.0)
    ledger.route, ledger.status, ledger.deadline_ms = "/users/{id}", status, 2900
    ledger.degraded = "alerts:deadline:none"
    profile = ledger.section("profile", 100.1)
    first = profile.attempt("users", "GET", 100.1)
    first.status, first.error, first.ended_s = 503, Reason.FAULTED, 100.2
    second = profile.attempt("users", "GET", 100.3)
    second.status, second.ended_s = 200, 100.4
    profile.outcome, profile.ended_s = "fresh", 100.4
    alerts = ledger.section("alerts", 100.1)
    given_up = alerts.attempt("alerts", "GET", 100.1)
    given_up.cancelled, given_up.hedge, given_up.ended_s = True, True, 101.0
    alerts.outcome, alerts.reason, alerts.ended_s = "none", Reason.DEADLINE, 101.0
    ledger.ended_s = 101.1
    return ledger


def test_one_tree_of_server_sections_and_attempts() -> None:
    """Every attempt is a client span under its section under the server span under the caller's."""
    spans = list(to_spans(finished(), RESOURCE))

    assert {span.context.trace_id for span in spans} == {int(TRACE, 16)}
    assert len({span.context.span_id for span in spans}) == len(spans) == 6
    server, profile, first, second, alerts, given_up = spans
    assert [one.name for one in spans] == [
        "GET /users/{id}", "section profile", "GET users", "GET users", "section alerts", "GET alerts",
    ]  # fmt: skip
    assert [one.kind for one in (server, profile, first)] == [SpanKind.SERVER, SpanKind.INTERNAL, SpanKind.CLIENT]
    assert server.parent
    assert server.parent.span_id == 0x00F067AA0BA902B7
    assert server.parent.is_remote
    for child, parent in ((profile, server), (first, profile), (second, profile), (alerts, server), (given_up, alerts)):
        assert child.parent
        assert child.parent.span_id == parent.context.span_id


def test_what_went_wrong_is_marked() -> None:
    """A failed attempt, a second one, a cancelled one, a degraded section: each says so."""
    server, profile, first, second, alerts, given_up = to_spans(finished(), RESOURCE)

    assert dict(first.attributes or {}) == {
        "frontage.backend": "users", "frontage.attempt": 1, "http.request.method": "GET",
        "http.response.status_code": 503, "error.type": "faulted",
    }  # fmt: skip
    assert (second.attributes or {})["frontage.attempt"] == 2
    assert (given_up.attributes or {})["frontage.cancelled"] is True
    assert (given_up.attributes or {})["frontage.hedge"] is True
    assert (given_up.attributes or {})["error.type"] == "cancelled"
    assert (alerts.attributes or {})["frontage.reason"] == "deadline"
    assert (server.attributes or {})["frontage.degraded"] == "alerts:deadline:none"
    codes = [span.status.status_code for span in (server, profile, first, second, given_up)]
    assert codes == [StatusCode.UNSET, StatusCode.UNSET, StatusCode.ERROR, StatusCode.UNSET, StatusCode.ERROR]


@pytest.mark.parametrize(("status", "is_error"), [(200, False), (404, False), (499, False), (500, True), (504, True)])
def test_only_a_fault_of_ours_is_an_error_of_the_server_span(status: int, is_error: bool) -> None:
    """4xx is the client's, 499 its leaving (field case M5)."""
    code = next(to_spans(finished(status=status), RESOURCE)).status.status_code

    assert (code is StatusCode.ERROR) is is_error


def test_every_span_has_ended_within_its_request() -> None:
    """Start before end, and the wall clock's time of the request under all of them."""
    ledger = finished()
    for span in to_spans(ledger, RESOURCE):
        assert span.start_time is not None
        assert span.end_time is not None
        assert ledger.wall_ns <= span.start_time <= span.end_time <= ledger.wall_ns + int(1.1e9) + 1


def test_a_trace_of_our_own_has_no_parent_and_a_joined_one_keeps_its_state() -> None:
    """Nothing is invented."""
    assert next(to_spans(finished(parent=None), RESOURCE)).parent is None
    assert next(to_spans(finished(state="vendor=1"), RESOURCE)).context.trace_state.get("vendor") == "1"
