"""Verifies JWT access tokens (RFC 9068) by the rules of RFC 8725.

Owns what a token must say to count. Its form is ``compact``'s business, keys are ``jwks``'s. Every refusal is the same
``unauthenticated`` problem for the client; the reason goes to the log, and to the ``__cause__`` for tests.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.identity.claims import check_audience, check_times, name_of, scopes_of, text_of
from shared.identity.compact import CompactToken, JsonObject, TokenRefused, read_compact
from shared.identity.credential import CredentialKind, bad_credential
from shared.identity.jwks import KeySource
from shared.identity.keys import ALGORITHMS, VerificationKey
from shared.identity.principal import Principal
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

# Thumbprints and UUIDs have at most 43 characters; a key id is looked up in a dict and used for nothing else.
MAX_KID_LENGTH: Final = 128


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
            raise bad_credential(CredentialKind.JWT) from refused
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
        return text_of(header, "kid", MAX_KID_LENGTH)

    def _principal(self, claims: JsonObject, token: str) -> Principal:
        if claims.get("iss") != self._policy.issuer:
            raise TokenRefused("iss")
        check_audience(claims, self._policy.audience)
        leeway = self._policy.leeway.total_seconds()
        expires_at = check_times(claims, self._now(), leeway, required=("exp", "iat"))
        name_of(claims, "jti")
        return Principal(
            subject=name_of(claims, "sub"),
            client_id=name_of(claims, "client_id"),
            scopes=scopes_of(claims),
            expires_at=expires_at,
            token=token,
            issuer=self._policy.issuer,
        )

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
