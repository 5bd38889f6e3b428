"""The table of access tokens: how each is made, and whether it counts.

One table for every place that judges tokens. ``shared/identity`` runs all of it; the edge, whose JWT filter knows
neither ``typ`` nor required claims, runs the rows with ``edge=True`` (the BFF behind it refuses the others). An
``Issuer`` has fresh keys and publishes them as a JWKS document; nothing here needs a network.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from joserfc.jwk import ECKey, Key, RSAKey
from joserfc.jws import JWSRegistry

ISSUER = "http://identity.test"
AUDIENCE = "frontage"
ELSEWHERE = "http://attacker.test/jwks"

Make = Callable[["Issuer"], str]


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(algorithm: str, key: Key, signed: bytes) -> bytes:
    """Sign with any algorithm that joserfc knows."""
    return JWSRegistry(algorithms=[algorithm]).get_alg(algorithm).sign(signed, key)


@cache
def rsa_key(kid: str) -> RSAKey:
    """RSA keys are slow to make, so all issuers of a run share them."""
    return RSAKey.generate_key(2048, {"kid": kid, "alg": "RS256", "use": "sig"})


def ec_key(kid: str) -> ECKey:
    """Return a fresh ES256 key."""
    return ECKey.generate_key("P-256", {"kid": kid, "alg": "ES256", "use": "sig"})


@dataclass
class Issuer:
    """Signs tokens as of ``now``, good ones and any other."""

    now: int
    issuer: str = ISSUER
    audience: str = AUDIENCE
    ec: ECKey = field(default_factory=lambda: ec_key("ec-1"))
    rsa: RSAKey = field(default_factory=lambda: rsa_key("rsa-1"))
    stranger: ECKey = field(default_factory=lambda: ec_key("ec-1"))

    def jwks(self) -> bytes:
        """Return the published document."""
        return json.dumps({"keys": [self.ec.as_dict(private=False), self.rsa.as_dict(private=False)]}).encode()

    def header(self, **changes: Any) -> dict[str, Any]:
        """Return a good header with changes; a member given as None is left out."""
        return _changed({"alg": "ES256", "kid": "ec-1", "typ": "at+jwt"}, changes)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return good claims with changes; a member given as None is left out."""
        good = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": "u-1",
            "client_id": "mobile-app",
            "scope": "dashboard",
            "iat": self.now,
            "exp": self.now + 3600,
            "jti": "t-1",
        }
        return _changed(good, changes)

    def token(
        self,
        header: dict[str, Any] | bytes | None = None,
        claims: dict[str, Any] | bytes | None = None,
        *,
        key: Key | None = None,
        algorithm: str = "ES256",
    ) -> str:
        """Return a token signed by ``key`` with ``algorithm``, whatever its header says."""
        signed = f"{b64(_bytes(self.header() if header is None else header))}."
        signed += b64(_bytes(self.claims() if claims is None else claims))
        return f"{signed}.{b64(sign(algorithm, key or self.ec, signed.encode()))}"


@dataclass(frozen=True)
class Row:
    """``rule`` is the line of identity.md or the field case; ``reason`` what our log says when it is refused."""

    rule: str
    name: str
    make: Make
    reason: str | None = None
    edge: bool = True

    def __str__(self) -> str:
        return f"idn_{self.rule}-{self.name}"


def _changed(good: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def _bytes(part: dict[str, Any] | bytes) -> bytes:
    return part if isinstance(part, bytes) else json.dumps(part).encode()


def _h(**changes: Any) -> Make:
    return lambda issuer: issuer.token(issuer.header(**changes))


def _c(**changes: Any) -> Make:
    return lambda issuer: issuer.token(claims=issuer.claims(**changes))


def _at(name: str, seconds: float) -> Make:
    return lambda issuer: issuer.token(claims=issuer.claims(**{name: issuer.now + seconds}))


def _raw_claims(old: str, new: str) -> Make:
    return lambda issuer: issuer.token(claims=json.dumps(issuer.claims()).replace(old, new).encode())


def _raw_header(old: str, new: str) -> Make:
    return lambda issuer: issuer.token(header=json.dumps(issuer.header()).replace(old, new).encode())


def _rsa(algorithm: str, **header: Any) -> Make:
    return lambda issuer: issuer.token(
        issuer.header(alg=algorithm, kid="rsa-1", **header), key=rsa_twin(issuer), algorithm=algorithm
    )


def rsa_twin(issuer: Issuer) -> RSAKey:
    """Return the issuer's RSA key without its pinned algorithm, to sign with another one."""
    return RSAKey.import_key({k: v for k, v in issuer.rsa.as_dict(private=True).items() if k != "alg"})


def _unsigned(alg: str, *, signature: str = "") -> Make:
    def make(issuer: Issuer) -> str:
        return f"{b64(_bytes(issuer.header(alg=alg)))}.{b64(_bytes(issuer.claims()))}.{signature}"

    return make


def _hmac_with(text: Callable[[Issuer], bytes], kid: str) -> Make:
    def make(issuer: Issuer) -> str:
        signed = f"{b64(_bytes(issuer.header(alg='HS256', kid=kid)))}.{b64(_bytes(issuer.claims()))}"
        return f"{signed}.{b64(hmac.digest(text(issuer), signed.encode(), hashlib.sha256))}"

    return make


def _stranger(**header: Any) -> Make:
    return lambda issuer: issuer.token(issuer.header(**header), key=issuer.stranger)


def _with_its_own_key(issuer: Issuer) -> str:
    jwk = issuer.stranger.as_dict(private=False)
    return issuer.token(issuer.header(jwk=jwk, kid="mine"), key=issuer.stranger)


def _good_with_foreign_pointers(issuer: Issuer) -> str:
    pointers = {"jku": ELSEWHERE, "x5u": ELSEWHERE, "x5c": ["AAAA"], "jwk": issuer.stranger.as_dict(private=False)}
    return issuer.token(issuer.header(**pointers))


def _tampered(issuer: Issuer) -> str:
    header, _, signature = issuer.token().split(".")
    return f"{header}.{b64(_bytes(issuer.claims(sub='u-2')))}.{signature}"


def _edit(change: Callable[[str], str]) -> Make:
    return lambda issuer: change(issuer.token())


def _spare_bits(token: str) -> str:
    """Write the same signature in another way: 64 bytes leave four bits of the last character unused."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


EXTENDED = "header has an extension that we do not know"

GOOD: tuple[Row, ...] = (
    Row("j1", "es256", lambda issuer: issuer.token()),
    Row("j1", "rs256", _rsa("RS256")),
    Row("t1", "typ_in_full", _h(typ="application/at+jwt")),
    Row("t1", "typ_in_capitals", _h(typ="AT+JWT")),
    Row("j4", "aud_is_a_list_with_ours", _c(aud=["other", AUDIENCE])),
    Row("j5", "foreign_pointers_are_not_followed", _good_with_foreign_pointers),
    Row("j7", "unknown_members_are_ignored", lambda i: i.token(i.header(foo=1), i.claims(bar={"a": [1]}))),
    Row("j8", "expired_within_leeway", _at("exp", -20)),
    Row("j8", "issued_ahead_within_leeway", _at("iat", 25)),
    Row("j8", "nbf_has_passed", _at("nbf", -5)),
    Row("j8", "times_with_fractions", _at("exp", 60.5)),
    Row("t5", "without_scope", _c(scope=None)),
    Row("t5", "with_empty_scope", _c(scope="")),
)

BAD: tuple[Row, ...] = (
    Row("a2", "alg_none", _unsigned("none"), "not a compact JWS"),
    Row("a2", "alg_none_with_a_signature", _unsigned("none", signature="AAAA"), "alg is not pinned"),
    Row("a2", "alg_none_in_capitals", _unsigned("None", signature="AAAA"), "alg is not pinned"),
    Row("a2", "alg_none_mixed", _unsigned("nOnE", signature="AAAA"), "alg is not pinned"),
    Row("a2", "empty_signature", _unsigned("ES256"), "not a compact JWS"),
    Row("j2", "hs256_with_rsa_public_key", _hmac_with(lambda i: i.rsa.as_pem(), "rsa-1"), "alg is not pinned"),
    Row("j2", "hs256_with_ec_public_key", _hmac_with(lambda i: i.ec.as_pem(), "ec-1"), "alg is not pinned"),
    Row("j2", "hs256_with_the_jwks_text", _hmac_with(lambda i: i.jwks(), "ec-1"), "alg is not pinned"),
    Row("j1", "rs512_where_rs256_is_pinned", _rsa("RS512"), "alg is not pinned"),
    Row("j1", "ps256_where_rs256_is_pinned", _rsa("PS256"), "alg is not pinned"),
    Row("j1", "es256_under_an_rsa_kid", _h(kid="rsa-1"), "signature"),
    Row("j1", "rs256_header_on_an_ec_signature", _h(alg="RS256"), "signature"),
    Row("j1", "alg_missing", _h(alg=None), "alg is not pinned"),
    Row("j1", "alg_is_a_list", _h(alg=["ES256"]), "alg is not pinned"),
    Row("j3", "signed_by_a_stranger", _stranger(), "signature"),
    Row("j3", "tampered", _tampered, "signature"),
    Row("j3", "signature_cut", _edit(lambda token: token[:-2]), "signature"),
    Row("j3", "issuer_is_another", _c(iss="http://other.test"), "iss"),
    Row("j3", "issuer_with_a_slash", _c(iss=f"{ISSUER}/"), "iss"),
    Row("j3", "issuer_is_a_list", _c(iss=[ISSUER]), "iss"),
    Row("j3", "issuer_missing", _c(iss=None), "iss"),
    Row("j4", "audience_is_another", _c(aud="other"), "aud"),
    Row("j4", "audience_only_begins_alike", _c(aud=f"{AUDIENCE}2"), "aud"),
    Row("j4", "audience_list_without_ours", _c(aud=["other", "third"]), "aud"),
    Row("j4", "audience_list_empty", _c(aud=[]), "aud"),
    Row("j4", "audience_is_an_object", _c(aud={AUDIENCE: 1}), "aud"),
    Row("j4", "audience_missing", _c(aud=None), "aud", edge=False),
    Row("j5", "key_in_the_header", _with_its_own_key, "kid is unknown"),
    Row("j5", "jku_to_the_attacker", _stranger(jku=ELSEWHERE, kid="mine"), "kid is unknown"),
    Row("j5", "x5u_to_the_attacker", _stranger(x5u=ELSEWHERE), "signature"),
    Row("j5", "kid_unknown", _h(kid="ec-9"), "kid is unknown"),
    Row("j5", "kid_is_a_path", _h(kid="../../etc/passwd"), "kid is unknown"),
    Row("j5", "kid_is_a_query", _h(kid="' OR 1=1 --"), "kid is unknown"),
    Row("j5", "kid_is_long", _h(kid="k" * 129), "kid"),
    Row("j5", "kid_of_100_kb", _h(kid="k" * 100_000), "too long"),
    Row("j5", "kid_is_a_number", _h(kid=1), "kid"),
    Row("j5", "kid_missing", _h(kid=None), "kid", edge=False),
    Row("j6", "typ_of_an_id_token", _h(typ="JWT"), "typ", edge=False),
    Row("j6", "typ_of_a_logout_token", _h(typ="logout+jwt"), "typ", edge=False),
    Row("j6", "typ_of_an_internal_token", _h(typ="bff-int+jwt"), "typ", edge=False),
    Row("j6", "typ_is_a_list", _h(typ=["at+jwt"]), "typ", edge=False),
    Row("t1", "typ_missing", _h(typ=None), "typ", edge=False),
    Row("t3", "id_token", lambda i: i.token(i.header(typ="JWT"), i.claims(aud="mobile-app", client_id=None)), "typ"),
    Row("j7", "crit_unknown", _h(crit=["foo"], foo=1), EXTENDED, edge=False),
    Row("j7", "crit_b64", _h(crit=["b64"], b64=False), EXTENDED, edge=False),
    Row("j7", "crit_empty", _h(crit=[]), EXTENDED, edge=False),
    Row("j7", "alg_twice", _raw_header('"alg"', '"alg": "none", "alg"'), "not strict JSON", edge=False),
    Row("j7", "sub_twice", _raw_claims('"sub": "u-1"', '"sub": "u-2", "sub": "u-1"'), "not strict JSON", edge=False),
    Row("j7", "padded", _edit(lambda token: f"{token}=="), "not a compact JWS"),
    Row("j7", "spare_bits_set", _edit(_spare_bits), "not canonical base64url", edge=False),
    Row("j7", "impossible_length", _edit(lambda token: f"{token}AAA"), "not base64url"),
    Row("j7", "standard_alphabet", _edit(lambda token: f"{token[:-2]}+/"), "not a compact JWS"),
    Row("j7", "newline_after", _edit(lambda token: f"{token}\n"), "not a compact JWS", edge=False),
    Row("j7", "not_ascii", _edit(lambda token: f"{token[:-1]}é"), "not a compact JWS", edge=False),
    Row("j7", "two_parts", _edit(lambda token: token.rpartition(".")[0]), "not a compact JWS"),
    Row("t4", "encrypted", _edit(lambda token: f"{token}.AA.AA"), "not a compact JWS"),
    Row("j7", "empty", lambda _: "", "not a compact JWS", edge=False),
    Row("j7", "not_a_token", lambda _: "hello", "not a compact JWS"),
    Row("j7", "nested_token", lambda i: i.token(i.header(cty="JWT"), i.token().encode()), "not strict JSON"),
    Row("j7", "claims_are_a_list", lambda i: i.token(claims=b"[]"), "not a JSON object"),
    Row("j7", "claims_in_utf_16", lambda i: i.token(claims=json.dumps(i.claims()).encode("utf-16")), "not strict JSON"),
    Row("j7", "claims_deeply_nested", lambda i: i.token(claims=b'{"a":' + b"[" * 4000), "not strict JSON"),
    Row("j7", "longer_than_8_kib", _c(scope="s" * 8192), "too long", edge=False),
    Row("j8", "exp_has_passed", _at("exp", -31), "exp has passed"),
    Row("j8", "exp_missing", _c(exp=None), "exp"),
    Row("j8", "exp_is_text", _c(exp="9999999999"), "exp"),
    Row("j8", "exp_is_true", _c(exp=True), "exp", edge=False),
    Row("j8", "exp_is_nan", _c(exp=float("nan")), "not strict JSON"),
    Row("j8", "exp_is_1e999", _raw_claims('"jti"', '"exp": 1e999, "jti"'), "not strict JSON", edge=False),
    Row("j8", "exp_has_400_digits", _c(exp=10**400), "exp", edge=False),
    Row("j8", "exp_is_negative", _c(exp=-1), "exp"),
    Row("j8", "iat_to_come", _at("iat", 45), "iat is to come", edge=False),
    Row("j8", "nbf_to_come", _at("nbf", 120), "nbf is to come"),
    Row("j8", "nbf_is_text", _c(nbf="now"), "nbf", edge=False),
    Row("t2", "iat_missing", _c(iat=None), "iat", edge=False),
    Row("t2", "sub_missing", _c(sub=None), "sub", edge=False),
    Row("t2", "sub_empty", _c(sub=""), "sub", edge=False),
    Row("t2", "sub_is_a_number", _c(sub=1), "sub", edge=False),
    Row("t2", "sub_with_a_newline", _c(sub="u-1\nu-2"), "sub", edge=False),
    Row("t2", "sub_with_half_a_surrogate_pair", _c(sub="u-\ud800"), "sub", edge=False),
    Row("t2", "sub_is_endless", _c(sub="u" * 256), "sub", edge=False),
    Row("t2", "client_id_missing", _c(client_id=None), "client_id", edge=False),
    Row("t2", "jti_missing", _c(jti=None), "jti", edge=False),
    Row("t5", "scope_is_a_list", _c(scope=["dashboard"]), "scope", edge=False),
)
