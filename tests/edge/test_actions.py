"""What a route can match and do, through the real Envoy: each upstream is an echo that says what it saw."""

import collections
import socket
import ssl
from contextlib import ExitStack
from pathlib import Path

import pytest

from edge.explain import explain
from edge.load import load
from tests.edge.echo import Echo
from tests.edge.edges import wait_for


@pytest.fixture(scope="module")
def echoes():
    with ExitStack() as stack:
        yield {name: stack.enter_context(Echo()) for name in "abc"}


@pytest.fixture(scope="module")
def edge(new_edge, echoes):
    addresses = {name.upper(): f"127.0.0.1:{echo.port}" for name, echo in echoes.items()}
    return new_edge(Path(__file__).with_name("actions.yaml").read_text(), **addresses)


@pytest.fixture
def client(edge):
    with edge.client() as made:
        yield made


@pytest.fixture(autouse=True)
def forget(echoes):
    """Each test sees its own requests only."""
    for echo in echoes.values():
        echo.seen.clear()
        echo.answers.clear()


def took(echoes) -> str:
    """Return which upstreams saw a request, a letter each time."""
    return "".join(name * len(echo.seen) for name, echo in echoes.items())


@pytest.mark.parametrize(
    ("path", "cluster"),
    [
        ("/items/7", "a"),  # a segment of its own is more specific than a pattern
        ("/items/7/lines", "b"),
        ("/items/x/lines", "c"),
        ("/items/7/lines/1", "c"),  # the pattern is of the whole path
        ("/items", "c"),
    ],
)
def test_a_pattern_ranks_between_templates_and_the_rest(client, echoes, path, cluster):
    """Whatever the order in the file."""
    assert client.get(path).status_code == 200
    assert took(echoes) == cluster


@pytest.mark.parametrize(
    ("headers", "query", "cluster"),
    [
        ({}, "", "a"),
        ({"x-kind": "b1"}, "", "b"),
        ({"x-kind": "ab1"}, "", "a"),
        ({"cookie": "other=1; canary=always"}, "", "c"),
        ({"cookie": "canary=never"}, "", "a"),
        ({}, "?v=", "c"),
        ({}, "?v=1&w=2", "a"),
    ],
)
def test_headers_cookies_and_query_decide(client, edge, echoes, headers, query, cluster):
    """A canary is a route with one more condition; ``explain`` says the same without asking anybody."""
    assert client.get(f"/pick{query}", headers=headers).status_code == 200
    assert took(echoes) == cluster
    loaded = load(edge.file, edge.environment).edge
    said = "\n".join(explain(loaded, f"https://localhost/pick{query}", "GET", headers))
    assert f"cluster  {cluster}:" in said


def test_redirects_keep_what_they_do_not_change(client, echoes):
    """Prefix, rest, query, method (308); or a whole path without the query (303)."""
    answer = client.post("/old/a/b?c=d")
    assert (answer.status_code, answer.headers["location"]) == (308, "https://api.example.test/new/a/b?c=d")
    assert client.get("/old").headers["location"] == "https://api.example.test/new"
    answer = client.get("/moved?x=1", headers={"host": "localhost"})
    assert (answer.status_code, answer.headers["location"]) == (303, "https://localhost/there")
    assert took(echoes) == ""


def test_the_edge_answers_by_itself_and_its_errors_are_problems(client):
    """A file of two lines; and a part that is closed for maintenance, in the one error format."""
    answer = client.get("/robots.txt")
    assert (answer.text, answer.headers["content-type"]) == (
        "User-agent: *\nDisallow: /\n",
        "text/plain; charset=utf-8",
    )
    closed = client.get("/closed/for/now")
    assert (closed.status_code, closed.headers["content-type"]) == (503, "application/problem+json")
    assert closed.json()["instance"] == "/closed/for/now"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/shop/berlin/orders/17?x=1", "/o/17/of/berlin?x=1"),
        ("/v9/a/b", "/a/b"),
        ("/v9", "/"),
        ("/v9/", "/"),
    ],
)
def test_a_path_is_rewritten_by_the_names_of_its_template(client, echoes, path, target):
    """The query stays; nothing else is rewritten anywhere."""
    assert client.get(path).json()["target"] == target


def test_headers_are_set_added_and_removed_both_ways(client, echoes):
    """As written: a percent sign is a percent sign."""
    said = Echo.reply(200, b"{}", "x-secret: 1", "x-more: 0", "cache-control: public")
    echoes["a"].answers["/edited"] = said
    answer = client.get("/edited", headers={"x-set": "mine", "x-add": "one", "x-gone": "1"})
    seen = collections.defaultdict(list)
    for name, value in echoes["a"].seen[0]["headers"]:
        seen[name].append(value)
    assert seen["x-set"] == ["100% %REQ(:path)%"]
    assert ",".join(seen["x-add"]).replace(" ", "") == "one,two"
    assert "x-gone" not in seen
    assert answer.headers["cache-control"] == "private"
    assert answer.headers.get_list("x-more") == ["0", "1"]
    assert "x-secret" not in answer.headers


def test_a_split_follows_its_weights(client, echoes):
    """Three of four; drawn, so within what chance allows for 200 (one run in a million is outside)."""
    for _ in range(200):
        assert client.get("/split").status_code == 200
    assert 115 <= len(echoes["a"].seen) <= 185
    assert len(echoes["b"].seen) == 200 - len(echoes["a"].seen)


def test_a_mirror_sees_a_copy_and_nobody_waits_for_it(client, echoes):
    """The client gets the first one's answer, although the copy hangs."""
    assert client.get("/mirrored/hang-not").status_code == 200
    wait_for(lambda: len(echoes["b"].seen) == 1, "the copy arrives")
    assert echoes["b"].seen[0]["target"] == "/mirrored/hang-not"


def test_a_retry_goes_elsewhere_and_only_where_nothing_was_done(client, echoes):
    """An endpoint that refuses connections is not noticed; a 503 is asked again only where the route says so."""
    assert [client.post("/retried").status_code for _ in range(4)] == [200] * 4
    echoes["a"].answers["/unavailable"] = lambda: Echo.reply(503 if len(echoes["a"].seen) == 1 else 200, b"{}")
    assert client.get("/unavailable").status_code == 200
    echoes["a"].answers["/edited"] = Echo.reply(503, b"{}")
    echoes["a"].seen.clear()
    assert client.get("/edited").status_code == 503
    assert len(echoes["a"].seen) == 1


def test_a_route_may_take_larger_bodies_than_its_listener(client, echoes):
    """Others keep the listener's limit."""
    assert client.post("/large", content=b"x" * 2 * 1024**2).json()["length"] == 2 * 1024**2
    assert client.post("/large", content=b"x" * 4 * 1024**2).status_code == 413
    assert client.post("/pick", content=b"x" * 2 * 1024**2).status_code == 413


def test_a_stream_is_passed_on_as_it_comes_and_ends_with_silence(client, echoes):
    """The first event is there before the second is made; a second of silence ends it; no deadline goes upstream."""
    echoes["a"].hold()
    try:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        echoes["a"].answers["/events"] = head + b"d\r\ndata: first\n\n\r\n"
        with client.stream("GET", "/events") as answer:
            events = answer.iter_raw()
            assert next(events) == b"data: first\n\n"
            with pytest.raises(Exception, match=r"closed|reset|terminated"):
                next(events)
    finally:
        echoes["a"].release()
    assert "x-deadline-ms" not in dict(echoes["a"].seen[0]["headers"])


def test_a_websocket_is_passed_through_where_the_route_says_so(edge, echoes):
    """The handshake and the bytes after it, both ways; elsewhere an upgrade is no upgrade."""
    echoes["a"].answers["/socket"] = (
        b"HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n\x81\x02hi"
    )
    context = ssl.create_default_context(cafile=str(edge.ca))
    context.set_alpn_protocols(["http/1.1"])
    ask = (
        "GET {} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
    )
    bare = socket.create_connection(("127.0.0.1", edge.port), timeout=10)
    with bare, context.wrap_socket(bare, server_hostname="localhost") as secure:
        secure.sendall(ask.format("/socket").encode())
        data = b""
        while not data.endswith(b"\x81\x02hi"):
            more = secure.recv(4096)
            assert more, data
            data += more
        assert data.startswith(b"HTTP/1.1 101")
    status, _, _ = edge.raw(ask.format("/pick").encode())
    assert status in (403, 400, 426)


def test_a_cookie_keeps_a_client_with_its_endpoint(edge, echoes):
    """Made at the first answer, for the session; ten clients spread over the endpoints, each stays where it is."""
    names = set()
    for _ in range(10):
        with edge.client() as client:
            first = client.get("/sticky")
            cookie = first.headers["set-cookie"]
            assert {"HttpOnly", "Secure", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
            assert "127.0.0.1" not in cookie
            for _ in range(3):
                assert "set-cookie" not in client.get("/sticky").headers
        assert took(echoes) in ("aaaa", "bbbb", "cccc")
        names.add(took(echoes)[0])
        for echo in echoes.values():
            echo.seen.clear()
    assert len(names) > 1


def test_a_header_keeps_a_customer_with_an_endpoint(client, echoes):
    """Whoever asks for it."""
    for customer in range(12):
        for _ in range(2):
            client.get("/by-user", headers={"x-customer": f"c-{customer}"})
    customers = {name: [dict(one["headers"])["x-customer"] for one in echo.seen] for name, echo in echoes.items()}
    assert all(seen.count(one) == 2 for seen in customers.values() for one in seen)
    assert sum(map(len, customers.values())) == 24
    assert sum(bool(seen) for seen in customers.values()) > 1


def test_the_next_priority_takes_over_and_hands_back(client, echoes):
    """When the first endpoint fails its check, and when it is well again."""
    try:
        wait_for(lambda: client.get("/fail-over").status_code == 200, "the checks have passed")
        assert took(echoes) == "a"
        echoes["a"].healthy = False
        wait_for(lambda: client.get("/fail-over").status_code == 200 and echoes["b"].seen, "the second takes over")
        echoes["a"].seen.clear()
        assert client.get("/fail-over").status_code == 200
        assert not echoes["a"].seen
    finally:
        echoes["a"].healthy = True
    wait_for(lambda: client.get("/fail-over").status_code == 200 and echoes["a"].seen, "the first is back")
