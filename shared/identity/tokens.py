"""Verifies JWT access tokens (RFC 9068) by the rules of RFC 8725.

Owns what a token must say to count. Its form is ``compact``'s business, keys are ``jwks``'s. Every refusal is the same
``unauthenticated`` problem for the client; the reason goes to the log, and to the ``__cause__`` for tests.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.errors import ProblemCode, ProblemError
from shared.identity.compact import CompactToken, JsonObject, TokenRefused, read_compact
from shared.identity.jwks import KeySource
from shared.identity.keys import ALGORITHMS, VerificationKey
from shared.identity.principal import Principal
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

# Thumbprints and UUIDs have at most 43 characters; a key id is looked up in a dict and used for nothing else.
MAX_KID_LENGTH: Final = 128
# OpenID Connect Core §2 allows a subject 255 characters; what goes into paths and logs should not be longer.
MAX_NAME_LENGTH: Final = 255
# The end of the year 9999: what comes later no calendar can show, and some numbers no float can hold.
MAX_EPOCH_S: Final = 253_402_300_799


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPolicy:
    """Which access tokens count here. ``algorithms`` are pinned: a token never chooses."""

    issuer: str
    audience: str
    algorithms: tuple[str, ...] = ("ES256", "RS256")
    typ: str = "at+jwt"
    # Clocks of two machines; the edge allows the same (identity.md J8).
    leeway: timedelta = timedelta(seconds=30)
    # The longest that fits beside other headers into the edge's header limit.
    max_length: int = 8 * 1024
    # A verified token is not verified again for so long: it outlives a withdrawn key by no more than this.
    remember: timedelta = timedelta(minutes=1)
    # So many at once: 5 MB of our tokens of 700 bytes, 50 MB of the longest.
    max_remembered: int = 4096

    def __post_init__(self) -> None:
        if not self.algorithms or not ALGORITHMS.issuperset(self.algorithms):
            raise ValueError(f"algorithms are {self.algorithms}; possible are {', '.join(sorted(ALGORITHMS))}")


class TokenVerifier:
    """Says who a token speaks for. ``now`` gives seconds since the Unix epoch."""

    def __init__(self, policy: TokenPolicy, keys: KeySource, *, now: Callable[[], float]) -> None:
        self._policy = policy
        self._keys = keys
        self._now = now
        self._remembered: dict[str, tuple[float, Principal]] = {}

    def cached(self, token: str) -> Principal | None:
        """Return the principal of a token verified a moment ago, or None: the hot path, one dict look-up."""
        found = self._remembered.get(token)
        if found is None:
            return None
        if self._now() >= found[0]:
            del self._remembered[token]
            return None
        return found[1]

    async def verify(self, token: str) -> Principal:
        """Return the token's principal; raises 401 for a token that does not count, 503 when no key is to be had."""
        if (known := self.cached(token)) is not None:
            return known
        try:
            read = read_compact(token, self._policy.max_length)
            kid = self._check_header(read.header)
            # Claims first, though not believed yet: a token for somebody else never makes us fetch keys.
            principal = self._principal(read.claims, token)
            await self._check_signature(read, kid)
        except TokenRefused as refused:
            log.info("token_refused", reason=str(refused))
            raise ProblemError(ProblemCode.UNAUTHENTICATED, "The access token is not valid.") from refused
        self._remember(principal)
        return principal

    def _check_header(self, header: JsonObject) -> str:
        """Return the key id. ``jku``, ``jwk``, ``x5u`` and ``x5c`` are never looked at: keys come from the issuer."""
        if header.get("alg") not in self._policy.algorithms:
            raise TokenRefused("alg is not pinned")
        typ = header.get("typ")
        # RFC 9068 §4 allows the full media type too; media types know no case.
        if not isinstance(typ, str) or typ.lower().removeprefix("application/") != self._policy.typ:
            raise TokenRefused("typ")
        return _text(header, "kid", MAX_KID_LENGTH)

    def _principal(self, claims: JsonObject, token: str) -> Principal:
        if claims.get("iss") != self._policy.issuer:
            raise TokenRefused("iss")
        audience = claims.get("aud")
        if self._policy.audience not in (audience if isinstance(audience, list) else [audience]):
            raise TokenRefused("aud")
        expires_at = self._check_times(claims)
        _text(claims, "jti", MAX_NAME_LENGTH)
        return Principal(
            subject=_text(claims, "sub", MAX_NAME_LENGTH),
            client_id=_text(claims, "client_id", MAX_NAME_LENGTH),
            scopes=_scopes(claims, self._policy.max_length),
            expires_at=expires_at,
            token=token,
        )

    def _check_times(self, claims: JsonObject) -> float:
        now, leeway = self._now(), self._policy.leeway.total_seconds()
        expires_at = _seconds(claims, "exp")
        if now >= expires_at + leeway:
            raise TokenRefused("exp has passed")
        if _seconds(claims, "iat") > now + leeway:
            raise TokenRefused("iat is to come")
        if "nbf" in claims and _seconds(claims, "nbf") > now + leeway:
            raise TokenRefused("nbf is to come")
        return expires_at

    async def _check_signature(self, read: CompactToken, kid: str) -> None:
        def fits(key: VerificationKey) -> bool:
            return key.verifies(read.header["alg"], read.signed, read.signature)

        key = await self._keys.find(kid)
        if key is not None and not fits(key):
            # An issuer may have put a new key under an old id (field case A1).
            key = await self._keys.find(kid, other_than=key)
            if key is None or not fits(key):
                raise TokenRefused("signature")
        if key is None:
            raise TokenRefused("kid is unknown")

    def _remember(self, principal: Principal) -> None:
        until = min(
            self._now() + self._policy.remember.total_seconds(),
            principal.expires_at + self._policy.leeway.total_seconds(),
        )
        if len(self._remembered) >= self._policy.max_remembered:
            del self._remembered[next(iter(self._remembered))]  # the oldest, which is the nearest to its end
        self._remembered[principal.token] = (until, principal)


def _text(members: JsonObject, name: str, max_length: int) -> str:
    """Return a member that must be text: not empty, not endless, nothing unprintable (nor half of a surrogate pair)."""
    value = members.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= max_length or not value.isprintable():
        raise TokenRefused(name)
    return value


def _scopes(claims: JsonObject, max_length: int) -> frozenset[str]:
    """No scope is no right, not every right; some issuers say it with an empty text."""
    if claims.get("scope", "") == "":
        return frozenset()
    return frozenset(_text(claims, "scope", max_length).split())


def _seconds(claims: JsonObject, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_EPOCH_S:
        raise TokenRefused(name)
    return value
