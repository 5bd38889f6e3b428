"""Internal tokens: what the edge says of a caller whom it has verified, signed, for one BFF, for a minute.

Owns their claims and what a BFF asks of them (identity.md §3.8). Made by ``edge/control``; verified here. ES256: a
shared secret would let every verifier forge. ``x-auth-*`` headers are never looked at beside one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from shared.errors import ProblemError
from shared.identity.claims import text_of
from shared.identity.compact import JsonObject, TokenRefused
from shared.identity.credential import CredentialKind
from shared.identity.jwks import JwksPolicy, KeySource
from shared.identity.principal import Principal
from shared.identity.tokens import TokenPolicy, TokenVerifier
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

HEADER: Final = "x-internal-token"
# The name that the edge's control services sign under, unless a system has several edges.
EDGE_ISSUER: Final = "https://edge.internal"
TYP: Final = "bff-int+jwt"
ALGORITHM: Final = "ES256"
LIFETIME: Final = timedelta(seconds=60)
# Clocks of one house.
LEEWAY: Final = timedelta(seconds=5)
# A subject, a client, a route and fifty scopes.
MAX_LENGTH: Final = 4 * 1024
# A key that a control service begins to sign with was published 70 s before, where others were signing.
INTERNAL_JWKS: Final = JwksPolicy(max_age=timedelta(seconds=60), refresh_ahead=timedelta(seconds=10))


@dataclass(frozen=True, slots=True, kw_only=True)
class InternalClaims:
    """What an internal token says, beside its times and its id."""

    audience: str
    route: str
    principal: Principal

    def written(self, issuer: str, token_id: str, now_s: float) -> JsonObject:
        """Return the claims of a token made now; it never outlives the credential that it stands for."""
        who = self.principal
        expires_at = min(int(now_s + LIFETIME.total_seconds()), int(min(who.expires_at, now_s + 1e6)))
        claims: dict[str, Any] = {
            "iss": issuer, "aud": self.audience, "sub": who.subject, "client_id": who.client_id,
            "scope": " ".join(sorted(who.scopes)), "amethod": who.kind.value, "src_iss": who.issuer,
            "iat": int(now_s), "exp": max(expires_at, int(now_s) + 1), "jti": token_id, "rt": self.route,
        }  # fmt: skip
        optional = {"acr": who.acr, "auth_time": who.auth_time}
        return claims | {name: value for name, value in optional.items() if value}


class InternalVerifier(TokenVerifier):
    """Verifies internal tokens for one BFF. ``routes``: prefixes of the edge's routes to it; none given: any."""

    def __init__(
        self, issuer: str, audience: str, keys: KeySource, *, now: Callable[[], float], routes: Iterable[str] = ()
    ) -> None:
        policy = TokenPolicy(
            issuer=issuer, audience=audience, algorithms=(ALGORITHM,), typ=TYP, leeway=LEEWAY, max_length=MAX_LENGTH,
            remember=LIFETIME,
        )  # fmt: skip
        super().__init__(policy, keys, now=now)
        self._audience = audience
        self._routes = tuple(routes)

    async def verify(self, token: str) -> Principal:
        """Return whom the edge speaks of. Raises 401, which here is never the client's fault: somebody forges."""
        try:
            return await super().verify(token)
        except ProblemError as problem:
            log.warning("internal_token_refused", reason=str(problem.__cause__ or problem.code))
            raise

    def _principal(self, claims: JsonObject, token: str) -> Principal:
        if claims.get("aud") != self._audience:  # exactly: it is for one BFF alone
            raise TokenRefused("aud")
        principal = super()._principal(claims, token)
        if claims["exp"] - claims["iat"] > (LIFETIME + LEEWAY).total_seconds():
            raise TokenRefused("lives too long")
        route = text_of(claims, "rt", 128)
        if self._routes and not any(route.startswith(one) for one in self._routes):
            raise TokenRefused("rt")
        acr, auth_time = claims.get("acr", ""), claims.get("auth_time", 0)
        if not isinstance(acr, str) or not isinstance(auth_time, int):
            raise TokenRefused("acr or auth_time")
        try:
            kind = CredentialKind(str(claims.get("amethod")))
        except ValueError as error:
            raise TokenRefused("amethod") from error
        issuer = claims.get("src_iss", "")
        return replace(principal, kind=kind, issuer=str(issuer), audiences=frozenset({self._audience}), acr=acr,
                       auth_time=auth_time)  # fmt: skip
