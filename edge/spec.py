"""What a person may write in ``edge.yaml`` and in a BFF's fragment of it (architecture §6).

Owns names, types and defaults, each with its reason. Whether the parts fit each other is ``rules``' business; what of
it cannot be compiled yet is refused there too (``rules/later.py``), never ignored.
"""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from edge.document import Block
from edge.problems import NOWHERE, Place
from edge.units import Duration, ListenAddress, Size, parse_names

# Dots are ours: they separate a fragment's name from the names in it.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Names = Annotated[tuple[str, ...], BeforeValidator(parse_names)]
Count = Annotated[int, Field(gt=0, le=1_000_000_000)]
Token = Annotated[str, StringConstraints(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]  # RFC 9110 §5.6.2


class Spec(BaseModel):
    """Frozen, knows every allowed key, and remembers the line it was written on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: Place = Field(default=NOWHERE, alias="__place__", repr=False)

    @model_validator(mode="before")
    @classmethod
    def _remember_place(cls, value: Any) -> Any:
        return {**value, "__place__": value.place} if isinstance(value, Block) else value


class TlsSpec(Spec):
    """The listener's certificate. TLS below 1.2 cannot be asked for."""

    certificate: str
    key: str
    min_version: Literal["1.2", "1.3"] = "1.2"


class RequestSpec(Spec):
    """How large and how slow a request may be before the edge refuses it."""

    # A GraphQL operation or an order is kilobytes; what uploads files gets its own route in a later release.
    max_body: Size = 1024**2
    # A bearer token of 8 KiB beside cookies and tracing headers; nearer to uvicorn's own 64 KiB than to Envoy's 60.
    max_headers: Size = 32 * 1024
    # Browsers send 20 to 30.
    max_header_count: Annotated[int, Field(gt=0, le=1000)] = 100
    # For the whole request to arrive: 1 MiB on a bad mobile line, and the end of slow-body attacks.
    timeout: Duration = timedelta(seconds=30)


class ListenerSpec(Spec):
    """An address that clients connect to. Without ``tls`` it can only redirect to one that has it."""

    address: ListenAddress
    tls: TlsSpec | None = None
    protocols: tuple[Literal["http1", "http2", "http3"], ...] = ("http1", "http2")
    # Names by which clients may call us; a request for another name is a 404, whatever its path (field case E3).
    hosts: Annotated[Names, Field(min_length=1)]
    # How many of our own proxies stand in front and append to X-Forwarded-For; 0 = clients connect directly.
    trusted_hops: Annotated[int, Field(ge=0, le=10)] = 0
    redirect: str | None = None
    # How long a browser refuses plain HTTP afterwards; 0s sends no header. A year is what preload lists ask for.
    hsts: Duration = timedelta(days=365)
    request: RequestSpec = RequestSpec()


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
    headers: dict[Token, HeaderMatchSpec] = {}
    query: dict[str, str] = {}
    cookies: dict[str, str] = {}


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


class AuthSpec(Spec):
    """Who may pass. ``verify``: the edge judges the token and forwards it, and the BFF judges it again."""

    accept: Annotated[tuple[Literal["jwt", "opaque", "api_key", "session"], ...], Field(min_length=1)] = ("jwt",)
    mode: Literal["edge", "verify", "internal"] = "verify"
    scopes: Names = ()
    issuers: Annotated[Names, Field(min_length=1)]


class IssuerSpec(Spec):
    """Whose tokens count, for which audience, under which algorithms."""

    issuer: Annotated[str, StringConstraints(min_length=1)]
    audience: Annotated[str, StringConstraints(min_length=1)]
    jwks: Annotated[str, StringConstraints(pattern=r"^https?://[^/?#@]+(/[^?#]*)?$")]
    # Required: pinned here, never chosen by the token (field case A2).
    algorithms: Annotated[tuple[str, ...], Field(min_length=1)]
    # RFC 9068: an ID token is no access token.
    token_type: str = "at+jwt"  # noqa: S105 - a media type, not a credential
    # The bound within which a rotated key is known here: Envoy does not ask again for an unknown key id.
    refresh: Duration = timedelta(seconds=10)
    # Clocks of two machines; the BFF allows the same.
    clock_skew: Duration = timedelta(seconds=30)


class LimitSpec(Spec):
    """How often one client may call. ``instance``: each edge process counts for itself, in memory."""

    algorithm: Literal["token_bucket", "fixed_window", "sliding_window"] = "token_bucket"
    limit: Count
    window: Duration
    segments: Count | None = None
    key: str = "client_address"
    scope: Literal["instance", "distributed"] = "instance"
    on_store_failure: Literal["open", "closed", "local"] | None = None


class PoliciesSpec(Spec):
    """Shared policies, by name."""

    auth: dict[Name, AuthSpec] = {}
    issuers: dict[Name, IssuerSpec] = {}
    limits: dict[Name, LimitSpec] = {}


class ExemptSpec(Spec):
    """One exact match of a fragment that may go without some required policies: granted here, not taken there."""

    match: MatchSpec
    policies: Annotated[Names, Field(min_length=1)]


class IncludeSpec(Spec):
    """What the platform team grants one BFF: a file of its own, a prefix, a cluster; and what it must keep."""

    file: str
    prefix: Annotated[str, StringConstraints(pattern=r"^/[^{}]*[^{}/]$")]
    cluster: str | None = None
    policies: Names = ()
    exempt: tuple[ExemptSpec, ...] = ()


class TelemetrySpec(Spec):
    """Where spans go. Without ``traces`` nothing is exported, and trace ids still travel."""

    traces: Annotated[ListenAddress | None, BeforeValidator(lambda value: value or None)] = None
    # Decides only for requests that bring no decision of their own (field case T2).
    ratio: Annotated[float, Field(ge=0, le=1)] = 1.0
    service: str = "edge"


class AdminSpec(Spec):
    """Envoy's own administration: loopback only, it can stop the process."""

    address: ListenAddress


class OperationsSpec(Spec):
    """A listener for probes and scrapers: /health/live, /health/ready, /metrics, /version. No address: no listener."""

    address: Annotated[ListenAddress | None, BeforeValidator(lambda value: value or None)] = None


class L4Spec(Spec):
    """A TCP or UDP listener (architecture §6)."""

    name: Name
    listen: ListenAddress
    cluster: str
    balance: Literal["source_hash", "round_robin", "least_connections"] = "round_robin"
    mode: Literal["proxy", "nat", "dsr"] = "proxy"


class EdgeSpec(Spec):
    """The whole of ``edge.yaml``."""

    listeners: Annotated[dict[Name, ListenerSpec], Field(min_length=1)]
    routes: tuple[RouteSpec, ...] = ()
    clusters: dict[Name, ClusterSpec] = {}
    policies: PoliciesSpec = PoliciesSpec()
    include: dict[Name, IncludeSpec] = {}
    telemetry: TelemetrySpec = TelemetrySpec()
    admin: AdminSpec
    operations: OperationsSpec = OperationsSpec()
    tcp: tuple[L4Spec, ...] = ()
    udp: tuple[L4Spec, ...] = ()


class FragmentPoliciesSpec(Spec):
    """A BFF may bring limits of its own; issuers and auth stay with the platform team."""

    limits: dict[Name, LimitSpec] = {}


class FragmentSpec(Spec):
    """The whole of a BFF's ``edge.yaml``."""

    routes: tuple[RouteSpec, ...] = ()
    policies: FragmentPoliciesSpec = FragmentPoliciesSpec()
