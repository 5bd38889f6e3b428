"""Metrics: one count a request, an attempt and a section; labels from closed sets."""

from shared.errors import Reason
from shared.telemetry.ledger import Ledger, TraceOrigin
from shared.telemetry.metrics import Metrics


def ledger(status: int) -> Ledger:
    made = Ledger(TraceOrigin("a" * 32, None, sampled=False, tracestate=""), "GET", 10.0)
    made.route, made.status, made.ended_s = "/dashboard", status, 10.03
    section = made.section("profile", 10.0)
    for error, cancelled in ((Reason.TIMEOUT, False), (None, False), (None, True)):
        attempt = section.attempt("users", "GET", 10.0)
        attempt.error, attempt.cancelled, attempt.ended_s = error, cancelled, 10.02
    section.outcome, section.ended_s = "fresh", 10.02
    return made


def test_a_finished_request_is_counted_once_with_its_parts() -> None:
    """By route template and status; attempts by backend and outcome; sections by outcome and reason."""
    metrics = Metrics()
    metrics.observe(ledger(200))
    text = metrics.scrape().decode()

    assert 'frontage_requests_total{method="GET",route="/dashboard",status="200"} 1.0' in text
    assert 'frontage_request_seconds_bucket{le="0.025",route="/dashboard"} 0.0' in text
    assert 'frontage_request_seconds_bucket{le="0.05",route="/dashboard"} 1.0' in text
    for outcome in ("timeout", "ok", "cancelled"):
        assert f'frontage_backend_attempts_total{{backend="users",outcome="{outcome}"}} 1.0' in text
    assert 'frontage_sections_total{outcome="fresh",reason="",section="profile"} 1.0' in text


def test_a_client_that_left_is_its_own_status() -> None:
    """499: no 5xx rule ever counts it (field case M5)."""
    metrics = Metrics()
    metrics.observe(ledger(499))

    assert 'status="499"} 1.0' in metrics.scrape().decode()


def test_sections_that_the_answer_had_no_room_for_are_counted_by_route() -> None:
    """So that an operator sees which page asks for too much; a request that was within its bounds adds no line."""
    metrics = Metrics()
    metrics.observe(ledger(200))
    assert b"left_out_total{" not in metrics.scrape()

    wide = ledger(200)
    wide.left_out = 3
    metrics.observe(wide)
    assert b'frontage_sections_left_out_total{route="/dashboard"} 3.0' in metrics.scrape()


def test_two_services_in_one_process_do_not_meet() -> None:
    """Each app has its own registry."""
    first, second = Metrics(), Metrics()
    first.observe(ledger(200))

    assert b"/dashboard" not in second.scrape()
