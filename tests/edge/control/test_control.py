"""Opaque tokens, API keys and internal tokens through the real edge and the real control service."""

import time

import pytest

from tests.edge.control.controls import keys, listed, made
from tests.edge.edges import wait_for


@pytest.fixture(scope="module")
def client(asking):
    with asking.client() as made_client:
        yield made_client


@pytest.fixture(scope="module")
def partner_key(store, client) -> str:
    """A key for the echo, known everywhere."""
    key, _ = made(store.url, "--client", "acme", "--for", "echo", "--scope", "orders:read")
    wait_for(lambda: client.get("/any/ready", headers={"x-api-key": key}).status_code == 200, "the key is known", 5)
    return key


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def seen(echo) -> dict[str, str]:
    return {name.lower(): value for name, value in echo.seen[-1]["headers"]}


def test_each_kind_passes_where_it_is_accepted_and_is_forwarded(client, echo, partner_key):
    """Mode verify: the BFF shall judge it again."""
    opaque = echo.introspection.knows("opaque-token-of-ada-0001")
    for headers in (bearer(echo.issuer.token(time.time())), bearer(opaque), {"x-api-key": partner_key}):
        answer = client.get("/any/x", headers=headers)
        assert answer.status_code == 200, answer.text
        assert headers.items() <= seen(echo).items()
        assert "x-internal-token" not in seen(echo)


def test_a_jwt_of_a_plain_route_never_leaves_envoy(client, control, echo):
    """The control service hears nothing of it, also where the route takes other kinds beside it."""
    before = control.get("/metrics").text
    for path in ("/jwt/x", "/any/x"):
        assert client.get(path, headers=bearer(echo.issuer.token(time.time()))).status_code == 200
        assert client.get(path, headers=bearer(echo.issuer.token(time.time(), aud="other"))).status_code == 401

    def judged(text: str) -> list[str]:
        return [line for line in text.splitlines() if line.startswith("frontage_control_judged_total")]

    assert judged(control.get("/metrics").text) == judged(before)


def test_in_mode_internal_the_upstream_gets_a_signed_token_and_no_credential(client, echo, partner_key):
    """For each kind; and cookies go, too."""
    opaque = echo.introspection.knows("opaque-token-of-ada-0002")
    for headers in (bearer(echo.issuer.token(time.time())), bearer(opaque), {"x-api-key": partner_key}):
        answer = client.get("/signed/x", headers={**headers, "cookie": "a=b", "x-internal-token": "mine"})
        assert answer.status_code == 200, answer.text
        got = seen(echo)
        assert got["x-internal-token"].count(".") == 2
        assert not {"authorization", "x-api-key", "cookie"} & set(got)


def test_a_revoked_key_is_refused_within_five_seconds(store, client, echo):
    """By the one command, at edge and control alike; listed as what it is."""
    key, key_id = made(store.url, "--client", "gone", "--for", "echo")
    wait_for(lambda: client.get("/partner/r", headers={"x-api-key": key}).status_code == 200, "it is known", 5)
    assert keys(store.url, "revoke", key_id).exit_code == 0
    began = time.monotonic()
    wait_for(lambda: client.get("/partner/r", headers={"x-api-key": key}).status_code == 401, "it is refused", 5)
    assert time.monotonic() - began <= 5
    assert listed(store.url)[key_id]["status"] == "revoked"
