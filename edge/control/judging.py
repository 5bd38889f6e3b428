"""Who a request speaks for: the one judge of every credential that comes to the control service.

Owns the choice of what judges a kind, with the same code as a BFF's ``Authenticator``, and what a route asks beyond
that: scopes, claims, audience. Issuers of JWTs are those that a route's policy names; each has its keys here once.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import httpx

from edge.control.policy import IssuerPolicy, RoutePolicy
from shared.clock import Clock
from shared.identity.compact import read_compact
from shared.identity.credential import Credential, CredentialKind, lacking
from shared.identity.introspection import Introspector, unavailable
from shared.identity.issuers import Issuers
from shared.identity.jwks import JwksCache
from shared.identity.key_book import KeyBook
from shared.identity.opening import open_introspector, open_key_book
from shared.identity.principal import Principal
from shared.identity.settings import CredentialSettings
from shared.identity.tokens import TokenPolicy, TokenVerifier

MAX_TOKEN: Final = 8 * 1024
# Issuers come with the routes' policies; so many different ones are no edge's.
MAX_ISSUERS: Final = 100


class CredentialJudge:
    """Judges credentials by a route's policy."""

    def __init__(
        self, client: httpx.AsyncClient, clock: Clock, introspector: Introspector | None, keys: KeyBook | None
    ) -> None:
        self._client = client
        self._clock = clock
        self._introspector = introspector
        self._keys = keys
        self._verifiers: dict[IssuerPolicy, tuple[TokenVerifier, JwksCache]] = {}
        self._issuers: dict[tuple[IssuerPolicy, ...], Issuers] = {}

    def at_once(self, credential: Credential, policy: RoutePolicy) -> Principal | None:
        """Return the principal where nobody need be asked, else None. Raises ProblemError."""
        if credential.kind is CredentialKind.API_KEY:
            if self._keys is None:
                raise unavailable()
            return self._fit(self._keys.verify(credential.text), policy, {})
        if credential.kind is CredentialKind.JWT:
            known = self._tokens(policy).cached(credential.text)
            return None if known is None else self._fit(known, policy, self._claims(credential, policy))
        if self._introspector is None:
            raise unavailable()
        found = self._introspector.cached(credential.text)
        return None if found is None else self._fit(found[0], policy, found[1])

    async def judge(self, credential: Credential, policy: RoutePolicy) -> Principal:
        """Return the principal; issuers may have to be asked. Raises ProblemError: 401, 403, 503."""
        if credential.kind is CredentialKind.JWT:
            principal = await self._tokens(policy).verify(credential.text)
            return self._fit(principal, policy, self._claims(credential, policy))
        if self._introspector is None:
            raise unavailable()
        principal, answer = await self._introspector.verify(credential.text)
        return self._fit(principal, policy, answer)

    async def close(self) -> None:
        """Fetch no more keys."""
        for _, keys in self._verifiers.values():
            await keys.close()

    def _fit(self, principal: Principal, policy: RoutePolicy, claims: Mapping[str, Any]) -> Principal:
        principal.require(policy.scopes, policy.audience)
        for name, values in policy.claims:
            held = claims.get(name)
            each = held if isinstance(held, list) else [held]
            if not any(_word(one) in values for one in each):
                raise lacking(principal.kind, "a claim")
        return principal

    @staticmethod
    def _claims(credential: Credential, policy: RoutePolicy) -> Mapping[str, Any]:
        """Return a verified token's claims, where the route asks for some."""
        return read_compact(credential.text, MAX_TOKEN).claims if policy.claims else {}

    def _tokens(self, policy: RoutePolicy) -> Issuers:
        issuers = self._issuers.get(policy.issuers)
        if issuers is None:
            if len(self._issuers) >= MAX_ISSUERS:
                raise unavailable()
            verifiers = {one.issuer: self._verifier(one) for one in policy.issuers}
            issuers = self._issuers[policy.issuers] = Issuers(verifiers, MAX_TOKEN)
        return issuers

    def _verifier(self, issuer: IssuerPolicy) -> TokenVerifier:
        found = self._verifiers.get(issuer)
        if found is None:
            rules = TokenPolicy(
                issuer=issuer.issuer, audience=issuer.audience, algorithms=issuer.algorithms, typ=issuer.token_type,
                leeway=timedelta(seconds=issuer.clock_skew_s),
            )  # fmt: skip
            keys = JwksCache(issuer.jwks, self._client, now=self._clock.now_s)
            found = self._verifiers[issuer] = TokenVerifier(rules, keys, now=self._clock.wall_s), keys
        return found[0]


def _word(value: object) -> str:
    """Say a claim as ``edge.yaml`` writes it; what is no word or number is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else ""


@asynccontextmanager
async def open_judge(
    settings: CredentialSettings, client: httpx.AsyncClient, clock: Clock
) -> AsyncIterator[CredentialJudge]:
    """Open the judge; ``client`` asks issuers."""
    async with AsyncExitStack() as stack:
        introspector = open_introspector(stack, settings, client, clock)
        judge = CredentialJudge(client, clock, introspector, open_key_book(stack, settings, clock))
        stack.push_async_callback(judge.close)
        yield judge
