"""Tokens at the edge: which count, where they may stand, and what happens when keys change or cannot be had."""

import base64
import hmac
import json
import secrets
import time

import pytest
from joserfc.jwk import ECKey

from tests.edge.edges import wait_for

INVALID = 'Bearer error="invalid_token"'


def ask(edge, token: str, path: str = "/secured/x"):
    with edge.client() as client:
        return client.get(path, headers={"authorization": f"Bearer {token}"})


def handmade(claims: dict, algorithm: str, secret: bytes | None = None) -> str:
    """What joserfc would rather not make: unsigned, or signed with a public key as if it were a secret."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    head = {"alg": algorithm, "typ": "at+jwt", "kid": "k1"}
    signed = f"{part(json.dumps(head).encode())}.{part(json.dumps(claims).encode())}"
    return f"{signed}.{part(hmac.digest(secret, signed.encode(), 'sha256')) if secret else ''}"


def test_a_good_token_passes_and_is_forwarded(edge, echo, token):
    """Mode verify: the BFF shall judge it again."""
    assert ask(edge, token).status_code == 200
    assert dict(echo.seen[-1]["headers"])["authorization"] == f"Bearer {token}"


def test_without_a_token_the_challenge_names_no_error(edge):
    """RFC 6750 §3.1: no error code when no credentials were sent."""
    with edge.client() as client:
        answer = client.get("/secured/x")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def bad_tokens(issuer) -> dict[str, str]:
    now = time.time()
    claims = {"iss": "https://issuer.test", "aud": "frontage", "sub": "u-1", "exp": now + 60}
    public = issuer.keys["k1"].as_pem(private=False)
    return {
        "expired": issuer.token(now, exp=int(now) - 45),
        "no_expiry": issuer.token(now, exp=None),
        "not_yet": issuer.token(now, nbf=int(now) + 120),
        "wrong_audience": issuer.token(now, aud="other"),
        "no_audience": issuer.token(now, aud=None),
        "wrong_issuer": issuer.token(now, iss="https://evil.test"),
        "no_subject": issuer.token(now, sub=None),
        "alg_none": handmade(claims, "none"),
        "alg_None": handmade(claims, "None"),
        "hs256_with_the_public_key": handmade(claims, "HS256", public),
        "rs256_where_es256_is_pinned": issuer.token(now, kid="r1", algorithm="RS256", key=issuer.rsa),
        "strangers_key": issuer.token(now, key=ECKey.generate_key("P-256")),
        "unknown_kid": issuer.token(now, kid="k9", key=issuer.keys["k1"]),
        "id_token": issuer.token(now, header={"typ": "JWT"}),
        "no_typ": issuer.token(now, header={"typ": ""}),
        "critical_extension": issuer.token(now, header={"crit": ["b64"], "b64": True}),
        "nonsense": "a.b.c",
        "almost_empty": ".",
    }


BAD_TOKENS = (
    "expired", "no_expiry", "not_yet", "wrong_audience", "no_audience", "wrong_issuer", "no_subject", "alg_none",
    "alg_None", "hs256_with_the_public_key", "rs256_where_es256_is_pinned", "strangers_key", "unknown_kid", "id_token",
    "no_typ", "critical_extension", "nonsense", "almost_empty",
)  # fmt: skip


@pytest.mark.parametrize("kind", BAD_TOKENS)
def test_case_a2_a_token_that_does_not_count_is_a_401(edge, echo, kind):
    """The token chooses nothing: neither its algorithm nor its kind; the upstream sees none of them."""
    before = len(echo.seen)
    answer = ask(edge, bad_tokens(echo.issuer)[kind])
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == INVALID
    assert answer.json()["detail"] == "The access token is not valid."
    assert len(echo.seen) == before


def test_every_bad_token_is_tried(echo):
    """The list in the test above is the list of makers."""
    assert set(bad_tokens(echo.issuer)) == set(BAD_TOKENS)


def test_clocks_may_differ_by_half_a_minute(edge, echo):
    """Expired 20 s ago counts, 45 s ago does not."""
    now = time.time()
    assert ask(edge, echo.issuer.token(now, exp=int(now) - 20)).status_code == 200


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "AT+JWT"])
def test_the_type_may_be_spelt_as_rfc_9068_allows(edge, echo, typ):
    """With or without 'application/', in any letter case."""
    assert ask(edge, echo.issuer.token(time.time(), header={"typ": typ})).status_code == 200


@pytest.mark.parametrize(
    "query",
    ["access_token={}", "a=b&access_token={}", "access%5Ftoken={}", "ACCESS_TOKEN={}", "access-token={}", "token={}",
     "x=Bearer%20{}", "access_token=opaque", "api_key=1"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/secured/x", "/open/x"])
def test_a_token_in_the_query_is_refused_and_not_passed_on(edge, echo, token, bearer, query, path):
    """Even beside a good one in the header, and on open routes: not forwarded, not logged, not echoed."""
    before = len(echo.seen)
    with edge.client() as client:
        answer = client.get(f"{path}?{query.format(token)}", headers=bearer)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert len(echo.seen) == before
    assert token not in answer.text


def test_no_credential_and_no_query_gets_into_the_log(edge, token, bearer):
    """Neither a token in the header nor one in the URL."""
    with edge.client() as client:
        client.get("/secured/logged", headers=bearer)
        client.get(f"/secured/logged?access_token={token}")
    wait_for(lambda: len(edge.requests("/secured/logged")) == 2, "two log lines")
    log = edge.log.read_text(errors="replace")
    assert token not in log
    assert "access_token" not in log


def test_two_authorization_headers_are_ambiguous(edge, bearer):
    """Whoever judged the first might not be who uses the second."""
    with edge.client() as client:
        answer = client.get("/secured/x", headers=[*bearer.items(), ("authorization", "Bearer other")])
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_a_scope_that_is_missing_is_a_403(edge, echo):
    """The token counts, but not for this."""
    answer = ask(edge, echo.issuer.token(time.time(), scope="dashboard administrator"), "/admin/x")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope"'
    assert ask(edge, echo.issuer.token(time.time(), scope="dashboard admin"), "/admin/x").status_code == 200


def test_a_token_that_passed_once_is_judged_by_each_routes_own_rules(edge, echo):
    """What is remembered of a token is one route's verdict: another's scope is still missing."""
    token = echo.issuer.token(time.time(), jti=secrets.token_hex(8))
    assert [ask(edge, token, path).status_code for path in ("/secured/x", "/admin/x") * 3] == [200, 403] * 3


def test_a_token_that_passed_once_expires(edge, echo):
    """To the second, and the clock's half minute."""
    now = time.time()
    token = echo.issuer.token(now, exp=int(now) - 28)
    assert ask(edge, token).status_code == 200
    wait_for(lambda: ask(edge, token).status_code == 401, "it is over", within_s=8)


def test_a_rotated_key_is_known_within_the_refresh_bound(edge, echo):
    """No restart; a key that was taken back no longer counts. A token seen before is left to the BFF (mode verify)."""

    def fresh(kid: str) -> str:
        return echo.issuer.token(time.time(), kid=kid, jti=secrets.token_hex(8))

    seen = fresh("k1")
    assert [ask(edge, token).status_code for token in (seen, fresh("k1"), fresh("k2"))] == [200, 200, 401]
    echo.issuer.published = ["k2"]
    try:
        wait_for(lambda: ask(edge, fresh("k2")).status_code == 200, "the new key", within_s=5)
        wait_for(lambda: ask(edge, fresh("k1")).status_code == 401, "the old key goes", within_s=5)
        assert ask(edge, seen).status_code == 200
    finally:
        echo.issuer.published = ["k1"]
        wait_for(lambda: ask(edge, fresh("k1")).status_code == 200, "the old key comes back", within_s=5)


def test_random_key_ids_cause_no_fetches(edge, echo):
    """Keys are fetched by the clock, never by a token (field case A1)."""
    fetches, started = echo.issuer.fetches, time.monotonic()
    tokens = [echo.issuer.token(time.time(), kid=f"x{n}", key=echo.issuer.keys["k1"]) for n in range(100)]
    with edge.client() as client:
        statuses = {client.get("/secured/x", headers={"authorization": f"Bearer {one}"}).status_code for one in tokens}
    assert statuses == {401}
    assert echo.issuer.fetches - fetches <= 2 + (time.monotonic() - started) / 1.0
