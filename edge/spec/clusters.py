"""Clusters: the endpoints of one upstream, how to choose among them, and when one is left out."""

from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from edge.spec.base import ONE_WORD, Count, Name, OptionalPort, Spec, Token
from edge.units import Duration, ListenAddress


class EndpointSpec(Spec):
    """One endpoint; a plain ``host:port`` in YAML means just its address."""

    model_config = ONE_WORD

    address: ListenAddress
    # Its share beside the others: 3 gets three times what 1 gets.
    weight: Annotated[int, Field(gt=0, le=128)] = 1
    # 0 first; 1 takes over as far as those of 0 are not healthy (fail-over), and so on.
    priority: Annotated[int, Field(ge=0, le=9)] = 0

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        return {"address": value} if isinstance(value, str) else value

    def __str__(self) -> str:
        return str(self.address) + (f" (weight {self.weight})" if self.weight > 1 else "")


class HealthSpec(Spec):
    """The active check: a ``path`` that must answer 200, or ``tcp``: that a connection can be made.

    One second: a restarted BFF is back in rotation before a person reloads.
    """

    path: Annotated[str, StringConstraints(pattern=r"^/")] | None = None
    tcp: bool = False
    # Where it is asked, when that is not the port it serves on: UDP has no way to ask.
    port: OptionalPort = None
    interval: Duration = timedelta(seconds=1)
    timeout: Duration = timedelta(seconds=1)
    # Two misses: one lost packet takes nobody out, and a dead endpoint gets requests for two seconds at most (O4).
    unhealthy_after: Annotated[int, Field(gt=0, le=20)] = 2

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.path is None) != self.tcp:
            raise ValueError("give either 'path' or 'tcp: true'")
        return self


class EjectionSpec(Spec):
    """The passive check: an endpoint that failed ``after`` times in a row is left out for a time.

    ``connections`` counts only what never came to an answer; ``answers`` counts 5xx as well, which for a BFF may be
    the fault of a backend behind it.
    """

    after: Annotated[int, Field(gt=0, le=1000)] = 5
    counting: Literal["connections", "answers"] = "connections"
    time: Duration = timedelta(seconds=30)
    # Half of the endpoints at most: what hits all of them is not an endpoint's fault. One alone is never ejected (O4).
    at_most_percent: Annotated[int, Field(gt=0, le=100)] = 50


class HashSpec(Spec):
    """What keeps a client with its endpoint: a header, a cookie (made here when it is missing), or its address."""

    model_config = ONE_WORD

    header: Token | None = None
    cookie: Token | None = None
    address: bool = False

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        return {"address": True} if value == "address" else value

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if [self.header is not None, self.cookie is not None, self.address].count(True) != 1:
            raise ValueError("give one of 'header', 'cookie' or 'address'")
        return self


class UpstreamTlsSpec(Spec):
    """TLS to the endpoints: always verified. ``certificate`` and ``key`` are shown to them (mTLS)."""

    # The system's roots, when not given.
    ca: str | None = None
    # The name in their certificate.
    server_name: Annotated[str, StringConstraints(min_length=1)]
    certificate: str | None = None
    key: str | None = None

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("give both 'certificate' and 'key', or neither")
        return self


class ClusterSpec(Spec):
    """The endpoints of one upstream, and how to choose among them."""

    endpoints: Annotated[tuple[EndpointSpec, ...], Field(min_length=1)]
    # How API keys and internal tokens name it: what a BFF calls itself. Without it, the cluster's own name.
    audience: Name | None = None
    # ``withheld``: it belongs to somebody else, who gets none of our clients' credentials, nor a word about them.
    credentials: Literal["forwarded", "withheld"] = "forwarded"
    # Only where FRONTAGE_MODE is local.
    local: bool = False
    balance: Literal["least_requests", "round_robin", "random", "ring_hash", "maglev"] = "least_requests"
    # By what ``ring_hash`` and ``maglev`` choose.
    hash: HashSpec | None = None
    # http2 for gRPC, and for many requests over few connections.
    protocol: Literal["http1", "http2"] = "http1"
    tls: UpstreamTlsSpec | None = None
    # A new or recovered endpoint gets its share little by little over this time: caches and pools are cold.
    slow_start: Duration | None = None
    health: HealthSpec | None = None
    ejection: EjectionSpec | None = None
    # Endpoints are in the same data centre: a connection that takes a quarter of a second will not come.
    connect_timeout: Duration = timedelta(milliseconds=250)
    # Unused for so long, we close a connection; the endpoints must keep it longer, or a request meets their close (O2).
    idle_timeout: Duration = timedelta(seconds=60)
    # What the endpoints do; 75 s is what our BFFs do (shared/asgi/serve.py).
    endpoints_close_idle: Duration = timedelta(seconds=75)
    # At 3 s a request that is 340 requests a second; beyond it, shedding (503) beats queueing.
    max_requests: Count = 1024
    # To all endpoints together, a connection for each request of HTTP/1.1; fewer than requests makes some of them wait.
    max_connections: Count | None = None
    max_waiting: Count | None = None
