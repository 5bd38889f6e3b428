"""The sample identity provider: what it publishes, and that its tokens are what our verifier makes of them."""

import time
from collections.abc import AsyncIterator

import httpx
import pytest

from dev.identity.app import create_app
from dev.identity.settings import IdentitySettings
from shared.errors import ProblemError
from shared.identity.jwks import JwksCache
from shared.identity.principal import Principal
from shared.identity.tokens import TokenPolicy, TokenVerifier

ISSUER = "http://identity.test:8200"
SETTINGS = IdentitySettings(listen="127.0.0.1:1", issuer=ISSUER, audience="frontage")


@pytest.fixture
async def provider() -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of a provider with fresh keys."""
    transport = httpx.ASGITransport(create_app(SETTINGS))
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as client:
        yield client


class Now:
    """Seconds for the key cache, turned by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def now() -> Now:
    """Return the clock of the key cache."""
    return Now()


@pytest.fixture
def verifier(provider: httpx.AsyncClient, now: Now) -> TokenVerifier:
    """Return a verifier as a BFF has it."""
    policy = TokenPolicy(issuer=ISSUER, audience="frontage")
    return TokenVerifier(policy, JwksCache(f"{ISSUER}/jwks", provider, now=now), now=time.time)


async def token(provider: httpx.AsyncClient, user: str = "u-1", **wish: object) -> str:
    """Ask for a token."""
    answer = await provider.post("/dev/tokens", json={"user": user, **wish})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return str(answer.json()["access_token"])


async def refusal(verifier: TokenVerifier, text: str) -> str:
    """Return why a token was refused."""
    with pytest.raises(ProblemError) as caught:
        await verifier.verify(text)
    assert caught.value.status == 401
    return str(caught.value.__cause__)


async def test_discovery_says_where_the_keys_are(provider: httpx.AsyncClient) -> None:
    """The issuer is its own, to the letter, and the keys are where it says."""
    document = (await provider.get("/.well-known/openid-configuration")).json()

    assert document["issuer"] == ISSUER
    assert document["id_token_signing_alg_values_supported"] == ["ES256"]
    assert (await provider.get(document["jwks_uri"])).json()["keys"]


async def test_only_public_halves_are_published(provider: httpx.AsyncClient) -> None:
    """Whatever else changes in the key set, no private number is in it."""
    await provider.post("/dev/keys/rotate")
    keys = (await provider.get("/jwks")).json()["keys"]

    assert len(keys) == 2
    assert all(set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"} for key in keys)


@pytest.mark.parametrize("user", ["u-1", "u-1200", "someone@example.com", "\u4f50\u85e4"])
async def test_a_token_for_any_user(user: str, provider: httpx.AsyncClient, verifier: TokenVerifier) -> None:
    """It counts for an hour, for the dashboard."""
    text = await token(provider, user)

    principal = await verifier.verify(text)

    until = principal.expires_at
    assert principal == Principal(user, "frontage-dev", frozenset({"dashboard"}), until, text, issuer=ISSUER)
    assert 3590 < principal.expires_at - time.time() <= 3600


async def test_two_tokens_are_never_the_same(provider: httpx.AsyncClient) -> None:
    """Each has its own id."""
    assert await token(provider) != await token(provider)


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"audience": "other"}, "aud"),
        ({"issuer": "http://other.test"}, "iss"),
        ({"expires_in": -60}, "exp has passed"),
        ({"algorithm": "none"}, "not a compact JWS"),
        ({"algorithm": "HS256"}, "alg is not pinned"),
        ({"header": {"typ": "JWT"}}, "typ"),
        ({"header": {"kid": "nobody"}}, "kid is unknown"),
        ({"claims": {"sub": None}}, "sub"),
        ({"claims": {"nbf": 99_999_999_999}}, "nbf is to come"),
    ],
    ids=str,
)
async def test_bad_tokens_can_be_had(
    wish: dict[str, object], reason: str, provider: httpx.AsyncClient, verifier: TokenVerifier
) -> None:
    """Each is bad in the one way that was asked for."""
    assert await refusal(verifier, await token(provider, **wish)) == reason


async def test_rotation_keeps_the_old_tokens_good_once(
    provider: httpx.AsyncClient, verifier: TokenVerifier, now: Now
) -> None:
    """The new key signs at once; the one before counts until the next rotation."""
    old = await token(provider)
    rotated = (await provider.post("/dev/keys/rotate")).json()
    new = await token(provider)

    assert rotated["kid"] == rotated["published"][0]
    assert (await verifier.verify(new)).subject == "u-1"
    assert (await verifier.verify(old)).subject == "u-1"

    await provider.post("/dev/keys/rotate")
    now.seconds += 600
    assert await refusal(verifier, await token(provider, header={"kid": rotated["published"][1]})) == "kid is unknown"


@pytest.mark.parametrize(
    "body", [{}, {"user": ""}, {"user": 1}, {"user": "u-1", "algorithm": "RS256"}, {"user": "u-1", "x": 1}]
)
async def test_a_wish_that_cannot_be_met_is_a_problem(body: dict[str, object], provider: httpx.AsyncClient) -> None:
    """400, as everywhere."""
    answer = await provider.post("/dev/tokens", json=body)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
