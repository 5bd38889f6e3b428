"""L4 entries: what a protocol can do, and ports that lead somewhere."""

from collections.abc import Iterator
from typing import Final

from edge.assembly import Edge
from edge.problems import Problem
from edge.spec.l4 import L4Spec

# Why UDP cannot have it, and what comes nearest.
NOT_UDP: Final = {
    "sni": "datagrams are not read: give each name a port",
    "max_connections": "UDP has no connections: limit at the endpoints",
    "connection_rate": "UDP has no connections: limit at the endpoints",
    "max_lifetime": "UDP has no connections: use 'idle_timeout'",
    "proxy_protocol": "a datagram carries no header of ours",
}


def not_for_udp(edge: Edge) -> Iterator[Problem]:
    """A UDP entry asks for what only a connection can have."""
    for entry in edge.spec.udp:
        for key, remedy in NOT_UDP.items():
            if getattr(entry, key):
                yield Problem(entry.place, "not_for_udp", f"udp {entry.name!r} has {key!r}", remedy)
        if entry.balance == "least_connections":
            message = f"udp {entry.name!r} has balance 'least_connections'"
            yield Problem(entry.place, "not_for_udp", message, "use 'round_robin' or 'source_hash'")


def unchecked_udp(edge: Edge) -> Iterator[Problem]:
    """A UDP entry whose cluster is checked on the very port that speaks UDP: every endpoint would count as dead."""
    for entry in edge.spec.udp:
        cluster = edge.spec.clusters.get(entry.cluster or "")
        if cluster is not None and cluster.health is not None and cluster.health.port is None:
            message = f"udp {entry.name!r}: cluster {entry.cluster!r} is checked over TCP on its UDP port"
            yield Problem(cluster.health.place, "unchecked_udp", message, "give 'health' the 'port' of a check")


def leads_nowhere(edge: Edge) -> Iterator[Problem]:
    """An entry without a cluster."""
    for protocol, entry in edge.l4():
        if not entry.clusters():
            message = f"{protocol} {entry.name!r} has no cluster"
            yield Problem(entry.place, "leads_nowhere", message, "add 'cluster'" + (", or 'sni'" * (protocol == "tcp")))


def taken_name(edge: Edge) -> Iterator[Problem]:
    """Two entries of one protocol and name, or one server name for two clusters."""
    first: dict[tuple[str, str], L4Spec] = {}
    for protocol, entry in edge.l4():
        if (other := first.setdefault((protocol, entry.name), entry)) is not entry:
            message = f"the {protocol} name {entry.name!r} is taken by {other.place}"
            yield Problem(entry.place, "taken_name", message, "give each entry its own name")
        hosts = [host.lower() for one in entry.sni for host in one.hosts]
        for host in sorted({host for host in hosts if hosts.count(host) > 1}):
            message = f"{protocol} {entry.name!r} has server name {host!r} twice"
            yield Problem(entry.place, "taken_name", message, "name it for one cluster")
