"""Who may call from where: origins of browsers, networks, claims; and what is broken or closed on purpose."""

import time
from pathlib import Path

import pytest

from tests.edge.edges import wait_for

OURS = "https://app.example.test"
PREFLIGHT = {"access-control-request-method": "PUT", "access-control-request-headers": "authorization"}


@pytest.fixture(scope="module")
def edge(new_edge):
    return new_edge(Path(__file__).with_name("access.yaml").read_text())


@pytest.fixture
def client(edge):
    with edge.client() as made:
        yield made


@pytest.fixture(autouse=True)
def forget(echo):
    echo.seen.clear()
    echo.answers.clear()


def test_a_preflight_is_answered_without_a_token_and_without_the_upstream(client, echo):
    """For an origin of ours; a stranger's gets no permission, and the upstream hears of neither."""
    answer = client.options("/pages/x", headers={"origin": OURS, **PREFLIGHT})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == OURS
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-max-age"] == "3600"
    stranger = client.options("/pages/x", headers={"origin": "https://evil.example.test", **PREFLIGHT})
    assert "access-control-allow-origin" not in stranger.headers
    assert not echo.seen


def test_case_e6_the_edge_alone_writes_cors_headers(client, echo, bearer):
    """One Allow-Origin, the edge's; one Allow-Credentials; Vary has the upstream's word and Origin."""
    said = (
        "access-control-allow-origin: *", "access-control-allow-credentials: false", "vary: Accept",
        "access-control-expose-headers: x-other",
    )  # fmt: skip
    echo.answers["/pages/x"] = echo.reply(200, b"{}", *said)
    wait_for(lambda: client.get("/pages/x", headers=bearer).status_code == 200, "the keys are there")
    answer = client.get("/pages/x", headers={"origin": OURS, **bearer})
    assert answer.headers.get_list("access-control-allow-origin") == [OURS]
    assert answer.headers.get_list("access-control-allow-credentials") == ["true"]
    assert {"retry-after", "ratelimit", "x-trace-id"} <= set(
        answer.headers["access-control-expose-headers"].split(", ")
    )
    assert "x-other" not in answer.headers["access-control-expose-headers"]
    assert {"Accept", "Origin"} <= {one.strip() for one in ",".join(answer.headers.get_list("vary")).split(",")}
    without = client.get("/pages/x", headers=bearer)
    assert "access-control-allow-origin" not in without.headers
    assert "Origin" in ",".join(without.headers.get_list("vary"))


def test_a_page_can_read_the_edges_own_errors(client):
    """Else a 401 would look like a broken network to it."""
    answer = client.get("/pages/x", headers={"origin": OURS})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == OURS


def test_any_origin_may_read_what_is_public(client, echo):
    """Without credentials, and so without keeping the origins apart."""
    answer = client.get("/anybody", headers={"origin": "https://evil.example.test"})
    assert answer.headers["access-control-allow-origin"] in ("*", "https://evil.example.test")
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("client_address", "status"),
    [("10.1.2.3", 200), ("fd00::7", 200), ("10.6.6.6", 403), ("203.0.113.9", 403), ("fe80::1", 403)],
)
def test_networks_are_judged_by_the_clients_address(client, echo, client_address, status):
    """As our own proxy in front told it; deny wins over allow; the upstream sees none of the others."""
    answer = client.get("/inside", headers={"x-forwarded-for": f"10.1.1.1, {client_address}"})
    assert answer.status_code == status
    assert len(echo.seen) == (status == 200)
    if status == 403:
        assert answer.json()["code"] == "forbidden"
        assert client_address not in answer.text


@pytest.mark.parametrize(
    ("claims", "status"),
    [({"role": "admin"}, 200), ({"role": ["reader", "support"]}, 200), ({"role": "reader"}, 403), ({}, 403),
     ({"role": ["admin,reader"]}, 403), ({"role": {"admin": True}}, 403)],
)  # fmt: skip
def test_a_claim_must_hold_one_of_the_values(client, echo, claims, status):
    """A word, or a list of them; nothing else will do."""
    token = echo.issuer.token(time.time(), **claims)
    headers = {"authorization": f"Bearer {token}"}
    wait_for(lambda: client.get("/staff", headers=headers).status_code in (200, 403), "the keys are there")
    assert client.get("/staff", headers=headers).status_code == status


def test_faults_are_for_those_who_ask_for_them(client):
    """A test's header slows or breaks its own request, and nobody else's."""
    begin = time.monotonic()
    assert client.get("/slow", headers={"x-test": "1"}).status_code == 200
    assert time.monotonic() - begin >= 0.3
    assert client.get("/slow").status_code == 200
    assert client.get("/broken").status_code == 200
    broken = client.get("/broken", headers={"x-test": "1"})
    assert (broken.status_code, broken.headers["content-type"]) == (503, "application/problem+json")


def test_a_closed_part_says_when_to_come_back(client, echo):
    """A problem with Retry-After; the upstream hears nothing."""
    answer = client.get("/closed")
    assert answer.status_code == 503
    assert answer.headers.get_list("retry-after") == ["120"]
    assert answer.json()["retryAfterSeconds"] == 120
    assert answer.json()["retryable"] is True
    assert not echo.seen


def test_a_person_gets_a_page_and_a_program_a_problem(client):
    """A browser that goes somewhere says so (Fetch Metadata); nothing of the request is in the page."""
    page = client.get("/<script>alert(1)</script>", headers={"sec-fetch-mode": "navigate"})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is nothing at this address." in page.text
    assert "script" not in page.text
    assert len(page.headers["x-trace-id"]) == 32
    program = client.get("/nothing", headers={"sec-fetch-mode": "cors", "accept": "text/html"})
    assert program.headers["content-type"] == "application/problem+json"
