"""The main job, through the real edge: two clients, one call each, and a useful answer when a backend is not well."""

import time

import pytest

from tests.system.running import Running

pytestmark = pytest.mark.system

QUERY = """
query {
  dashboard {
    userId displayName tier aggregatedAt
    recentOrders { id status amount currency placedAt }
    alerts { id severity message createdAt }
    degraded { section reason source ageSeconds retryAfterSeconds }
  }
}
"""
KEYS = ["userId", "displayName", "tier", "recentOrders", "alerts", "aggregatedAt", "degraded"]
SURFACES = ["mobile", "web"]

# Fault of the orders backend -> reason, as both surfaces say it.
REASONS = {
    "silent": ({"silent": True}, {}, "timeout"),
    "silent and the client in a hurry": ({"silent": True}, {"x-deadline-ms": "400"}, "deadline"),
    "503": ({"status": 503}, {}, "faulted"),
    "500": ({"status": 500}, {}, "faulted"),
    "403": ({"status": 403}, {}, "refused"),
    "html": ({"invalid": "html"}, {}, "invalid"),
    "truncated JSON": ({"invalid": "truncated"}, {}, "invalid"),
    "10 MB": ({"invalid": "huge"}, {}, "invalid"),
    "a redirect": ({"invalid": "redirect"}, {}, "invalid"),
    "nothing": ({"invalid": "empty"}, {}, "invalid"),
}


def dashboard(running: Running, surface: str, user: str = "u-1", **headers: str) -> dict:
    with running.client(user, headers=headers) as http:
        if surface == "mobile":
            answer = http.get("/mobile/v1/dashboard")
        else:
            answer = http.post("/web/graphql", json={"query": QUERY})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    if surface == "web":
        assert "errors" not in body, "a declared gap is no error: Apollo Client would throw the rest away"
        body = body["data"]["dashboard"]
    assert bool(body["degraded"]) == (answer.headers.get("cache-control") == "no-store")
    return body


@pytest.mark.parametrize("surface", SURFACES)
def test_a_whole_dashboard_for_the_tokens_subject(running: Running, surface: str) -> None:
    """The shape of the contract: five orders with text ids beyond 2^53 and decimal money, and nothing degraded."""
    body = dashboard(running, surface)

    assert sorted(body) == sorted(KEYS)
    assert body["userId"] == "u-1"
    assert body["degraded"] == []
    assert len(body["recentOrders"]) == 5
    for order in body["recentOrders"]:
        assert isinstance(order["id"], str)
        assert int(order["id"]) > 2**53
        assert isinstance(order["amount"], str)
    assert body["alerts"]


def test_both_surfaces_say_the_same(running: Running) -> None:
    """One system, two shapes: the same subject has the same orders on both."""
    mobile, web = (dashboard(running, surface, "u-2") for surface in SURFACES)

    assert [order["id"] for order in mobile["recentOrders"]] == [order["id"] for order in web["recentOrders"]]
    assert mobile["displayName"] == web["displayName"]


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("case", REASONS)
def test_a_gap_is_named_and_the_rest_is_served(running: Running, surface: str, case: str) -> None:
    """One sick backend costs one section, within the deadline, and ``degraded`` says which and why."""
    fault, headers, reason = REASONS[case]
    user = f"u-{100 + list(REASONS).index(case)}"  # nobody's orders are remembered: the default stands in
    running.fault("orders", **fault)

    started = time.monotonic()
    body = dashboard(running, surface, user, **headers)

    assert time.monotonic() - started < 3.0
    assert body["recentOrders"] == []
    assert body["displayName"] != "User"
    assert [(gap["section"], gap["reason"], gap["source"]) for gap in body["degraded"]] == [
        ("recentOrders", reason, "default")
    ]


def test_nan_is_never_passed_on(running: Running) -> None:
    """A phone gets no orders rather than a wrong one; a page gets the others, and null in that one's place (W5)."""
    running.fault("orders", invalid="nan")

    mobile, web = (dashboard(running, surface, "u-151") for surface in SURFACES)

    assert mobile["recentOrders"] == []
    assert [(gap["section"], gap["reason"]) for gap in mobile["degraded"]] == [("recentOrders", "invalid")]
    assert web["recentOrders"][0] is None
    assert all(order["id"].isdigit() for order in web["recentOrders"][1:])


@pytest.mark.parametrize("surface", SURFACES)
def test_an_older_value_stands_in_and_says_its_age(running: Running, surface: str) -> None:
    """Orders seen a moment ago are better than none; they are the same user's."""
    fresh = dashboard(running, surface, "u-3")
    running.fault("orders", status=503)

    body = dashboard(running, surface, "u-3")
    stranger = dashboard(running, surface, "u-199")

    assert body["recentOrders"] == fresh["recentOrders"]
    (gap,) = body["degraded"]
    assert (gap["reason"], gap["source"]) == ("faulted", "stale")
    assert gap["ageSeconds"] >= 0
    assert gap["retryAfterSeconds"] >= 1
    assert stranger["recentOrders"] == []
    assert stranger["degraded"][0]["source"] == "default"


@pytest.mark.parametrize("surface", SURFACES)
def test_unknown_alerts_are_null_not_none(running: Running, surface: str) -> None:
    """An empty list would claim that there are no alerts."""
    running.fault("alerts", status=500)

    body = dashboard(running, surface)

    assert body["alerts"] is None
    assert [(gap["section"], gap["source"]) for gap in body["degraded"]] == [("alerts", "none")]


def test_a_profile_of_nobody_is_the_declared_default(running: Running) -> None:
    """The seed's own: "User", "Free"."""
    running.fault("users", status=500)

    body = dashboard(running, "mobile")

    assert (body["displayName"], body["tier"]) == ("User", "Free")
    assert [gap["section"] for gap in body["degraded"]] == ["profile"]


REQUIRED = {
    "silent": ({"silent": True}, 504, "deadline_exceeded"),
    "503": ({"status": 503}, 502, "backend_faulted"),
    "403": ({"status": 403}, 502, "backend_refused"),
    "html": ({"invalid": "html"}, 502, "backend_invalid"),
}


@pytest.mark.parametrize("case", REQUIRED)
def test_a_required_section_fails_the_answer(running: Running, case: str) -> None:
    """REST: a status and a problem that names the section. GraphQL: an error with a path, and the sibling is served."""
    fault, status, code = REQUIRED[case]
    running.fault("users", **fault)
    with running.client() as http:
        mobile = http.get("/mobile/v1/profile")
        web = http.post("/web/graphql", json={"query": "{ viewer { displayName } dashboard { alerts { id } } }"})

    assert (mobile.status_code, mobile.json()["code"], mobile.json()["section"]) == (status, code, "profile")
    assert mobile.headers["content-type"] == "application/problem+json"
    (error,) = web.json()["errors"]
    assert web.status_code == 200
    assert error["path"] == ["viewer"]
    assert error["extensions"]["code"] == code
    assert web.json()["data"]["viewer"] is None
    assert web.json()["data"]["dashboard"]["alerts"]


def test_a_subject_that_does_not_exist_is_404(running: Running) -> None:
    """A good token for nobody: not found, on both surfaces."""
    with running.client("u-999999") as http:
        mobile = http.get("/mobile/v1/dashboard")
        web = http.post("/web/graphql", json={"query": "{ dashboard { displayName } }"})

    assert (mobile.status_code, mobile.json()["code"]) == (404, "not_found")
    assert web.json()["errors"][0]["extensions"]["code"] == "not_found"
