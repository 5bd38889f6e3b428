"""Who reaches what: hosts, paths, methods, headers, through the real Envoy."""

import ssl

import pytest


def asked(edge, request: str, **options):
    """Send an HTTP/1.1 request given as lines; return status, headers and body."""
    return edge.raw(request.replace("\n", "\r\n").encode() + b"\r\n\r\n", **options)


def deadline_of(answer) -> str:
    return dict(answer.json()["headers"])["x-deadline-ms"]


@pytest.mark.parametrize("http2", [True, False], ids=["h2", "http/1.1"])
def test_both_protocols_are_served_over_tls(edge, http2):
    """ALPN decides, and either way the path arrives as it was sent: nothing is rewritten."""
    with edge.client(http2=http2) as client:
        answer = client.get("/open/a?b=c%20d")
    assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    assert answer.json()["target"] == "/open/a?b=c%20d"


@pytest.mark.filterwarnings("ignore:.*TLSv1_1.*:DeprecationWarning")
def test_tls_below_1_2_is_refused(edge):
    """A client that knows only TLS 1.1 gets no connection."""
    context = ssl.create_default_context(cafile=str(edge.ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        edge.handshake(context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_served(edge, version):
    """With forward secrecy and authenticated encryption."""
    context = ssl.create_default_context(cafile=str(edge.ca))
    context.minimum_version = context.maximum_version = version
    cipher, _, _ = edge.handshake(context)
    assert "GCM" in cipher or "CHACHA20" in cipher


@pytest.mark.parametrize(
    "host", ["api.example.test", "api.example.test:8443", "api.example.test:30001", "API.Example.Test"]
)
def test_case_e3_a_host_may_carry_a_port_and_any_letter_case(edge, host):
    """The same route for all of them."""
    assert asked(edge, f"GET /open/x HTTP/1.1\nHost: {host}")[0] == 200


@pytest.mark.parametrize("plain", [False, True], ids=["https", "redirect"])
def test_case_e3_an_unknown_host_is_a_404_and_is_never_echoed(edge, plain):
    """Never the default or first cluster, and no link to a stranger's name."""
    status, headers, body = asked(edge, "GET /open/x HTTP/1.1\nHost: evil.example.test", plain=plain)
    assert status == 404
    assert b"evil" not in body + repr(headers).encode()


@pytest.mark.parametrize("head", ["GET /open/x HTTP/1.1", "GET /open/x HTTP/1.1\nHost:"])
def test_case_e3_a_missing_host_is_a_400(edge, head):
    """Also an empty one."""
    assert asked(edge, head)[0] == 400


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_plain_http_is_redirected_to_https_with_its_method(edge, method):
    """308 keeps method and body; the Location names our port, whatever the Host's was."""
    status, headers, _ = asked(edge, f"{method} /open/x?q=1 HTTP/1.1\nHost: localhost:1", plain=True)
    assert status == 308
    assert headers["location"] == f"https://localhost:{edge.port}/open/x?q=1"
    assert "strict-transport-security" not in headers


def test_a_token_in_a_plain_url_is_not_sent_on_by_a_redirect(edge):
    """It has leaked already; it shall not go further."""
    status, headers, _ = asked(edge, "GET /open/x?access_token=t HTTP/1.1\nHost: localhost", plain=True)
    assert (status, headers.get("location")) == (401, None)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [("/v2", "1100"), ("/v2/", "1100"), ("/v2/x", "1100"), ("/v2example", "1000"), ("/v2?x=1", "1100"),
     ("/v2/admin/z", "1200"), ("/", "1000")],
)  # fmt: skip
def test_case_e2_a_prefix_never_cuts_a_segment(edge, path, wanted):
    """/v2 takes /v2/x and not /v2example; the longer prefix wins, though it stands later in the file."""
    with edge.client() as client:
        assert deadline_of(client.get(path, headers={"host": "v2.example.test"})) == wanted


def test_a_template_takes_one_segment_and_a_literal_wins_over_it(edge):
    """/users/me before /users/{id}; neither takes more than one segment."""
    with edge.client() as client:
        assert client.get("/users/7").status_code == 200
        assert client.get("/users/7/orders").status_code == 200
        assert client.get("/users/7/other").status_code == 404
        assert client.post("/users/me").status_code == 200
        assert client.post("/users/7").status_code == 405


def test_a_method_that_a_path_does_not_know_is_a_405_with_allow(edge):
    """And GET brings HEAD along."""
    with edge.client() as client:
        answer = client.delete("/users/7")
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD"
        assert client.head("/users/7").status_code == 200


def test_a_route_may_ask_for_a_header(edge, bearer):
    """The page needs no token, everything else at its path does."""
    with edge.client() as client:
        assert deadline_of(client.get("/page", headers={"accept": "text/html,*/*"})) == "1000"
        assert client.get("/page").status_code == 401
        assert deadline_of(client.get("/page", headers=bearer)) == "1100"
        assert client.post("/page", headers={"accept": "text/html"}).status_code == 401


@pytest.mark.parametrize(
    "path",
    ["/open/../secured/r", "/open/%2e%2e/secured/r", "/open%2F..%2Fsecured/r", "/open/..%2fsecured/r", "//secured/r",
     "/secured;x=1/r", "/./secured/r", "/open/%252e%252e/secured/r", "/open/..;/secured/r", "/open/..%5csecured/r",
     "/open/..\\secured/r", "/open/%252fsecured", "/OPEN/../secured/r"],
)  # fmt: skip
def test_case_e1_no_spelling_of_a_path_walks_around_its_rule(edge, echo, path):
    """Refused, or judged as the path it means; nothing of it reaches the upstream."""
    before = len(echo.seen)
    status, _, _ = asked(edge, f"GET {path} HTTP/1.1\nHost: localhost")
    assert status in {400, 401, 403, 404}
    assert len(echo.seen) == before


def test_case_e1_the_upstream_sees_the_path_that_was_judged(edge, bearer):
    """Dots and doubled slashes are gone before the routing, not after it."""
    lines = f"GET /open/..//secured/./r HTTP/1.1\nHost: localhost\nAuthorization: {bearer['authorization']}"
    status, _, body = asked(edge, lines)
    assert status == 200
    assert b'"target": "/secured/r"' in body


def seen_headers(echo) -> dict[str, str]:
    return {name.lower(): value for name, value in echo.seen[-1]["headers"]}


def test_case_e5_hop_by_hop_headers_end_at_the_edge(edge, echo):
    """Also those that Connection names; and a client's close does not close our connection to the upstream."""
    with edge.client() as client:
        client.get("/open/warm")
    connections = echo.connections
    hop = "Connection: close, X-Hop\nX-Hop: 1\nKeep-Alive: timeout=9\nTE: gzip\nProxy-Authorization: x\nTrailer: a"
    assert asked(edge, f"GET /open/x HTTP/1.1\nHost: localhost\n{hop}")[0] == 200
    unwanted = {"connection", "x-hop", "keep-alive", "te", "proxy-authorization", "trailer"}
    assert not unwanted & seen_headers(echo).keys()
    with edge.client() as client:
        client.get("/open/x")
    assert echo.connections == connections


def test_case_e5_connection_cannot_name_away_what_we_rely_on(edge, echo, bearer):
    """Refused; or the token is judged and the edge's own headers arrive."""
    named = f"Connection: Authorization, X-Forwarded-For, X-Request-Id\nAuthorization: {bearer['authorization']}"
    before = len(echo.seen)
    status, _, _ = asked(edge, f"GET /secured/x HTTP/1.1\nHost: localhost\n{named}")
    assert status in {400, 401}
    assert len(echo.seen) == before


def test_case_e5_hop_by_hop_headers_of_the_upstream_end_at_the_edge(edge, echo):
    """Also those that its Connection names, and its Server."""
    hop = (
        "connection: x-hop, keep-alive",
        "x-hop: 1",
        "keep-alive: timeout=5",
        "server: insides/1.0",
        "x-powered-by: y",
    )
    echo.answers["/open/hop"] = echo.reply(200, b"{}", *hop)
    with edge.client() as client:
        headers = client.get("/open/hop").headers
    assert not {"x-hop", "keep-alive", "server", "x-powered-by"} & set(headers)


SPOOFED = (
    "x-auth-sub", "x-auth-scope", "x-user-id", "x-user-role", "x-internal-token", "x-client-id",
    "x-forwarded-client-cert", "forwarded", "x-real-ip", "x-forwarded-host", "x-original-url",
    "x-rewrite-url", "x-envoy-original-path",
    "x-envoy-upstream-rq-timeout-ms", "x-envoy-retry-on", "x-trace-id",
)  # fmt: skip


@pytest.mark.parametrize("path", ["/open/x", "/secured/x"])
def test_nobody_outside_says_who_the_caller_is(edge, echo, bearer, path):
    """Identity, forwarding and steering headers of a client reach no upstream, with or without authentication."""
    with edge.client() as client:
        headers = [*bearer.items(), ("x-forwarded-for", "6.6.6.6"), *((name, "victim") for name in SPOOFED)]
        assert client.get(path, headers=headers).status_code == 200
    seen = seen_headers(echo)
    assert "victim" not in seen.values()
    assert "6.6.6.6" not in seen["x-forwarded-for"]
    assert seen["x-forwarded-proto"] == "https"


@pytest.mark.parametrize("http2", [True, False], ids=["h2", "http/1.1"])
def test_a_header_name_with_an_underscore_is_refused(edge, http2):
    """x_user_id and x-user-id are the same variable to some servers."""
    with edge.client(http2=http2) as client:
        answer = client.get("/open/x", headers={"x_user_id": "victim"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_request"


@pytest.mark.parametrize(
    "path", ["/health/ready", "/health/live", "/metrics", "/version", "/", "/stats", "/config_dump"]
)
def test_what_is_for_operators_is_unreachable_from_outside(edge, path):
    """Only granted prefixes are routed."""
    with edge.client() as client:
        assert client.get(path).status_code == 404


def test_operators_have_a_listener_of_their_own(edge):
    """The four paths of every service of ours."""
    assert edge.operations("/health/live").json() == {"status": "live"}
    assert edge.operations("/health/ready").status_code == 200
    assert edge.operations("/version").json()["service"] == "edge"
    assert "envoy_http_downstream_rq_total" in edge.operations("/metrics").text
    assert edge.operations("/stats").status_code == 404


def test_an_unhealthy_upstream_gets_nothing(edge, echo):
    """No endpoint passes its check: 503 at once, not a try (field case O4)."""
    before = len(echo.seen)
    with edge.client() as client:
        answer = client.get("/sick")
    assert (answer.status_code, answer.json()["code"]) == (503, "backend_unreachable")
    assert len(echo.seen) == before
