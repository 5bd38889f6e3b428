"""One deadline, one trace, one way to leave: from the client through the edge to the backends."""

import re
import threading
import time
from collections.abc import Callable, Collection
from typing import Any

import httpx
import pytest

from tests.system.running import BACKENDS, Running

pytestmark = pytest.mark.system

DASHBOARD = "/mobile/v1/dashboard"
# Envoy sends its spans every five seconds.
ENVOY_TELLS_WITHIN_S = 15.0


def until(found: Callable[[], Any], within_s: float = 5.0) -> Any:
    """Return what ``found`` gives once it is true; fail after a bound."""
    end = time.monotonic() + within_s
    while not (value := found()):
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)
    return value


def trace_of(
    running: Running, trace_id: str, spans: int, services: Collection[str] = ()
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the trace's spans once there are as many and from all of these, with their tags and their service."""

    def found() -> list[dict[str, Any]]:
        answer = httpx.get(f"{running.traces}/api/traces/{trace_id}")
        if answer.status_code != 200:
            return []
        (trace,) = answer.json()["data"]
        for span in trace["spans"]:
            span["tags"] = {tag["key"]: tag["value"] for tag in span["tags"]}
            span["service"] = trace["processes"][span["processID"]]["serviceName"]
        all_there = {span["service"] for span in trace["spans"]} >= set(services)
        return trace["spans"] if all_there and len(trace["spans"]) >= spans else []

    return until(found, ENVOY_TELLS_WITHIN_S)


@pytest.mark.parametrize(
    ("asked", "ceiling"),
    [("700", 600), ("60000", 2900), ("-5", 2900), ("soon", 2900), (None, 2900)],
    ids=["shorter", "longer", "negative", "garbage", "none"],
)
def test_the_deadline_shrinks_on_its_way(running: Running, asked: str | None, ceiling: int) -> None:
    """A client may shorten the route's 3 s, never extend it; each backend is told less than the BFF had."""
    headers = {"x-deadline-ms": asked} if asked else {}
    with running.client(headers=headers) as http:
        trace_id = http.get(DASHBOARD).headers["x-trace-id"]

    spans = trace_of(running, trace_id, 11)
    (server,) = [one for one in spans if one["service"] == "mobile" and "frontage.deadline_ms" in one["tags"]]
    assert server["tags"]["frontage.deadline_ms"] == ceiling
    for backend in BACKENDS:
        (call,) = running.seen(backend)["calls"]
        assert 0 < int(call["x-deadline-ms"]) <= min(ceiling, 700)


def test_an_answer_comes_by_the_clients_deadline(running: Running) -> None:
    """All three backends silent: the answer is there within what the client asked for, and says what is missing."""
    for backend in BACKENDS:
        running.fault(backend, silent=True)
    with running.client("u-300", headers={"x-deadline-ms": "500"}) as http:
        http.get("/mobile/v1/nope")  # the connection and the key set are not what is measured
        started = time.monotonic()
        answer = http.get(DASHBOARD)
        took = time.monotonic() - started

    assert answer.status_code == 200
    assert {gap["reason"] for gap in answer.json()["degraded"]} == {"deadline"}
    assert took < 0.5


def test_when_the_client_leaves_every_backend_sees_it(running: Running) -> None:
    """Each silent backend notices the close, although nothing answered the client yet."""
    for backend in BACKENDS:
        running.fault(backend, silent=True)

    def leave_early() -> None:
        with running.client(timeout=0.3) as http, pytest.raises(httpx.ReadTimeout):
            http.get(DASHBOARD)

    leaver = threading.Thread(target=leave_early)
    leaver.start()
    leaver.join()

    for backend in BACKENDS:
        until(lambda backend=backend: running.seen(backend)["disconnects"] >= 1, 1.0)
        assert running.seen(backend)["inFlight"] == 0
    until(lambda: 'status="499"' in httpx.get(f"{running.address('mobile')}/metrics").text)


def test_at_the_deadline_every_backend_sees_it(running: Running) -> None:
    """The answer is out, and what was still under way is closed, not left to finish for nobody."""
    running.fault("alerts", silent=True)
    with running.client(headers={"x-deadline-ms": "400"}) as http:
        assert http.get(DASHBOARD).status_code == 200

    until(lambda: running.seen("alerts")["disconnects"] >= 1, 1.0)


def test_one_trace_from_edge_to_backends(running: Running) -> None:
    """Edge, BFF, a section, its attempts, the backend: one tree; a retry is a second attempt of the same section."""
    running.fault("orders", status=503)
    with running.client("u-301") as http:
        trace_id = http.get(DASHBOARD).headers["x-trace-id"]

    spans = trace_of(running, trace_id, 13, {"edge", "mobile", *BACKENDS})
    by_id = {span["spanID"]: span for span in spans}

    def parent(span: dict[str, Any]) -> dict[str, Any]:
        return by_id[span["references"][0]["spanID"]]

    assert {span["service"] for span in spans} == {"edge", "mobile", *BACKENDS}
    (root,) = [span for span in spans if not span["references"]]
    assert root["service"] == "edge"
    (server,) = [span for span in spans if span["operationName"] == "GET /mobile/v1/dashboard"]
    assert parent(server)["service"] == "edge"
    assert server["tags"]["frontage.degraded"] == "recentOrders:faulted:default"
    attempts = [span for span in spans if span["operationName"] == "GET orders"]
    assert sorted(span["tags"]["frontage.attempt"] for span in attempts) == [1, 2]
    assert {parent(span)["operationName"] for span in attempts} == {"section recentOrders"}
    assert parent(parent(attempts[0])) is server
    answered = [span for span in spans if span["service"] == "orders"]
    assert {parent(span)["spanID"] for span in answered} == {span["spanID"] for span in attempts}


@pytest.mark.parametrize(("flag", "kept"), [("01", True), ("00", False)])
def test_case_t2_the_sampled_flag_is_honoured(running: Running, flag: str, kept: bool) -> None:
    """01: exported under the caller's id by everyone; 00: by nobody, and the flag goes on to the backends."""
    trace_id = f"{time.monotonic_ns():032x}"
    with running.client(headers={"traceparent": f"00-{trace_id}-{'b' * 16}-{flag}"}) as http:
        assert http.get(DASHBOARD).headers["x-trace-id"] == trace_id
    with running.client(headers={"traceparent": f"00-{'c' * 32}-{'b' * 16}-01"}) as http:
        http.get(DASHBOARD)

    trace_of(running, "c" * 32, 11)  # sent later and there already: what was to come has come
    for backend in BACKENDS:
        assert running.seen(backend)["calls"][0]["traceparent"].startswith(f"00-{trace_id}-")
        assert running.seen(backend)["calls"][0]["traceparent"].endswith(f"-{flag}")
    found = httpx.get(f"{running.traces}/api/traces/{trace_id}").status_code
    assert found == (200 if kept else 404)


def test_every_answer_has_its_trace_id(running: Running) -> None:
    """Also those that Envoy gives by itself."""
    with running.client() as http:
        answers = [http.get(DASHBOARD), http.get("/nope"), http.get(DASHBOARD, headers={"authorization": "Bearer x"})]

    assert all(re.fullmatch("[0-9a-f]{32}", answer.headers["x-trace-id"]) for answer in answers)


def test_no_log_line_and_no_span_has_personal_data(running: Running) -> None:
    """Neither names, mail addresses, tokens nor queries of a request are written down anywhere."""
    token = running.token("u-5")
    with running.client(None, headers={"authorization": f"Bearer {token}"}) as http:
        answer = http.get(DASHBOARD, params={"note": "a-secret-in-the-query"})
        profile = httpx.get(f"{running.address('users')}/api/internal/users/u-5/profile").json()
    spans = str(trace_of(running, answer.headers["x-trace-id"], 11))
    logs = "".join(running.log(service) for service in ("edge", "mobile", "web", *BACKENDS))

    for private in (profile["displayName"], profile["email"], token, token.split(".")[2], "a-secret-in-the-query"):
        assert private not in logs
        assert private not in spans
