"""Which requests go where: matches, routes, clusters; and L4, which has neither."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from edge.spec.base import Count, Name, Names, Spec, Token
from edge.units import Duration, ListenAddress, parse_names


class HeaderMatchSpec(Spec):
    """What a header must hold: a plain word in YAML means ``exact``."""

    exact: str | None = None
    contains: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        return {"exact": value} if isinstance(value, str) else value


class MatchSpec(Spec):
    """Which requests a route takes. All given conditions must hold; the most specific match wins."""

    path: str
    hosts: Names = ()
    methods: Annotated[tuple[Token, ...], BeforeValidator(parse_names)] = ()
    headers: dict[Token, HeaderMatchSpec] = Field(default_factory=dict)
    query: dict[str, str] = Field(default_factory=dict)
    cookies: dict[str, str] = Field(default_factory=dict)


class RouteSpec(Spec):
    """From a match to a cluster, under named policies."""

    name: Name
    match: MatchSpec
    cluster: str
    # Required: a default would be a lie for somebody, and the client's deadline is min(this, what it asked for).
    timeout: Duration
    auth: str | None = None
    limits: Names = ()


class HealthSpec(Spec):
    """The active check. One second: a restarted BFF is back in rotation before a person reloads."""

    path: Annotated[str, StringConstraints(pattern=r"^/")]
    interval: Duration = timedelta(seconds=1)
    timeout: Duration = timedelta(seconds=1)
    # Two misses: one lost packet takes nobody out, and a dead endpoint gets requests for two seconds at most (O4).
    unhealthy_after: Annotated[int, Field(gt=0, le=20)] = 2


class ClusterSpec(Spec):
    """The endpoints of one upstream, and how to choose among them."""

    endpoints: Annotated[tuple[ListenAddress, ...], Field(min_length=1)]
    balance: Literal["least_requests", "round_robin", "random", "source_hash"] = "least_requests"
    health: HealthSpec | None = None
    # Endpoints are in the same data centre: a connection that takes a quarter of a second will not come.
    connect_timeout: Duration = timedelta(milliseconds=250)
    # At 3 s a request that is 340 requests a second; beyond it, shedding (503) beats queueing.
    max_requests: Count = 1024


class L4Spec(Spec):
    """A TCP or UDP listener (architecture §6)."""

    name: Name
    listen: ListenAddress
    cluster: str
    balance: Literal["source_hash", "round_robin", "least_connections"] = "round_robin"
    mode: Literal["proxy", "nat", "dsr"] = "proxy"
