"""Internal tokens: what a BFF asks of them, beyond what every token must be."""

from dataclasses import replace

import pytest
from joserfc.jwk import ECKey

from shared.errors import ProblemCode, ProblemError
from shared.identity.credential import CredentialKind
from shared.identity.internal import EDGE_ISSUER, MAX_LENGTH, InternalClaims, InternalVerifier
from shared.identity.keys import VerificationKey, read_keys
from shared.identity.principal import Principal
from tests.shared.identity.tokens_table import Issuer, ec_key

NOW = 1_800_000_000
ADA = Principal(
    "ada", "app", frozenset({"b", "a"}), NOW + 3600, "secret", CredentialKind.OPAQUE, "https://issuer.test", acr="gold",
    auth_time=NOW - 5,
)  # fmt: skip


class FixedKeys:
    def __init__(self, document: bytes) -> None:
        self.keys = read_keys(document)

    async def find(self, kid: str, *, other_than: VerificationKey | None = None) -> VerificationKey | None:
        found = self.keys.get(kid)
        return None if found is other_than else found


@pytest.fixture(scope="module")
def edge() -> Issuer:
    """Signs as the control service does; any header and claim can be made wrong."""
    return Issuer(NOW)


@pytest.fixture
def verifier(edge: Issuer) -> InternalVerifier:
    return InternalVerifier(EDGE_ISSUER, "mobile", FixedKeys(edge.jwks()), now=lambda: NOW, routes=("mobile.",))


def claims(principal: Principal = ADA, **changes: object) -> dict[str, object]:
    made = InternalClaims(audience="mobile", route="mobile.v1", principal=principal).written(EDGE_ISSUER, "t-1", NOW)
    return {name: value for name, value in {**made, **changes}.items() if value is not None}


def token(edge: Issuer, key: ECKey | None = None, header: dict[str, object] | None = None, **changes: object) -> str:
    head = edge.header(**{"typ": "bff-int+jwt", **(header or {})})
    return edge.token(head, claims(**changes), key=key)


async def test_it_says_all_that_the_edge_knew_of_the_caller(edge: Issuer, verifier: InternalVerifier) -> None:
    """And is the credential that calls may pass on, in the place of the first one, which stays at the edge."""
    made = token(edge)
    principal = await verifier.verify(made)
    assert replace(principal, token="", audiences=frozenset(), expires_at=0) == replace(ADA, token="", expires_at=0)
    assert (principal.token, principal.expires_at) == (made, NOW + 60)
    assert verifier.cached(made) == principal


async def test_it_never_outlives_its_credential(edge: Issuer) -> None:
    """Sixty seconds, or what is left of the credential, if that is less."""
    assert claims()["exp"] == NOW + 60
    assert claims(replace(ADA, expires_at=NOW + 7.9))["exp"] == NOW + 7
    assert claims(replace(ADA, expires_at=float("inf")))["exp"] == NOW + 60


BAD = {
    "of_another_issuer": {"iss": "https://edge.other"},
    "for_another_bff": {"aud": "web"},
    "for_several": {"aud": ["mobile", "web"]},
    "of_another_route": {"rt": "web.v1"},
    "without_route": {"rt": None},
    "expired": {"iat": NOW - 66, "exp": NOW - 6},
    "of_the_future": {"iat": NOW + 6, "exp": NOW + 60},
    "too_long_lived": {"exp": NOW + 66},
    "without_expiry": {"exp": None},
    "without_id": {"jti": None},
    "without_subject": {"sub": None},
    "without_client": {"client_id": None},
    "of_an_unknown_method": {"amethod": "magic"},
    "without_method": {"amethod": None},
    "with_an_odd_acr": {"acr": 1},
    "with_an_odd_time": {"auth_time": "now"},
    "too_large": {"scope": "s" * MAX_LENGTH},
}


@pytest.mark.parametrize("name", BAD)
async def test_any_other_is_refused(edge: Issuer, verifier: InternalVerifier, name: str) -> None:
    """401, whatever is wrong with it."""
    with pytest.raises(ProblemError) as caught:
        await verifier.verify(token(edge, **BAD[name]))
    assert caught.value.code is ProblemCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    "header", [{"typ": "at+jwt"}, {"typ": "JWT"}, {"typ": None}, {"kid": "other"}, {"alg": "RS256"}, {"crit": ["x"]}]
)
async def test_idn_j6_none_of_another_kind_is_taken_for_one(
    edge: Issuer, verifier: InternalVerifier, header: dict[str, object]
) -> None:
    """An access token is no internal token, though the same key had signed it."""
    with pytest.raises(ProblemError):
        await verifier.verify(token(edge, header=header))


async def test_one_that_somebody_else_signed_is_refused(edge: Issuer, verifier: InternalVerifier) -> None:
    """Under our own key's id."""
    with pytest.raises(ProblemError):
        await verifier.verify(token(edge, key=ec_key("ec-1")))


async def test_clocks_of_one_house_differ_by_five_seconds(edge: Issuer, verifier: InternalVerifier) -> None:
    """Not by thirty, as those of an issuer may."""
    assert (await verifier.verify(token(edge, iat=NOW - 64, exp=NOW - 4))).subject == "ada"
