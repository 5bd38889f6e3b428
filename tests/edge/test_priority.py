"""What a request says it is worth: a word of the closed list, never more than its route allows."""

from pathlib import Path

import pytest

from edge.explain import explain
from edge.load import load

NONE, USER, REFRESH, PREFETCH = None, "user", "refresh", "prefetch"
# What the client says, and what goes on by a route without a cap, capped at refresh, capped at prefetch
# (with a deadline, or streaming without one).
SAID = {
    "nothing": ([], (NONE, REFRESH, PREFETCH)),
    "user": (["user"], (USER, REFRESH, PREFETCH)),
    "refresh": (["refresh"], (REFRESH, REFRESH, PREFETCH)),
    "prefetch": (["prefetch"], (PREFETCH, PREFETCH, PREFETCH)),
    "in other letters": (["PreFetch"], (PREFETCH, PREFETCH, PREFETCH)),
    "an unknown word": (["urgent"], (NONE, REFRESH, PREFETCH)),
    "a number": (["0"], (NONE, REFRESH, PREFETCH)),
    "a name of the language": (["__index"], (NONE, REFRESH, PREFETCH)),
    "an empty value": ([""], (NONE, REFRESH, PREFETCH)),
    "a list": (["prefetch, user"], (NONE, REFRESH, PREFETCH)),
    "two headers": (["prefetch", "user"], (NONE, REFRESH, PREFETCH)),
}


@pytest.mark.parametrize(("route", "place"), [("open", 0), ("renewals", 1), ("crawled", 2), ("synced", 2)])
@pytest.mark.parametrize(("said", "forwarded"), SAID.values(), ids=SAID)
def test_no_request_is_worth_more_than_its_route_allows(edge, echo, said, forwarded, route, place):
    """Silence is a person to the BFF, so beneath a cap the edge says it; what it does not know it does not pass on."""
    with edge.client() as client:
        client.get(f"/{route}/asked", headers=[("x-priority", value) for value in said])
    passed = [value for name, value in echo.seen[-1]["headers"] if name == "x-priority"]
    assert passed == ([] if forwarded[place] is None else [forwarded[place]])


def test_the_deadline_is_kept_beside_it(edge, echo):
    """Both are read by one filter: neither takes the other's place."""
    with edge.client() as client:
        client.get("/renewals/asked", headers={"x-priority": "user", "x-deadline-ms": "500"})
    headers = dict(echo.seen[-1]["headers"])
    assert (headers["x-priority"], headers["x-deadline-ms"]) == ("refresh", "400")


@pytest.mark.parametrize(("path", "line"), [("/open/x", None), ("/crawled/x", "  priority at most prefetch")])
def test_explain_says_a_cap(path, line):
    """Where there is one; offline."""
    values = dict.fromkeys(("EDGE_PUBLIC_ADDRESS", "EDGE_REDIRECT_ADDRESS", "EDGE_ADMIN_ADDRESS"), "127.0.0.1:1")
    values |= {
        "EDGE_OPERATIONS_ADDRESS": "127.0.0.1:4",
        "EDGE_CERTIFICATE": "a",
        "EDGE_KEY": "b",
        "ECHO": "127.0.0.1:5",
    }
    loaded = load(Path("tests/edge/edge.yaml"), values)
    lines = list(explain(loaded.edge, f"https://localhost{path}", "GET", {}))
    assert [one for one in lines if "priority" in one] == ([line] if line else [])


def test_a_cap_that_is_no_priority_is_a_problem(tmp_path):
    """With its line and the words that there are."""
    text = Path("tests/edge/bad/bad_value.good.yaml").read_text()
    bad = text.replace("    cluster: orders\n", "    cluster: orders\n    priority: {cap: urgent}\n")
    (tmp_path / "edge.yaml").write_text(bad)
    (problem,) = load(tmp_path / "edge.yaml", {}).problems
    assert problem.place.line == bad.splitlines().index("    priority: {cap: urgent}") + 1
    assert all(word in str(problem) for word in ("urgent", "user", "refresh", "prefetch"))
