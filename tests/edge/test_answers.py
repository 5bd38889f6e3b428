"""One error format for everything that Envoy itself answers, and what every answer carries."""

import re

import pytest

from shared.errors import PROBLEM_KINDS, ProblemCode

TRACE_ID = re.compile(r"[0-9a-f]{32}")


def asks(method: str, path: str, **options):
    """One request; every one carries a query that must not come back."""
    return lambda client: client.request(method, f"{path}?q=secret", **options)


CASES = {
    "no_token": (asks("GET", "/secured/x"), 401, "unauthenticated"),
    "bad_token": (asks("GET", "/secured/x", headers={"authorization": "Bearer no"}), 401, "unauthenticated"),
    "unknown_path": (asks("GET", "/nowhere"), 404, "not_found"),
    "unknown_host": (asks("GET", "/open/x", headers={"host": "evil.example.test"}), 404, "not_found"),
    "method": (asks("PUT", "/users/7"), 405, "method_not_allowed"),
    "trace": (asks("TRACE", "/open/x"), 405, "method_not_allowed"),
    "escaped_slash": (asks("GET", "/open/a%2fb"), 400, "invalid_request"),
    "body": (asks("POST", "/open/x", content=b"x" * (1024**2 + 1)), 413, "payload_too_large"),
    "header_bytes": (asks("GET", "/open/x", headers={"big": "x" * 17_000}), 431, "invalid_request"),
    "header_count": (asks("GET", "/open/x", headers={f"h{n}": "1" for n in range(70)}), 431, "invalid_request"),
    "unreachable": (asks("GET", "/gone/x"), 503, "backend_unreachable"),
    "deadline": (asks("GET", "/open/hang", headers={"x-deadline-ms": "150"}), 504, "deadline_exceeded"),
}


@pytest.mark.parametrize("http2", [True, False], ids=["h2", "http/1.1"])
@pytest.mark.parametrize("case", CASES)
def test_what_the_edge_answers_itself_is_a_problem(edge, case, http2):
    """Status, code and every member of RFC 9457 as architecture §5 has it; the query is never echoed."""
    ask, status, code = CASES[case]
    with edge.client(http2=http2) as client:
        answer = ask(client)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    kind = PROBLEM_KINDS[ProblemCode(code)]
    assert body["type"] == f"urn:frontage:problem:{code}"
    assert (body["code"], body["status"]) == (code, status)
    assert (body["title"], body["retryable"]) == (kind.title, kind.retryable)
    assert body["detail"]
    assert body["instance"].startswith("/")
    assert TRACE_ID.fullmatch(body["traceId"])
    assert body["traceId"] == answer.headers["x-trace-id"]
    assert "secret" not in answer.text + repr(answer.headers)
    assert_security_headers(answer.headers)


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "invalid_request"),
        (b"GET /open/x HTTP/1.0\r\n\r\n", 426, "upgrade_required"),
        (b"GET /open/x HTTP/1.1\r\nHost: localhost\r\nbig: " + b"x" * 100_000 + b"\r\n\r\n", 431, "invalid_request"),
        (b"GET /open/x HTTP/1.1\r\nHost: localhost\r\ncontent-length: -1\r\n\r\n", 400, "invalid_request"),
    ],
    ids=["no_http", "http_1.0", "headers_beyond_twice", "bad_length"],
)
def test_what_the_codec_refuses_is_a_problem_too(edge, request_bytes, status, code):
    """Even where no request was understood there is a trace id to ask about."""
    seen, headers, body = edge.raw(request_bytes)
    assert seen == status
    assert headers["content-type"] == "application/problem+json"
    assert f'"code":"{code}"'.encode() in body
    assert TRACE_ID.fullmatch(headers["x-trace-id"])
    assert headers["x-trace-id"].encode() in body


def test_a_request_that_does_not_arrive_in_time_is_a_408(edge):
    """A slow sender holds nothing of the upstream's; the code says that it is the request's fault."""
    status, headers, body = edge.raw(b"POST /open/x HTTP/1.1\r\nHost: localhost\r\ncontent-length: 9\r\n\r\nx")
    assert (status, headers["content-type"]) == (408, "application/problem+json")
    assert b'"code":"invalid_request"' in body
    assert b'"status":408' in body


def assert_security_headers(headers) -> None:
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors" in headers["content-security-policy"]
    assert not {"server", "x-envoy-upstream-service-time", "x-frontage-own"} & set(headers)


@pytest.mark.parametrize("http2", [True, False], ids=["h2", "http/1.1"])
def test_a_body_below_the_limit_arrives_whole(edge, http2):
    """The default of 1 MiB is a limit for bodies, not for what a connection buffers."""
    with edge.client(http2=http2) as client:
        assert client.post("/open/x", content=b"x" * 1_000_000).json()["length"] == 1_000_000


def test_a_body_of_unknown_length_is_limited_too(edge, echo):
    """Chunked: nothing of it reaches the upstream."""
    before = len(echo.seen)
    with edge.client() as client:
        answer = client.post("/open/x", content=iter([b"x" * 600_000] * 2))
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    assert len(echo.seen) == before


def test_an_upstreams_problem_passes_untouched(edge, echo):
    """The BFF's own words, its own code, and our headers around them."""
    said = b'{"code":"overloaded","traceId":null,"retryAfterSeconds":"7"}'
    echo.answers["/open/shed"] = echo.reply(
        503, said, "retry-after: 7", "x-frontage-own: 1", media="application/problem+json"
    )
    with edge.client() as client:
        answer = client.get("/open/shed")
    assert (answer.status_code, answer.content, answer.headers["retry-after"]) == (503, said, "7")
    assert_security_headers(answer.headers)


def test_an_upstream_that_speaks_no_http_is_a_502_problem(edge, echo):
    """Never its bytes."""
    echo.answers["/open/babble"] = b"SSH-2.0-nope\r\n\r\n"
    with edge.client() as client:
        answer = client.get("/open/babble")
    assert (answer.status_code, answer.json()["code"]) == (502, "backend_invalid")


def test_a_page_keeps_its_own_stricter_policy(edge, echo):
    """Only a missing content-security-policy is added."""
    echo.answers["/open/page"] = echo.reply(
        200, b"<p>", "content-security-policy: default-src 'self'", media="text/html"
    )
    with edge.client() as client:
        assert client.get("/open/page").headers["content-security-policy"] == "default-src 'self'"


def test_a_limit_is_kept_per_client_address_and_says_when_to_come_back(edge):
    """429 with whole seconds in header and body; what a client claims to be its address does not matter (L1)."""
    with edge.client() as client:
        answers = [client.get("/limited/x", headers={"x-forwarded-for": f"10.0.0.{number}"}) for number in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 3
    refused = answers[-1]
    assert refused.json()["code"] == "rate_limited"
    assert refused.json()["retryAfterSeconds"] == int(refused.headers["retry-after"])
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    with edge.client() as client:  # one bucket for the client, whichever route it comes by
        assert client.get("/limited-too/x").status_code == 429
