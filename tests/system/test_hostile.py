"""Hostile requests through the real edge to a real BFF: it serves what was judged, as one request, for its sender."""

import json

import httpx
import pytest

from tests.edge.hostile.rows import CHUNKS, HEADERS, HOST, SMUGGLING
from tests.edge.hostile.wire import Wire
from tests.system.running import Running
from tests.system.test_request_life import until

pytestmark = pytest.mark.system

PROFILE = "/mobile/v1/profile"
# Each of these waits a second or more for what never comes.
ROWS = [row for row in (*SMUGGLING, *CHUNKS, *HEADERS) if 408 not in row.statuses and len(row.sent) < 50_000]


def test_no_hidden_request_reaches_a_bff(running: Running) -> None:
    """A valid token opens the outer request only; what the BFF serves is what the edge let in, and nobody else's."""
    token = running.token("u-1")
    for row in ROWS:
        with Wire(("127.0.0.1", httpx.URL(running.edge).port), str(running.ca)) as wire:
            wire.send(towards_profile(row.sent, token))
            wire.answer()
    with running.client("u-1") as http:
        last = http.get(PROFILE).headers["x-trace-id"]

    served = until(lambda: requests_of(running, "mobile", last))
    (own,) = [line["request_id"] for line in served if line["trace_id"] == last]
    # Envoy writes its lines now and then: those before the last one are there with it.
    judged = until(lambda: lines_by_id(requests_of(running, "edge", last), own))
    assert len(served) > 20
    assert [line for line in served if line["request_id"] not in judged] == []
    assert [line for line in served if judged[line["request_id"]]["status"] != line["status"]] == []
    assert len({line["request_id"] for line in served}) == len(served)
    assert {one["path"] for one in running.seen("users")["calls"]} == {"/api/internal/users/u-1"}


def towards_profile(sent: bytes, token: str) -> bytes:
    """Return the attack, signed in, at a route of the BFF; what it hides asks for another's data there."""
    signed = HOST + f"Authorization: Bearer {token}\r\n".encode()
    hidden = b"GET /mobile/v1/profile?smuggled=1 "
    return (
        sent.replace(HOST, signed, 1)
        .replace(b"/open/x", PROFILE.encode(), 1)
        .replace(b"GET /secured/smuggled ", hidden)
    )


def lines_by_id(lines: list[dict], last: str) -> dict[str, dict]:
    """Return the lines by request, once that of the last one is there."""
    found = {line["request_id"]: line for line in lines}
    return found if last in found else {}


def requests_of(running: Running, service: str, last: str) -> list[dict]:
    """Return the lines of requests in a service's log, once the last one is there."""
    lines = [json.loads(line) for line in running.log(service).splitlines() if '"event":"request"' in line]
    if service == "edge":
        return lines
    return lines if any(line["trace_id"] == last for line in lines) else []


@pytest.mark.parametrize(
    "path",
    ["/mobile/v1/%c0%ae%c0%ae/profile", "/mobile/v1/profile%00", "/mobile/v1/profile%0d%0ax:y", "/mobile/v1/;/profile",
     "/mobile/v1/%2e%2e%2fprofile", "/mobile/v1/profile#x", "/mobile/v1/\\../../../metrics", "/mobile/v1/prof%zzile"],
)  # fmt: skip
def test_an_odd_path_is_refused_before_the_bff(running: Running, path: str) -> None:
    """400 or 404, and no backend is asked."""
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {running.token()}\r\n\r\n"
    with Wire(("127.0.0.1", httpx.URL(running.edge).port), str(running.ca)) as wire:
        wire.send(head.encode())
        answer = wire.answer()
    assert answer is not None
    assert answer.status in (400, 404)
    assert running.seen("users")["calls"] == []
