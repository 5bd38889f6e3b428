"""One problem format for everything that goes wrong, and nothing of ours in it."""

import json

import httpx
import pytest
from structlog.testing import capture_logs

from shared.errors import PROBLEM_KINDS, ProblemCode
from tests.shared.asgi.service import SECRET, client_of, make_app, running

MEMBERS = {"type", "title", "status", "code", "detail", "instance", "traceId", "retryable"}


def problem_in(answer: httpx.Response) -> dict[str, object]:
    """Return the body, after checking everything that holds for every problem."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, object] = answer.json()
    assert MEMBERS <= set(body) <= MEMBERS | {"retryAfterSeconds", "section"}
    kind = PROBLEM_KINDS[ProblemCode(str(body["code"]))]
    assert (body["status"], body["title"], body["retryable"]) == (kind.status, kind.title, kind.retryable)
    assert body["type"] == f"urn:frontage:problem:{body['code']}"
    assert answer.status_code == body["status"]
    assert body["instance"] == answer.request.url.path
    assert body["traceId"] == answer.headers["x-trace-id"]
    wait = body.get("retryAfterSeconds")
    assert answer.headers.get("retry-after") == (None if wait is None else str(wait))
    assert "hunter2" not in answer.text
    return body


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nowhere", "not_found"),
        ("GET", "/ok/", "not_found"),
        ("GET", "//ok", "not_found"),
        ("GET", "/%00%0d%0aset-cookie:%20a=b", "not_found"),
        ("DELETE", "/ok", "method_not_allowed"),
        ("BREW", "/ok", "method_not_allowed"),
        ("GET", "/items/7", "not_found"),
        ("GET", "/items/seven", "invalid_request"),
        ("GET", "/typed", "invalid_request"),
        ("GET", f"/typed?limit={SECRET}", "invalid_request"),
        ("POST", "/orders", "invalid_request"),
        ("GET", "/boom", "internal"),
        ("GET", "/call", "backend_unreachable"),
    ],
)
async def test_every_failure_is_a_problem_with_a_stable_code(method: str, path: str, code: str) -> None:
    """From the router, the validation, a handler or a bug: one shape."""
    async with client_of(make_app()) as client:
        answer = await client.request(method, path)

    assert problem_in(answer)["code"] == code


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "invalid_request"),
        (401, "unauthenticated"),
        (403, "forbidden"),
        (404, "not_found"),
        (409, "conflict"),
        (412, "precondition_failed"),
        (413, "payload_too_large"),
        (415, "unsupported_media_type"),
        (418, "invalid_request"),
        (426, "upgrade_required"),
        (429, "rate_limited"),
        (500, "internal"),
        (502, "internal"),
        (503, "overloaded"),
        (504, "deadline_exceeded"),
    ],
)
async def test_the_frameworks_own_errors_become_ours(status: int, code: str) -> None:
    """By their status; an unknown 4xx stays the client's fault, and its text stays inside."""
    async with client_of(make_app()) as client:
        assert problem_in(await client.get(f"/http/{status}"))["code"] == code


async def test_an_http_errors_headers_survive() -> None:
    """Whatever they are: not only Allow."""
    async with client_of(make_app()) as client:
        answer = await client.get("/http/403?header=kept")

    assert problem_in(answer)["code"] == "forbidden"
    assert answer.headers["x-own"] == "kept"


async def test_a_405_says_what_is_allowed() -> None:
    """RFC 9110 §15.5.6."""
    async with client_of(make_app()) as client:
        answer = await client.post("/ok")

    assert problem_in(answer)["code"] == "method_not_allowed"
    assert answer.headers["allow"] == "GET"


async def test_a_401_carries_its_challenge() -> None:
    """RFC 6750 §3."""
    async with client_of(make_app()) as client:
        answer = await client.get("/http/401")

    assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_invalid_request_names_the_place_and_never_the_value() -> None:
    """The value may be a credential in the wrong place."""
    async with client_of(make_app()) as client:
        query = problem_in(await client.get("/typed", params={"limit": SECRET}))
        body = problem_in(await client.post("/orders", json={"amount": SECRET}))
        as_json = {"content-type": "application/json"}
        torn = problem_in(await client.post("/orders", content=b'{"amount": ', headers=as_json))

    assert query["detail"] == "Check query.limit."
    assert body["detail"] == "Check body.amount."
    assert torn["code"] == "invalid_request"


async def test_a_bug_shows_nothing_and_the_log_has_its_cause() -> None:
    """The client gets a trace id, the operator a traceback."""
    with capture_logs() as logs:
        async with client_of(make_app()) as client:
            answer = await client.get("/boom?token=hunter2")

    assert problem_in(answer)["detail"] == "Internal error"
    (error,) = [line for line in logs if line["log_level"] == "error"]
    assert error["event"] == "unhandled_error"
    assert error["exc_info"]


async def test_the_query_is_never_part_of_the_instance() -> None:
    """A token in the wrong place is not echoed."""
    async with client_of(make_app()) as client:
        answer = await client.get("/nowhere?access_token=hunter2")

    assert problem_in(answer)["instance"] == "/nowhere"


async def test_a_503_says_when_to_come_back() -> None:
    """Also for a call outside any section."""
    async with client_of(make_app()) as client:
        answer = await client.get("/call")

    assert problem_in(answer)["retryAfterSeconds"] == 2


async def test_half_an_answer_ends_with_the_connection() -> None:
    """After it began, no problem can be sent: the client must see that it is not whole."""
    async with running(make_app()) as url, httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"{url}/half")

        assert (await client.get(f"{url}/ok")).status_code == 200


async def test_over_a_socket_it_is_the_same_problem() -> None:
    """What the server itself adds breaks nothing; a path with control characters is safe."""
    async with running(make_app()) as url, httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/%00%0d%0aset-cookie:%20a=b%c3%28")

    assert "set-cookie" not in answer.headers
    assert json.loads(answer.content)["code"] == "not_found"
    assert len(answer.headers.get_list("x-trace-id")) == 1
