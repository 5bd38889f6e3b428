"""Bad input, through the real edge: a problem with a stable code, and nothing else."""

import socket
import ssl

import httpx
import pytest

from tests.system.running import Running

pytestmark = pytest.mark.system

DASHBOARD = "/mobile/v1/dashboard"
# What must never reach a client: stacks, files, hosts and ports behind the edge, names of what we run on.
INSIDE = ("traceback", ".py", "127.0.0.1", "identity:", "users:", "envoy", "uvicorn", "upstream", "select ")


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict:
    """Check that this is the one error format, and that nothing from inside is in it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == code
    assert body["status"] == status
    assert body["type"] == f"urn:frontage:problem:{code}"
    assert isinstance(body["retryable"], bool)
    assert body["title"]
    assert body["traceId"] == answer.headers["x-trace-id"]
    assert len(body["traceId"]) == 32
    text = answer.text.lower() + str(answer.headers.multi_items()).lower()
    assert [word for word in INSIDE if word in text] == []
    return body


@pytest.mark.parametrize(
    "token",
    [
        {"expires_in": -3600},
        {"audience": "somebody-else"},
        {"issuer": "http://evil.example"},
        {"algorithm": "none"},
        {"algorithm": "HS256"},
        {"claims": {"exp": None}},
    ],
    ids=["expired", "wrong audience", "wrong issuer", "alg none", "HS256 with the public key", "without an expiry"],
)
@pytest.mark.parametrize("surface", ["mobile", "web"])
def test_a_token_that_does_not_count(running: Running, surface: str, token: dict) -> None:
    """401 with a challenge, and no backend is asked."""
    with running.client(None, headers={"authorization": f"Bearer {running.token(**token)}"}) as http:
        if surface == "mobile":
            answer = http.get(DASHBOARD)
        else:
            answer = http.post("/web/graphql", json={"query": "{ viewer { tier } }"})

    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert running.seen("users")["calls"] == []


def test_no_token(running: Running) -> None:
    """401, on REST and GraphQL alike."""
    with running.client(None) as http:
        assert_problem(http.get(DASHBOARD), 401, "unauthenticated")
        assert_problem(http.post("/web/graphql", json={"query": "{ viewer { tier } }"}), 401, "unauthenticated")


@pytest.mark.parametrize("name", ["access_token", "token", "jwt"])
def test_a_token_in_the_query_is_no_token(running: Running, name: str) -> None:
    """It would stand in every log on the way: refused, and repeated nowhere."""
    token = running.token()
    with running.client(None) as http:
        answer = http.get(DASHBOARD, params={name: token})

    body = assert_problem(answer, 401, "unauthenticated")
    assert body["instance"] == DASHBOARD
    assert token not in answer.text
    assert all(token not in running.log(service) for service in ("edge", "mobile"))


def test_unknown_paths_and_methods(running: Running) -> None:
    """404 and 405; the latter says what would do."""
    with running.client() as http:
        assert_problem(http.get("/nope"), 404, "not_found")
        assert_problem(http.get("/mobile/v1/nope"), 404, "not_found")
        assert_problem(http.get("/mobile/v2/dashboard"), 404, "not_found")
        wrong = http.delete(DASHBOARD)

    assert_problem(wrong, 405, "method_not_allowed")
    assert "GET" in wrong.headers["allow"]


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/version", "/openapi.json", "/docs"])
@pytest.mark.parametrize("prefix", ["", "/mobile", "/web", "/mobile/v1", "/mobile/v1/..", "/mobile/v1/%2e%2e/.."])
def test_what_operators_ask_cannot_be_asked_from_outside(running: Running, prefix: str, path: str) -> None:
    """No spelling of a path leads through the edge to health, metrics or version."""
    with running.client() as http:
        answer = http.send(
            http.build_request("GET", httpx.URL(running.edge).copy_with(raw_path=(prefix + path).encode()))
        )

    assert answer.status_code in {400, 404}
    assert_problem(answer, answer.status_code, {400: "invalid_request", 404: "not_found"}[answer.status_code])


def test_a_body_that_is_too_large(running: Running) -> None:
    """413 before it is read to its end."""
    with running.client() as http:
        answer = http.post("/web/graphql", json={"query": "#" * 4_000_000})

    assert_problem(answer, 413, "payload_too_large")


def test_headers_that_are_too_large(running: Running) -> None:
    """A problem, not a reset."""
    with running.client(headers={"x-large": "a" * 200_000}) as http:
        answer = http.get(DASHBOARD)

    assert answer.status_code in {400, 431}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b"{ not json", "application/json", 400, "invalid_request"),
        (b"", "application/json", 400, "invalid_request"),
        (b"[]", "application/json", 400, "invalid_request"),
        (b'{"query": 7}', "application/json", 400, "invalid_request"),
        (b'{"query": "{ viewer { tier } }", "variables": 7}', "application/json", 400, "invalid_request"),
        (b"query=mutation", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b'{"query": "{ viewer { tier } }"}', "text/plain", 415, "unsupported_media_type"),
    ],
)
def test_a_graphql_request_that_is_none(
    running: Running, content: bytes, media_type: str, status: int, code: str
) -> None:
    """What is not a GraphQL request is a problem; no backend is asked."""
    with running.client(headers={"content-type": media_type}) as http:
        assert_problem(http.post("/web/graphql", content=content), status, code)
    assert running.seen("users")["calls"] == []


@pytest.mark.parametrize("query", ["{ nope", "{ nope }", "query A { viewer { tier } } query B { viewer { tier } }"])
def test_malformed_graphql(running: Running, query: str) -> None:
    """Syntax and validation errors keep their readable message, with a code and the trace id."""
    with running.client() as http:
        answer = http.post("/web/graphql", json={"query": query})

    assert answer.status_code == 400
    error = answer.json()["errors"][0]
    assert error["message"]
    assert error["extensions"]["code"] == "invalid_request"
    assert error["extensions"]["traceId"] == answer.headers["x-trace-id"]
    assert "data" not in answer.json()


def test_plain_http_is_redirected(running: Running) -> None:
    """To the same path over TLS, and nothing is served without it."""
    answer = httpx.get(f"http://localhost:{running.port(8080)}{DASHBOARD}?a=1")

    assert answer.status_code in {301, 308}
    assert answer.headers["location"] == f"{running.edge}{DASHBOARD}?a=1"


def test_old_tls_is_refused(running: Running) -> None:
    """TLS 1.1 gets no answer; 1.2 and 1.3 do."""
    port = httpx.URL(running.edge).port
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = running.trust
        context.minimum_version = context.maximum_version = version
        with (
            socket.create_connection(("127.0.0.1", port), 5) as raw,
            context.wrap_socket(raw, server_hostname="localhost") as secured,
        ):
            assert secured.version() == version.name.replace("_", ".")
    context = running.trust
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLS"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", port), 5) as raw,
        pytest.raises(ssl.SSLError),
    ):
        context.wrap_socket(raw, server_hostname="localhost")


def test_identity_headers_from_outside_are_nobodys(running: Running) -> None:
    """Whoever claims to be another in a header is still the token's subject (field case A4)."""
    forged = {"x-user-id": "u-2", "x-auth-sub": "u-2", "x-auth-subject": "u-2", "x-forwarded-user": "u-2"}
    with running.client("u-1", headers=forged) as http:
        assert http.get(DASHBOARD).json()["userId"] == "u-1"
