"""Where the edge listens, to whom, and what it tells about itself."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from edge.spec.base import Count, Names, Network, OptionalAddress, OptionalPort, Spec
from edge.units import Duration, ListenAddress, Size


class CertificateSpec(Spec):
    """A certificate with its chain, and its key: PEM files. Replaced files are taken up by themselves."""

    certificate: str
    key: str


class ClientsSpec(Spec):
    """Whose certificates clients must (or may) show: mTLS."""

    ca: str
    required: bool = True


class TlsSpec(CertificateSpec):
    """The listener's certificates. TLS below 1.2 cannot be asked for."""

    # For other names: the client's SNI decides, by the names in the certificates; the first one is for everybody else.
    more: tuple[CertificateSpec, ...] = ()
    min_version: Literal["1.2", "1.3"] = "1.2"
    clients: ClientsSpec | None = None

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return the file names of every certificate and its key."""
        return ((self.certificate, self.key), *((one.certificate, one.key) for one in self.more))


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


class CompressionSpec(Spec):
    """How answers are made smaller. The order counts where a client likes two equally."""

    codings: tuple[Literal["br", "zstd", "gzip"], ...] = ("br", "zstd", "gzip")
    # Below that a packet is saved nowhere.
    min_size: Size = 1024


class ListenerSpec(Spec):
    """An address that clients connect to. Without ``tls`` it can only redirect to one that has it."""

    address: ListenAddress
    tls: TlsSpec | None = None
    protocols: tuple[Literal["http1", "http2", "http3"], ...] = ("http1", "http2")
    # Names by which clients may call us; a request for another name is a 404, whatever its path (field case E3).
    hosts: Annotated[Names, Field(min_length=1)]
    # How many of our own proxies stand in front and append to X-Forwarded-For; 0 = clients connect directly.
    trusted_hops: Annotated[int, Field(ge=0, le=10)] = 0
    # From where those proxies connect; to anybody else the hops do not apply. None: whoever connects is one of them.
    trusted_proxies: tuple[Network, ...] = ()
    redirect: str | None = None
    # The port that clients see, where a load balancer stands in front; redirects lead there. Ours, when not given.
    public_port: OptionalPort = None
    # How long a browser refuses plain HTTP afterwards; 0s sends no header. A year is what preload lists ask for.
    hsts: Duration = timedelta(days=365)
    request: RequestSpec = RequestSpec()
    compression: CompressionSpec = CompressionSpec()


class ProtectionSpec(Spec):
    """Beyond which the edge sheds load instead of falling over: its heap, and its connections of all listeners."""

    # Near it idle connections are closed sooner, then new requests get a 503, then new connections are refused.
    memory: Size = 1024**3
    # About 1 GiB at the buffers of a listener that are full.
    connections: Count = 20_000


class TelemetrySpec(Spec):
    """Where spans go. Without ``traces`` nothing is exported, and trace ids still travel."""

    traces: OptionalAddress = None
    # Decides only for requests that bring no decision of their own (field case T2).
    ratio: Annotated[float, Field(ge=0, le=1)] = 1.0
    service: str = "edge"


class AdminSpec(Spec):
    """Envoy's own administration. It can stop the process, so anything but loopback must be asked for twice."""

    address: ListenAddress
    # In a container all addresses are the container's own, and what is published decides who gets there.
    exposed: bool = False


class OperationsSpec(Spec):
    """A listener for probes and scrapers: /health/live, /health/ready, /metrics, /version. No address: no listener."""

    address: OptionalAddress = None
