"""Field case A4: what a client says about who it is does not count, and credentials go where the YAML says."""

import time

import pytest

from tests.edge.control.controls import made
from tests.edge.edges import wait_for

SECRETS = {"authorization", "x-api-key", "cookie", "x-internal-token"}
SPOOFED = (
    "x-user-id", "x-user", "x-auth-sub", "x-auth-client", "x-auth-scope", "x-auth-method", "x-auth-exp", "x-client-id",
    "x-internal-token", "x-forwarded-client-cert",
)  # fmt: skip


@pytest.fixture(scope="module")
def client(asking):
    with asking.client() as opened:
        yield opened


@pytest.fixture(scope="module")
def key(store, client) -> str:
    text, _ = made(store.url, "--client", "acme", "--for", "echo")
    wait_for(lambda: client.get("/partner/a4", headers={"x-api-key": text}).status_code == 200, "the key is known", 5)
    return text


@pytest.fixture
def bearer(echo) -> dict[str, str]:
    return {"authorization": f"Bearer {echo.issuer.token(time.time(), sub='ada')}"}


def upstream(echo, target: str) -> dict[str, list[str]]:
    """The headers of the last request for that target, each with all its values."""
    last = next(one for one in reversed(echo.seen) if one["target"] == target)
    found: dict[str, list[str]] = {}
    for name, value in last["headers"]:
        found.setdefault(name.lower(), []).append(value)
    return found


@pytest.mark.parametrize("path", ["/jwt/spoofed", "/any/spoofed", "/open/spoofed"])
@pytest.mark.parametrize("times", [1, 2])
def test_case_a4_nobody_outside_says_who_the_caller_is(client, echo, bearer, path, times):
    """Beside a good token, or on an open route; once or twice: the upstream sees none of it."""
    victim = [(name, "victim") for name in SPOOFED] * times
    assert client.get(path, headers=[*bearer.items(), *victim]).status_code == 200
    assert "victim" not in str(upstream(echo, path))


@pytest.mark.parametrize("name", ["X_User_Id", "x_auth_sub", "x_internal_token", "X_Api_Key"])
def test_case_a4_an_underscore_is_no_hyphen(client, echo, bearer, name):
    """WSGI and CGI know one variable for both spellings: refused."""
    before = len(echo.seen)
    answer = client.get("/jwt/x", headers={**bearer, name: "victim"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert len(echo.seen) == before


def test_case_a4_a_token_without_a_subject_is_nobody_s(client, echo):
    """Not the last caller's, not the header's: 401."""
    before = len(echo.seen)
    token = echo.issuer.token(time.time(), sub=None)
    for path in ("/jwt/x", "/any/x", "/signed/x"):
        answer = client.get(path, headers={"authorization": f"Bearer {token}", "x-user-id": "victim"})
        assert answer.status_code == 401
    assert len(echo.seen) == before


def test_case_a4_an_api_key_in_the_query_or_twice_goes_nowhere(client, asking, echo, key):
    """In a URL it is a 401 by its form alone, under whatever name; twice it is a 400. The log names the leaked one."""
    before = len(echo.seen)
    for query in (f"api_key={key}", f"x={key}", f"X-Api-Key={key}", f"q=a%20{key}"):
        answer = client.get(f"/partner/q?{query}", headers={"x-api-key": key})
        assert answer.status_code == 401
        assert key not in answer.text
    assert client.get("/partner/x", headers=[("x-api-key", key), ("x-api-key", key)]).status_code == 400
    assert len(echo.seen) == before
    leaked = f"API key {key.split('_')[2]} was sent in a URL: revoke it"
    wait_for(lambda: leaked in asking.log.read_text(errors="replace"), "the warning")


@pytest.mark.parametrize("path", ["/theirs/x", "/theirs-too/x"])
def test_case_a4_somebody_else_s_cluster_gets_no_credential(client, echo, bearer, key, path):
    """``credentials: withheld``: the token is judged where the route says so, and stays here."""
    headers = {**bearer, "cookie": "session=1"} if path == "/theirs/x" else {"x-api-key": key, "cookie": "session=1"}
    assert client.get(path, headers=headers).status_code == 200
    assert not SECRETS & set(upstream(echo, path))


def test_case_a4_a_copy_for_somebody_else_carries_no_credential(client, echo, bearer):
    """The mirrored request is without, the one that is answered is with."""
    assert client.get("/copied/x", headers={**bearer, "cookie": "session=1"}).status_code == 200

    def both() -> list[set[str]]:
        seen = [one for one in echo.seen if one["target"] == "/copied/x"]
        return sorted([SECRETS & {name.lower() for name, _ in one["headers"]} for one in seen], key=len)

    wait_for(lambda: len(both()) == 2, "the copy")
    assert both() == [set(), {"authorization", "cookie"}]


def test_case_a4_the_upstream_of_mode_internal_learns_one_identity(client, echo, bearer, key):
    """The token's subject, or the key's client, in the edge's own word; the credential stays at the edge."""
    for headers in (bearer, {"x-api-key": key}):
        assert client.get("/signed/one", headers={**headers, "x-internal-token": "mine"}).status_code == 200
        got = upstream(echo, "/signed/one")
        assert len(got["x-internal-token"]) == 1
        assert got["x-internal-token"][0].count(".") == 2
        assert not {"authorization", "x-api-key", "cookie"} & set(got)
