"""TCP and UDP: connections and datagrams that the edge balances without reading them."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from edge.spec.base import Count, Name, Names, Network, Spec
from edge.units import Duration, ListenAddress


class SniSpec(Spec):
    """TLS connections for these names go to that cluster, still encrypted."""

    hosts: Annotated[Names, Field(min_length=1)]
    cluster: str


class ProxyProtocolSpec(Spec):
    """The client's address where a connection has been handed on (HAProxy's PROXY protocol, versions 1 and 2).

    ``accept_from``: the networks of our own load balancers; they must send the header, and nobody else may connect, or
    anybody could claim any address. ``send`` tells the endpoints.
    """

    accept_from: tuple[Network, ...] = ()
    send: Literal["v1", "v2"] | None = None


class L4Spec(Spec):
    """One port. What UDP cannot do is refused by ``rules/l4.py``."""

    name: Name
    listen: ListenAddress
    # Where everything goes that no name in ``sni`` takes; without it, such connections are closed.
    cluster: str | None = None
    sni: tuple[SniSpec, ...] = ()
    balance: Literal["source_hash", "round_robin", "least_connections"] = "round_robin"
    mode: Literal["proxy", "nat", "dsr"] = "proxy"
    # At once; one more is closed. 10,000 take some 300 MiB at the buffers of ``envoy/l4.py``.
    max_connections: Count | None = None
    # New ones a second; beyond it they are closed.
    connection_rate: Count | None = None
    # No byte either way. An hour for TCP: a pool keeps idle connections; a minute for UDP, where nobody says goodbye.
    idle_timeout: Duration | None = None
    # However busy: what lives longer never leaves an endpoint that was taken out (field case O4).
    max_lifetime: Duration | None = None
    proxy_protocol: ProxyProtocolSpec | None = None

    def clusters(self) -> tuple[str, ...]:
        """Return the names of the clusters it hands on to."""
        return (*((self.cluster,) if self.cluster else ()), *(one.cluster for one in self.sni))


IDLE_TCP = timedelta(hours=1)
IDLE_UDP = timedelta(minutes=1)
MAX_CONNECTIONS = 10_000
