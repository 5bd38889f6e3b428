"""Who calls, and the fan-out bound to that call: the two dependencies that a handler of a screen asks for.

``CurrentUser`` verifies the credential again (life of a request, step 4); ``Fetch`` runs a fan-out under this
request's deadline and budget, for this identity, into this ledger. Both are plain functions of the request.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Annotated, TypeVar

import msgspec
from fastapi import Depends
from fastapi.security import APIKeyHeader, HTTPBearer

from shared.asgi.context import Context, RequestContext
from shared.backends.backend import AnyCall, Backends
from shared.backends.content import Content
from shared.backends.fanout import NOTHING_SENT, Caller, fan_out
from shared.backends.sections import RETRY_HINT, Sections
from shared.clock import Clock
from shared.errors import ProblemCode, ProblemError
from shared.identity.authenticator import Authenticator
from shared.identity.credential import CredentialKind, lacking
from shared.identity.principal import Principal
from shared.resilience.priority import Priority

S = TypeVar("S", bound=Sections)

# Only for the contract: they declare a scheme in OpenAPI, for a router's ``dependencies``, and never answer themselves.
bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="Access token of the identity provider")
api_key = APIKeyHeader(name="X-Api-Key", auto_error=False, description="API key, as ``edge keys create`` made it")


async def current_user(context: Context) -> Principal:
    """Return whom the request's credential speaks for. Raises ProblemError: 400, 401, 403 or 503."""
    authenticator: Authenticator = context.state.authenticator
    user = context.user = authenticator.cached(context.fields) or await _judged(context, authenticator)
    return user


async def _judged(context: RequestContext, authenticator: Authenticator) -> Principal:
    """Judge within this request's deadline: an issuer that is slow to give its keys does not extend it."""
    clock: Clock = context.state.clock
    try:
        async with asyncio.timeout(context.deadline.remaining_s(clock.now_s())):
            return await authenticator.judge(context.fields)
    except TimeoutError:
        raise ProblemError(
            ProblemCode.DEADLINE_EXCEEDED, "The credential could not be verified in time.", retry_after=RETRY_HINT
        ) from None


CurrentUser = Annotated[Principal, Depends(current_user)]


def user_with(*scopes: str) -> Callable[[Principal], Awaitable[Principal]]:
    """Return a dependency for a route that asks for more than the BFF does: ``forbidden`` (403) without the scopes.

    ``user: Annotated[Principal, Depends(user_with("orders:read"))]``
    """
    wanted = frozenset(scopes)

    async def user_who_may(user: CurrentUser) -> Principal:
        if not wanted <= user.scopes:
            raise lacking(user.kind, "a scope")
        return user

    return user_who_may


class FetchSections(msgspec.Struct, frozen=True, eq=False):
    """``await fetch(HomeSections, user_id=...)``: the declared sections, as one typed value."""

    _backends: Backends
    _context: RequestContext
    _caller: Caller

    async def __call__(
        self, sections: type[S], *, only: Collection[str] | None = None, contents: Mapping[str, Content] = NOTHING_SENT,
        **parameters: str,
    ) -> S:  # fmt: skip
        """Run the fan-out; see ``fan_out`` for what it returns and raises."""
        return await fan_out(
            sections,
            backends=self._backends,
            deadline=self._context.deadline,
            caller=self._caller,
            ledger=self._context.ledger,
            parameters=parameters,
            only=only,
            budget=self._context.budget,
            contents=contents,
        )

    def forget(self, call: AnyCall, **parameters: str) -> None:
        """Let a remembered answer of this caller's count no more: he has just changed what it says."""
        key = self._backends.key_of(call, call.target(parameters), self._caller.scope, self._caller.authorization)
        self._backends.forget(key)


async def fetch_for(context: Context, user: CurrentUser) -> FetchSections:
    """Bind a fan-out to this request. Async, though it waits for nothing: FastAPI gives plain functions a thread."""
    backends: Backends = context.state.backends
    if context.budget is None:
        context.budget = backends.new_budget()
    return FetchSections(backends, context, _caller_of(user, context.priority))


def _caller_of(user: Principal, priority: Priority) -> Caller:
    is_key = user.kind is CredentialKind.API_KEY
    # Client and subject: two apps of one user may see different things. A partner is no user of that name.
    scope = f"{'key' * is_key}{user.client_id}\n{user.subject}"
    # An API key is for us alone; who trusts the edge's plain word has no credential.
    return Caller(scope, f"Bearer {user.token}" if user.token and not is_key else None, priority)


Fetch = Annotated[FetchSections, Depends(fetch_for)]
