"""What every service has: health, metrics, version, trace id, deadline, access log."""

import httpx
import pytest
from structlog.testing import capture_logs

from tests.shared.asgi.service import client_of, make_app

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "path", ["/ok", "/nowhere", "/boom", "/typed", "/items/1", "/health/live", "/health/ready", "/metrics", "/version"]
)
async def test_every_answer_has_a_trace_id_of_its_own(path: str) -> None:
    """32 hex digits, another for each request, once."""
    async with client_of(make_app()) as client:
        answers = [await client.get(path) for _ in range(2)]

    ids = [answer.headers.get_list("x-trace-id") for answer in answers]
    assert [len(one) for one in ids] == [1, 1]
    assert ids[0] != ids[1]
    assert all(len(one) == 32 and int(one, 16) for (one,) in ids)


async def test_a_callers_trace_is_joined() -> None:
    """Unless it is sent twice or malformed: then it is nobody's."""
    parent = f"00-{TRACE}-{SPAN}-01"
    async with client_of(make_app()) as client:
        joined = await client.get("/ok", headers={"traceparent": parent})
        twice = await client.get("/ok", headers=[("traceparent", parent), ("traceparent", parent)])

    assert joined.headers["x-trace-id"] == TRACE
    assert twice.headers["x-trace-id"] != TRACE


# Health


async def test_a_service_that_runs_is_live_and_ready_and_says_which_it_is() -> None:
    """For probes, scrapes and people."""
    async with client_of(make_app(version="1.2.3")) as client:
        assert (await client.get("/health/live")).json() == {"status": "live"}
        assert (await client.get("/health/ready")).json() == {"status": "ready", "failing": []}
        assert (await client.get("/version")).json() == {"service": "small", "version": "1.2.3"}
        scraped = await client.get("/metrics")

    assert scraped.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_a_failing_check_is_named_and_the_service_not_ready() -> None:
    """But live: a restart would not mend a database."""
    async with client_of(make_app(checks={"store": lambda: False, "other": lambda: True})) as client:
        ready = await client.get("/health/ready")
        live = await client.get("/health/live")

    assert (ready.status_code, ready.json()) == (503, {"status": "not ready", "failing": ["store"]})
    assert live.status_code == 200


async def test_a_draining_service_is_not_ready_but_still_answers() -> None:
    """The balancer looks elsewhere before the door closes."""
    app = make_app()
    app.state.drain.started = True
    async with client_of(app) as client:
        assert (await client.get("/health/ready")).json()["failing"] == ["draining"]
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/ok")).status_code == 200


async def test_the_operators_routes_are_not_in_the_contract() -> None:
    """No client generates code for them."""
    assert not any(path.startswith(("/health", "/metrics", "/version")) for path in make_app().openapi()["paths"])


# Deadline


@pytest.mark.parametrize(
    ("value", "budget_ms"),
    [("250", 250), ("999999", 3000), ("0", 1), ("-5", 3000), ("soon", 3000), ("1e3", 3000), ("", 3000), (None, 3000)],
)
async def test_the_deadline_is_what_the_caller_left_within_our_ceiling(value: str | None, budget_ms: int) -> None:
    """``x-deadline-ms`` shortens; nothing extends."""
    async with client_of(make_app()) as client:
        seen = (await client.get("/ok", headers={} if value is None else {"x-deadline-ms": value})).json()

    assert seen["ledger_ms"] == budget_ms
    assert budget_ms - 500 <= seen["left_ms"] <= budget_ms


async def test_two_deadlines_are_none() -> None:
    """Nobody knows whose would be meant."""
    async with client_of(make_app()) as client:
        seen = (await client.get("/ok", headers=[("x-deadline-ms", "5"), ("x-deadline-ms", "9")])).json()

    assert seen["ledger_ms"] == 3000


async def test_a_degraded_answer_is_kept_by_nobody() -> None:
    """Whatever the route says otherwise (architecture §4)."""
    async with client_of(make_app()) as client:
        answer = await client.get("/degraded")

    assert answer.headers.get_list("cache-control") == ["no-store"]


# Log and metrics


async def test_one_access_line_a_request() -> None:
    """Route template, status, time, the edge's request id; never the path, the query or a header."""
    with capture_logs() as logs:
        async with client_of(make_app()) as client:
            headers = {"x-request-id": "9f-1", "authorization": "Bearer hunter2"}
            await client.get("/items/7?token=hunter2", headers=headers)

    (line,) = [one for one in logs if one["event"] == "request"]
    assert line.pop("ms") >= 0
    assert line == {
        "event": "request", "log_level": "info", "method": "GET", "route": "/items/{item_id}", "status": 404,
        "degraded": "", "request_id": "9f-1",
    }  # fmt: skip


@pytest.mark.parametrize("value", ["ada@example.test", "a b", "x" * 129, "é"])
async def test_a_request_id_that_could_be_anything_is_not_taken(value: str) -> None:
    """It would put a stranger's text into every log."""
    with capture_logs() as logs:
        async with client_of(make_app()) as client:
            await client.get("/ok", headers={"x-request-id": value.encode("utf-8")})

    assert [one["request_id"] for one in logs if one["event"] == "request"] == [""]


async def test_probes_and_scrapes_are_not_requests() -> None:
    """Ten health checks a second would drown the rest (field case T2)."""
    app = make_app()
    with capture_logs() as logs:
        async with client_of(app) as client:
            for path in ("/health/live", "/health/ready", "/metrics", "/version"):
                await client.get(path)
            scraped = (await client.get("/metrics")).text

    assert logs == []
    assert "frontage_requests_total{" not in scraped


async def test_labels_come_from_closed_sets() -> None:
    """A stranger's paths and methods never become time series."""
    async with client_of(make_app()) as client:
        for number in range(5):
            await client.get(f"/items/{number}")
            await client.get(f"/nowhere/{number}")
            await client.request(f"BREW{number}", "/ok")
        scraped = (await client.get("/metrics")).text

    requests = [line for line in scraped.splitlines() if line.startswith("frontage_requests_total{")]
    assert sorted(requests) == [
        'frontage_requests_total{method="GET",route="",status="404"} 5.0',
        'frontage_requests_total{method="GET",route="/items/{item_id}",status="404"} 5.0',
        'frontage_requests_total{method="OTHER",route="/ok",status="405"} 5.0',
    ]


async def test_an_unknown_host_is_never_echoed() -> None:
    """Neither in a redirect nor anywhere else (field case E3)."""
    async with client_of(make_app()) as client:
        for path in ("/ok/", "/nowhere", "/items"):
            answer = await client.get(path, headers={"host": "evil.example.test"})
            assert "evil" not in f"{answer.text}{answer.headers}"
            assert not httpx.codes.is_redirect(answer.status_code)
