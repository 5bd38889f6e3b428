"""One deadline: min(route's timeout, what the client asked for) goes on, less the edge's reserve."""

import time

import pytest


@pytest.mark.parametrize(
    ("asked", "forwarded"),
    [(None, "1900"), ("500", "400"), ("60000", "1900"), ("2000", "1900"), ("101", "1"), ("100", "1"), ("1", "1"),
     ("0", "1900"), ("-5", "1900"), ("1.5", "1900"), ("soon", "1900"), ("", "1900"), ("0x10", "1900"), ("1e3", "1900"),
     ("99999999999999999999", "1900")],
)  # fmt: skip
def test_the_shorter_of_route_and_client_goes_on(edge, echo, asked, forwarded):
    """100 ms are kept back, at least 1 ms stays; garbage does not count and nothing extends the route's timeout."""
    with edge.client() as client:
        client.get("/open/asked", headers={} if asked is None else {"x-deadline-ms": asked})
    assert dict(echo.seen[-1]["headers"])["x-deadline-ms"] == forwarded


def test_two_wishes_are_none(edge, echo):
    """Which of them counts would be a guess."""
    with edge.client() as client:
        client.get("/open/x", headers=[("x-deadline-ms", "300"), ("x-deadline-ms", "400")])
    assert [value for name, value in echo.seen[-1]["headers"] if name == "x-deadline-ms"] == ["1900"]


def test_the_edge_gives_up_at_the_clients_deadline_and_lets_go_of_the_upstream(edge, echo):
    """504 at 200 ms, not at the route's 2 s; the upstream sees the close, and is not asked again."""
    before, closed = len(echo.seen), echo.closed_early
    started = time.monotonic()
    with edge.client() as client:
        answer = client.get("/open/hang", headers={"x-deadline-ms": "200"})
    assert answer.json()["code"] == "deadline_exceeded"
    assert 0.19 <= time.monotonic() - started < 1.5
    assert len(echo.seen) == before + 1
    while echo.closed_early == closed:
        assert time.monotonic() - started < 5
        time.sleep(0.01)


def test_an_upstream_that_fails_is_not_asked_again(edge, echo):
    """The edge retries nothing that a BFF retries."""
    echo.answers["/open/failing"] = echo.reply(503, b"{}")
    before = len(echo.seen)
    with edge.client() as client:
        assert client.get("/open/failing").status_code == 503
    assert len(echo.seen) == before + 1
