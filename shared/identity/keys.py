"""Public keys and signatures. The only module that knows joserfc.

Owns which keys of a published set count: asymmetric, meant for signatures, and for exactly one algorithm each.
"""

from dataclasses import dataclass, field
from typing import Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey, import_key
from joserfc.jws import JWSRegistry

from shared.identity.compact import JsonObject, TokenRefused, read_object

# Asymmetric only. With HS256 in this list, anybody who has our public key could sign (field case A2).
ALGORITHMS: Final = frozenset(
    {"ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"},
)
# A published key may leave its algorithm out; it then stands for the one that everybody uses with its kind.
ALGORITHM_OF_CURVE: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
ALGORITHM_OF_RSA: Final = "RS256"
MIN_RSA_BITS: Final = 2048

_REGISTRY: Final = JWSRegistry(algorithms=ALGORITHMS)


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """One published key, for one algorithm."""

    kid: str
    algorithm: str
    key: Key = field(repr=False)

    def verifies(self, algorithm: object, signed: bytes, signature: bytes) -> bool:
        """Whether this key made ``signature`` over ``signed``, by the one algorithm that it is for."""
        if algorithm != self.algorithm:
            return False
        return _REGISTRY.get_alg(self.algorithm).verify(signed, signature, self.key)


def read_keys(document: bytes) -> dict[str, VerificationKey]:
    """Return the usable keys of a JSON Web Key Set by their id; raises ``ValueError`` when there is none.

    A key that we cannot use is passed over (RFC 7517 §5), so that an issuer may publish new kinds beside the old.
    """
    try:
        entries = read_object(document).get("keys")
    except TokenRefused as error:
        raise ValueError("not a JSON Web Key Set") from error
    if not isinstance(entries, list):
        raise ValueError("not a JSON Web Key Set")  # noqa: TRY004 - it is the document that is wrong, not our caller
    keys: dict[str, VerificationKey] = {}
    for entry in entries:
        key = _read_key(entry) if isinstance(entry, dict) else None
        if key is not None:
            keys.setdefault(key.kid, key)
    if not keys:
        raise ValueError("no usable key")
    return keys


def _read_key(entry: JsonObject) -> VerificationKey | None:
    kid = entry.get("kid")
    if not isinstance(kid, str) or entry.get("kty") not in ("EC", "RSA") or _is_short_rsa(entry):
        return None
    try:
        key = import_key(entry)
        algorithm = _algorithm_of(key)
        if algorithm not in ALGORITHMS:
            return None
        _REGISTRY.get_alg(algorithm).check_key(key)  # its use, kind and curve fit
        key.check_key_op("verify")
    except (JoseError, ValueError, TypeError, KeyError):  # what joserfc raises for one malformed member or another
        return None
    return VerificationKey(kid, algorithm, key)


def _is_short_rsa(entry: JsonObject) -> bool:
    """Judge by the length of the modulus in base64url, before joserfc warns."""
    return entry["kty"] == "RSA" and len(str(entry.get("n", ""))) * 6 < MIN_RSA_BITS


def _algorithm_of(key: Key) -> str:
    if key.alg is not None:
        return key.alg
    if isinstance(key, ECKey):
        return ALGORITHM_OF_CURVE.get(key.curve_name, "")
    return ALGORITHM_OF_RSA if isinstance(key, RSAKey) else ""
