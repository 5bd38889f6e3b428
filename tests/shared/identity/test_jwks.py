"""When the issuer's keys are fetched, and what happens when they cannot be."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from shared.errors import ProblemCode, ProblemError
from shared.identity.jwks import JwksCache, JwksPolicy
from shared.identity.keys import read_keys
from shared.identity.tokens import TokenPolicy, TokenVerifier
from tests.shared.identity.tokens_table import AUDIENCE, BAD, GOOD, ISSUER, Issuer, ec_key

NOW = 1_800_000_000
URL = "http://identity.test/jwks"
MINUTE = 60.0
HOUR = 3600.0


class Provider:
    """The issuer's JWKS endpoint behind httpx's transport seam, with a hand-turned clock."""

    def __init__(self) -> None:
        self.issuer = Issuer(NOW)
        self.now = float(NOW)
        self.fetched: list[str] = []
        self.answer: httpx.Response | Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.fetched.append(str(request.url))
        await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or httpx.Response(200, content=self.issuer.jwks())

    def rotate(self, kid: str) -> None:
        """Sign with a new key; the old one is withdrawn."""
        self.issuer = Issuer(self.issuer.now, ec=ec_key(kid))

    def token(self) -> str:
        """Return a token of the current key, good at the current time."""
        self.issuer.now = int(self.now)
        return self.issuer.token(self.issuer.header(kid=self.issuer.ec.kid))


@pytest.fixture
def provider() -> Provider:
    """An issuer that the test can slow, break and rotate."""
    return Provider()


@pytest.fixture
async def client(provider: Provider) -> AsyncIterator[httpx.AsyncClient]:
    """A client that reaches the provider alone."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(provider.handle)) as client:
        yield client


@pytest.fixture
async def cache(provider: Provider, client: httpx.AsyncClient) -> AsyncIterator[JwksCache]:
    """The cache under test, on the provider's clock."""
    # 50 ms: only the tests with a hanging issuer wait for it, in real time.
    policy = JwksPolicy(fetch_timeout=timedelta(milliseconds=50))
    cache = JwksCache(URL, client, now=lambda: provider.now, policy=policy)
    yield cache
    await cache.close()


@pytest.fixture
def verifier(provider: Provider, cache: JwksCache) -> TokenVerifier:
    """A verifier over the cache."""
    return TokenVerifier(TokenPolicy(issuer=ISSUER, audience=AUDIENCE), cache, now=lambda: provider.now)


async def status(verifier: TokenVerifier, token: str) -> int:
    """Return the HTTP status that this token would get."""
    try:
        await verifier.verify(token)
    except ProblemError as problem:
        return problem.status
    return 200


async def settled(cache: JwksCache) -> None:
    """Wait until no fetch is under way."""
    while cache._fetch is not None:
        await asyncio.wait([cache._fetch], timeout=1)


async def test_keys_are_fetched_once_for_many_callers(provider: Provider, cache: JwksCache) -> None:
    """A cold start under load is one fetch."""
    provider.gate.clear()
    finds = [asyncio.create_task(cache.find("ec-1")) for _ in range(50)]
    await asyncio.sleep(0)
    provider.gate.set()

    assert all(key is not None for key in await asyncio.gather(*finds))
    assert provider.fetched == [URL]


async def test_a_caller_that_leaves_does_not_end_the_fetch(provider: Provider, cache: JwksCache) -> None:
    """The first request is cancelled while it waits; the second still gets its key from the same fetch."""
    provider.gate.clear()
    first = asyncio.create_task(cache.find("ec-1"))
    await asyncio.sleep(0)
    second = asyncio.create_task(cache.find("ec-1"))
    await asyncio.sleep(0)
    first.cancel()
    provider.gate.set()

    assert await second is not None
    assert first.cancelled()
    assert provider.fetched == [URL]


async def test_case_a1_a_rotated_key_works_at_once(provider: Provider, verifier: TokenVerifier) -> None:
    """The first token of a new key is accepted, without a restart and without waiting for an interval."""
    assert await status(verifier, provider.token()) == 200
    provider.rotate("ec-2")

    assert await status(verifier, provider.token()) == 200
    assert len(provider.fetched) == 2


async def test_case_a1_a_second_rotation_works_within_ten_seconds(provider: Provider, verifier: TokenVerifier) -> None:
    """The bound that we document: an unknown key id costs a fetch at most every ten seconds."""
    await status(verifier, provider.token())
    provider.rotate("ec-2")
    await status(verifier, provider.token())
    provider.rotate("ec-3")

    assert await status(verifier, provider.token()) == 401
    provider.now += 10
    assert await status(verifier, provider.token()) == 200


async def test_case_a1_made_up_key_ids_cost_one_fetch_in_ten_seconds(
    provider: Provider, verifier: TokenVerifier
) -> None:
    """A thousand tokens with made-up key ids are all refused; good ones are served meanwhile."""
    await status(verifier, provider.token())
    del provider.fetched[:]
    stranger = Issuer(NOW)
    tokens = [stranger.token(stranger.header(kid=f"made-up-{n}")) for n in range(1000)]

    answers = {await status(verifier, token) for token in tokens}

    assert answers == {401}
    assert len(provider.fetched) == 1
    assert await status(verifier, provider.token()) == 200
    provider.now += 10
    await status(verifier, tokens[0])
    assert len(provider.fetched) == 2


async def test_case_a1_the_same_key_id_with_a_new_key(provider: Provider, verifier: TokenVerifier) -> None:
    """The new key counts at once, and the old one no more."""
    old = provider.issuer.token(claims=provider.issuer.claims(jti="not seen before"))
    await status(verifier, provider.token())
    provider.rotate("ec-1")

    assert await status(verifier, provider.token()) == 200
    assert await status(verifier, old) == 401


async def test_case_a1_a_withdrawn_key_stops_once_the_cache_is_old(provider: Provider, verifier: TokenVerifier) -> None:
    """Five minutes after it was last seen, a key that is published no more does not count."""
    withdrawn = provider.issuer
    await status(verifier, provider.token())
    provider.rotate("ec-2")

    provider.now += 3 * MINUTE
    assert await status(verifier, withdrawn.token()) == 200
    provider.now += 2 * MINUTE
    assert await status(verifier, withdrawn.token()) == 401
    assert await status(verifier, provider.token()) == 200


async def test_case_a1_known_keys_work_while_the_issuer_is_down(
    provider: Provider, verifier: TokenVerifier, cache: JwksCache
) -> None:
    """For an hour, with a fetch every ten seconds at most; then 503, and 200 again when the issuer is back."""
    await status(verifier, provider.token())
    provider.answer = httpx.ConnectError("refused")

    for _ in range(59):
        provider.now += MINUTE
        assert await status(verifier, provider.token()) == 200
        await settled(cache)
    del provider.fetched[:]
    for _ in range(20):
        provider.now += 1
        assert await status(verifier, provider.token()) == 200
        await settled(cache)
    assert len(provider.fetched) == 2

    provider.now += MINUTE
    assert await status(verifier, provider.token()) == 503
    provider.answer = None
    provider.now += 1
    assert await status(verifier, provider.token()) == 200


async def test_case_a1_a_hanging_issuer_does_not_slow_good_tokens(
    provider: Provider, verifier: TokenVerifier, cache: JwksCache
) -> None:
    """Known keys answer while the fetch hangs; it is given up after its timeout."""
    await status(verifier, provider.token())
    provider.gate.clear()

    provider.now += 4 * MINUTE + 1
    assert await status(verifier, provider.token()) == 200
    assert cache._fetch is not None
    await settled(cache)
    provider.now += MINUTE
    assert await status(verifier, provider.token()) == 200


async def test_nothing_known_and_no_issuer_is_503_never_401(provider: Provider, cache: JwksCache) -> None:
    """A good user is not signed out because the issuer is away; tries are one second apart."""
    provider.answer = httpx.ConnectError("refused")

    for _ in range(5):
        with pytest.raises(ProblemError) as caught:
            await cache.find("ec-1")
        assert caught.value.code is ProblemCode.BACKEND_UNREACHABLE
        assert caught.value.retry_after == timedelta(seconds=1)
    assert provider.fetched == [URL]
    assert not cache.ready

    provider.answer = None
    provider.now += 1
    assert await cache.find("ec-1") is not None
    assert cache.ready


async def test_a_slow_first_fetch_ends_with_503(provider: Provider, cache: JwksCache) -> None:
    """Nobody waits for the issuer longer than the fetch timeout."""
    provider.gate.clear()

    with pytest.raises(ProblemError) as caught:
        await cache.find("ec-1")

    assert caught.value.status == 503


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(302, headers={"location": "http://attacker.test/jwks"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, text="[]"),
        httpx.Response(200, text='{"keys": {}}'),
        httpx.Response(200, text='{"keys": []}'),
        httpx.Response(200, text='{"keys": [], "keys": []}'),
        httpx.Response(200, content=b" " * (256 * 1024 + 1)),
    ],
    ids=["500", "redirect", "html", "list", "no-list", "empty", "repeated", "huge"],
)
async def test_an_answer_that_is_no_key_set_is_a_failed_fetch(
    answer: httpx.Response, provider: Provider, cache: JwksCache
) -> None:
    """It neither replaces known keys nor leads anywhere else."""
    await cache.find("ec-1")
    provider.answer = answer
    provider.now += 5 * MINUTE

    assert await cache.find("ec-1") is not None
    assert set(provider.fetched) == {URL}


async def test_case_a2_no_token_makes_us_fetch_from_elsewhere(provider: Provider, verifier: TokenVerifier) -> None:
    """The whole table, through the real cache: the issuer's URL is the only one ever fetched."""
    for row in (*GOOD, *BAD):
        await status(verifier, row.make(provider.issuer))

    assert set(provider.fetched) == {URL}


def test_only_keys_that_can_verify_count() -> None:
    """Shared secrets, encryption keys, short RSA keys and nonsense are passed over; each key has one algorithm."""
    with_algorithm = {"alg": "RS256", "use": "sig"}
    entries = [
        OctKey.generate_key(256, {"kid": "secret", "alg": "HS256"}).as_dict(private=True),
        ECKey.generate_key("P-256", {"kid": "encryption", "use": "enc"}).as_dict(private=False),
        ECKey.generate_key("P-256", {"kid": "other-curve", "alg": "ES384"}).as_dict(private=False),
        ECKey.generate_key("P-256", {"kid": "hmac", "alg": "HS256"}).as_dict(private=False),
        ECKey.generate_key("P-256", {"kid": "sign-only", "key_ops": ["sign"]}).as_dict(private=False),
        {"kty": "RSA", "kid": "short", "n": "AQAB" * 20, "e": "AQAB"},
        {"kty": "EC", "kid": "off-curve", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
        {"kty": ["EC"], "kid": "nonsense"},
        {"kty": "EC", "kid": 7},
        {"kty": "AKP", "kid": "post-quantum"},
        "text",
        ECKey.generate_key("P-384", {"kid": "ec"}).as_dict(private=False),
        RSAKey.generate_key(2048, {"kid": "rsa"}).as_dict(private=False),
        RSAKey.generate_key(2048, {"kid": "rsa-2", **with_algorithm}).as_dict(private=False),
    ]

    keys = read_keys(json.dumps({"keys": entries}).encode())

    assert {kid: key.algorithm for kid, key in keys.items()} == {"ec": "ES384", "rsa": "RS256", "rsa-2": "RS256"}


async def test_the_hour_is_the_last_word(provider: Provider, cache: JwksCache) -> None:
    """Old keys are forgotten even when nobody asked in between."""
    await cache.find("ec-1")
    provider.answer = httpx.ConnectError("refused")
    provider.now += HOUR

    with pytest.raises(ProblemError):
        await cache.find("ec-1")
