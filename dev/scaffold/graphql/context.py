"""What newcomer's resolvers get."""

from dataclasses import dataclass

from shared.asgi.caller import CurrentUser, Fetch, FetchSections
from shared.identity.principal import Principal


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks newcomer, and the fan-out bound to the request."""

    user: Principal
    fetch: FetchSections


async def caller(user: CurrentUser, fetch: Fetch) -> dict[str, Caller]:
    """Return the context of one operation. Raises ProblemError(UNAUTHENTICATED)."""
    return {"caller": Caller(user, fetch)}
