"""Whose tokens count. The rules are rows of ``tokens_table``; here are the verifier's own promises."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import ProblemCode, ProblemError
from shared.identity.keys import VerificationKey, read_keys
from shared.identity.principal import Principal
from shared.identity.tokens import TokenPolicy, TokenVerifier
from tests.shared.identity.tokens_table import AUDIENCE, BAD, GOOD, ISSUER, Issuer, Row, ec_key

NOW = 1_800_000_000
POLICY = TokenPolicy(issuer=ISSUER, audience=AUDIENCE)


class ManualNow:
    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class FixedKeys:
    """A key source without a network; notes what it was asked."""

    def __init__(self, document: bytes) -> None:
        self.keys = read_keys(document)
        self.asked: list[str] = []

    async def find(self, kid: str, *, other_than: VerificationKey | None = None) -> VerificationKey | None:
        self.asked.append(kid)
        key = self.keys.get(kid)
        return None if key is other_than else key


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    """One issuer for the module: making keys takes time."""
    return Issuer(NOW)


@pytest.fixture
def keys(issuer: Issuer) -> FixedKeys:
    """The issuer's keys, without a fetch."""
    return FixedKeys(issuer.jwks())


@pytest.fixture
def clock() -> ManualNow:
    """The verifier's clock."""
    return ManualNow()


@pytest.fixture
def verifier(keys: FixedKeys, clock: ManualNow) -> TokenVerifier:
    """The verifier under test."""
    return TokenVerifier(POLICY, keys, now=clock)


async def refusal(verifier: TokenVerifier, token: str) -> str:
    """Return the reason in the log of a refusal that shows the client nothing."""
    with pytest.raises(ProblemError) as caught:
        await verifier.verify(token)
    assert caught.value.code is ProblemCode.UNAUTHENTICATED
    assert caught.value.detail == "The access token is not valid."
    return str(caught.value.__cause__)


@pytest.mark.parametrize("row", GOOD, ids=str)
async def test_good_tokens_count(row: Row, issuer: Issuer, verifier: TokenVerifier) -> None:
    """A good token gives its subject, client and scopes."""
    principal = await verifier.verify(row.make(issuer))

    assert (principal.subject, principal.client_id) == ("u-1", "mobile-app")
    assert principal.scopes == (frozenset() if "scope" in row.name else {"dashboard"})


@pytest.mark.parametrize("row", BAD, ids=str)
async def test_bad_tokens_get_the_same_401(row: Row, issuer: Issuer, verifier: TokenVerifier) -> None:
    """Every bad token gets one and the same problem; only the log knows why."""
    token = row.make(issuer)

    assert await refusal(verifier, token) == row.reason
    assert verifier.cached(token) is None


@given(position=st.integers(0, 10_000), letter=st.characters(max_codepoint=0x2FFF))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
async def test_a_token_changed_in_one_character_never_counts(
    position: int, letter: str, issuer: Issuer, keys: FixedKeys
) -> None:
    """Whatever stands at whatever place: 401, never an exception of another kind."""
    verifier = TokenVerifier(POLICY, keys, now=ManualNow())
    token = issuer.token()
    at = position % len(token)
    if letter != token[at]:
        await refusal(verifier, f"{token[:at]}{letter}{token[at + 1 :]}")


@given(text=st.text(max_size=200) | st.binary(max_size=200).map(lambda data: data.decode("latin-1")))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
async def test_any_text_at_all_gets_a_401(text: str, keys: FixedKeys) -> None:
    """Garbage in the header is the client's fault, never ours."""
    await refusal(TokenVerifier(POLICY, keys, now=ManualNow()), text)


async def test_tokens_for_others_never_make_us_look_for_keys(
    issuer: Issuer, keys: FixedKeys, verifier: TokenVerifier
) -> None:
    """Issuer, audience and expiry are looked at before any key is."""
    for changes in ({"iss": "http://other.test"}, {"aud": "other"}, {"exp": NOW - 60}):
        await refusal(verifier, issuer.token(issuer.header(kid="unknown"), issuer.claims(**changes)))

    assert keys.asked == []


async def test_a_verified_token_is_known_without_a_second_look(
    issuer: Issuer, keys: FixedKeys, verifier: TokenVerifier
) -> None:
    """The fast path is synchronous and gives the same principal."""
    token = issuer.token()
    assert verifier.cached(token) is None

    principal = await verifier.verify(token)

    assert verifier.cached(token) is principal
    assert await verifier.verify(token) is principal
    assert keys.asked == ["ec-1"]


async def test_the_fast_path_compares_the_expiry_at_each_look_up(
    issuer: Issuer, verifier: TokenVerifier, clock: ManualNow
) -> None:
    """A token that was good a moment ago is refused once its leeway is over."""
    token = issuer.token(claims=issuer.claims(exp=NOW + 10))
    await verifier.verify(token)

    clock.now = NOW + 39
    assert verifier.cached(token) is not None
    clock.now = NOW + 40
    assert verifier.cached(token) is None
    assert await refusal(verifier, token) == "exp has passed"


async def test_a_withdrawn_key_stops_its_tokens_within_a_minute(
    issuer: Issuer, keys: FixedKeys, verifier: TokenVerifier, clock: ManualNow
) -> None:
    """The fast path remembers a token for a minute, not for its life."""
    token = issuer.token()
    await verifier.verify(token)
    keys.keys.clear()

    clock.now = NOW + 59
    assert verifier.cached(token) is not None
    clock.now = NOW + 60
    assert await refusal(verifier, token) == "kid is unknown"


async def test_the_fast_path_is_bounded(issuer: Issuer, keys: FixedKeys) -> None:
    """Many tokens cost no more memory than the bound; the oldest goes first."""
    verifier = TokenVerifier(replace(POLICY, max_remembered=3), keys, now=ManualNow())
    made = [issuer.token(claims=issuer.claims(jti=f"t-{n}")) for n in range(5)]

    for token in made:
        await verifier.verify(token)

    assert [verifier.cached(token) is not None for token in made] == [False, False, True, True, True]


async def test_case_a1_a_new_key_under_an_old_id_is_noticed(issuer: Issuer, keys: FixedKeys) -> None:
    """When the signature does not fit, the issuer's keys are looked at once more."""
    renewed = Issuer(NOW, ec=ec_key("ec-1"))

    class Renewing(FixedKeys):
        async def find(self, kid: str, *, other_than: VerificationKey | None = None) -> VerificationKey | None:
            if other_than is not None:
                self.keys = read_keys(renewed.jwks())
            return await super().find(kid, other_than=other_than)

    verifier = TokenVerifier(POLICY, Renewing(issuer.jwks()), now=ManualNow())

    assert (await verifier.verify(renewed.token())).subject == "u-1"
    assert await refusal(verifier, issuer.token()) == "signature"


@pytest.mark.parametrize("algorithms", [(), ("none",), ("ES256", "HS256"), ("es256",)])
def test_case_a2_a_policy_pins_asymmetric_algorithms_or_does_not_start(algorithms: tuple[str, ...]) -> None:
    """No algorithm list, ``none`` or a shared secret: refused before any request."""
    with pytest.raises(ValueError, match="possible are"):
        TokenPolicy(issuer=ISSUER, audience=AUDIENCE, algorithms=algorithms)


async def test_only_pinned_algorithms_count(issuer: Issuer, keys: FixedKeys) -> None:
    """A published RSA key is of no use where ES256 alone is pinned."""
    only_ec = TokenPolicy(issuer=ISSUER, audience=AUDIENCE, algorithms=("ES256",), leeway=timedelta(0))
    token = issuer.token(issuer.header(alg="RS256", kid="rsa-1"), key=issuer.rsa, algorithm="RS256")

    assert await refusal(TokenVerifier(only_ec, keys, now=ManualNow()), token) == "alg is not pinned"


async def test_a_principal_never_shows_its_token(issuer: Issuer, verifier: TokenVerifier) -> None:
    """Neither repr nor str, nor the one of a container, holds the credential."""
    token = issuer.token()

    principal = await verifier.verify(token)

    assert principal == Principal("u-1", "mobile-app", frozenset({"dashboard"}), NOW + 3600, token, issuer=ISSUER)
    assert principal.token == token
    assert all(part not in f"{principal!r}{principal}{[principal]}" for part in token.split("."))
