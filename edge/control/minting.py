"""Internal tokens, made once and given out for a while.

Owns the memory: the same caller, for the same route, gets the same token for twenty seconds, which saves a signature
for each of its requests. A token is never given out with less than half a minute to live, unless its credential has.
"""

import secrets
from typing import Final

from edge.control.policy import RoutePolicy
from edge.control.signing import SigningKeys
from shared.clock import Clock
from shared.identity.credential import lacking
from shared.identity.internal import MAX_LENGTH, InternalClaims
from shared.identity.introspection import unavailable
from shared.identity.principal import Principal

GIVEN_FOR_S: Final = 20.0
MAX_REMEMBERED: Final = 10_000


class Mint:
    """Makes internal tokens under the name ``issuer``."""

    def __init__(self, keys: SigningKeys, issuer: str, clock: Clock) -> None:
        self._keys = keys
        self._issuer = issuer
        self._clock = clock
        self._made: dict[tuple[Principal, str, str], tuple[float, str]] = {}
        self.signed = 0

    def token(self, principal: Principal, policy: RoutePolicy) -> str:
        """Return a token for the route's BFF. Raises 503 while there is no key to sign with."""
        now = self._clock.now_s()
        who = (principal, policy.audience, policy.route)
        found = self._made.get(who)
        if found is not None and now < found[0]:
            return found[1]
        key = self._keys.current
        if key is None:
            raise unavailable()
        claims = InternalClaims(audience=policy.audience, route=policy.route, principal=principal)
        wall = self._clock.wall_s()
        token = key.token(claims.written(self._issuer, secrets.token_urlsafe(12), wall))
        self.signed += 1
        if len(token) > MAX_LENGTH:
            raise lacking(principal.kind, "moderation: it has too many scopes")
        self._made.pop(who, None)
        if len(self._made) >= MAX_REMEMBERED:
            del self._made[next(iter(self._made))]  # the oldest
        self._made[who] = (now + min(GIVEN_FOR_S, max(0.0, principal.expires_at - wall)), token)
        return token
