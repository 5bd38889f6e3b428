"""Who may call from where: origins of browsers, networks; and what tests may break on purpose."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from edge.spec.base import Network, Spec, Token
from edge.units import Duration

# Scheme, host, and the port where it is not the scheme's own (RFC 6454 §6.1); or * for any.
Origin = Annotated[str, StringConstraints(pattern=r"^(\*|https?://[A-Za-z0-9.-]+(:\d{1,5})?)$")]


class CorsSpec(Spec):
    """Which pages may call from a browser (Fetch standard, CORS). The edge alone says so: upstreams' headers go."""

    origins: Annotated[tuple[Origin, ...], Field(min_length=1)]
    methods: tuple[Token, ...] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    headers: tuple[Token, ...] = ("authorization", "content-type", "x-request-id", "x-deadline-ms")
    # What a page may read, beside what every browser lets it.
    expose: tuple[Token, ...] = ("etag", "retry-after", "ratelimit", "ratelimit-policy", "x-request-id", "x-trace-id")
    # Cookies and client certificates; never with any origin.
    credentials: bool = False
    # Browsers ask again after two hours at the latest anyway.
    max_age: Duration = timedelta(hours=1)

    @model_validator(mode="after")
    def _not_for_anybody(self) -> Self:
        if "*" in self.origins and (self.credentials or len(self.origins) > 1):
            raise ValueError("'*' stands alone, and without 'credentials': name the origins")
        return self


class NetworksSpec(Spec):
    """From where a route may be called, by the client's address as the edge sees it (``trusted_hops``). Deny wins."""

    allow: tuple[Network, ...] = ()
    deny: tuple[Network, ...] = ()

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.allow and not self.deny:
            raise ValueError("give 'allow' or 'deny'")
        return self


class FaultSpec(Spec):
    """Breaks a share of a route's requests on purpose, for tests of those who call it."""

    delay: Duration | None = None
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    percent: Annotated[float, Field(gt=0, le=100)] = 100
    # Only for requests that carry this header, whatever its value; without it for all.
    header: Token | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.delay is None and self.status is None:
            raise ValueError("give 'delay' or 'status'")
        return self


class MaintenanceSpec(Spec):
    """A part that is closed for a while: 503 with Retry-After, as a problem."""

    retry_after: Duration = timedelta(minutes=1)
