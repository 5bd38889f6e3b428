"""Listeners: encrypted, distinct, and for named hosts only."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from edge.assembly import Edge
from edge.problems import Place, Problem
from edge.units import Address

# A name, a name whose first label is *, or an IP literal. "*" alone would answer to any Host (field case E3).
HOST: Final = re.compile(r"(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def serves_nothing(edge: Edge) -> Iterator[Problem]:
    """An edge that listens nowhere."""
    if not edge.spec.listeners and not any(edge.l4()):
        yield Problem(edge.spec.place, "serves_nothing", "nothing listens here", "add 'listeners', 'tcp' or 'udp'")


def plain_listener(edge: Edge) -> Iterator[Problem]:
    """A listener without TLS that would carry credentials in the clear."""
    for name, listener in edge.spec.listeners.items():
        if listener.tls is None and listener.redirect is None:
            message = f"listener {name!r} has neither tls nor redirect"
            yield Problem(listener.place, "plain_listener", message, "add 'tls', or 'redirect' to a listener with tls")


def bad_redirect(edge: Edge) -> Iterator[Problem]:
    """A redirect that does not lead to TLS."""
    safe = [name for name, listener in edge.spec.listeners.items() if listener.tls is not None]
    for name, listener in edge.spec.listeners.items():
        if listener.redirect is not None and (listener.redirect not in safe or listener.tls is not None):
            message = f"listener {name!r} redirects to {listener.redirect!r}"
            remedy = f"redirect a listener without tls to one with it: {', '.join(safe) or 'there is none'}"
            yield Problem(listener.place, "bad_redirect", message, remedy)


def address_taken(edge: Edge) -> Iterator[Problem]:
    """Two listeners on one address; Envoy would share the port between them without a word."""
    first: dict[tuple[str, int], Bound] = {}
    for one in addresses(edge):
        other = first.setdefault((one.protocol, one.address.port), one)
        hosts = {other.address.host, one.address.host}
        if other is not one and (len(hosts) == 1 or hosts & EVERYWHERE):
            message = f"{one.what} listens on {one.address}, where {other.what} ({other.place}) listens too"
            yield Problem(one.place, "address_taken", message, "give it another port")


def idle_proxies(edge: Edge) -> Iterator[Problem]:
    """Proxies that are trusted and not counted: nothing that they say would be believed."""
    for name, listener in edge.spec.listeners.items():
        if listener.trusted_proxies and not listener.trusted_hops:
            message = f"listener {name!r} names trusted_proxies and no trusted_hops"
            yield Problem(listener.place, "idle_proxies", message, "add 'trusted_hops: 1', or leave out the proxies")


def bad_host(edge: Edge) -> Iterator[Problem]:
    """A host that is no host name; a port in it is ignored by matching, so it must not stand there."""
    for name, listener in edge.spec.listeners.items():
        for host in listener.hosts:
            if not HOST.fullmatch(host):
                message = f"listener {name!r} has host {host!r}"
                remedy = "write a name (api.example.com, *.example.com) or an IP literal, without port; '*' is refused"
                yield Problem(listener.place, "bad_host", message, remedy)


def exposed_admin(edge: Edge) -> Iterator[Problem]:
    """Envoy's administration, reachable from elsewhere: whoever reaches it can stop the edge."""
    admin = edge.spec.admin
    if admin.address.host not in LOOPBACK and not admin.exposed:
        message = f"admin listens on {admin.address}"
        remedy = "use 127.0.0.1 (probes and metrics have 'operations'), or say 'exposed: true'"
        yield Problem(admin.place, "exposed_admin", message, remedy)


class Bound(NamedTuple):
    """Something that this edge will bind: what it is, where, and where that is written."""

    what: str
    protocol: str
    address: Address
    place: Place


def addresses(edge: Edge) -> Iterator[Bound]:
    """Yield everything that this edge will bind."""
    for name, listener in edge.spec.listeners.items():
        yield Bound(f"listener {name!r}", "tcp", listener.address, listener.place)
    for protocol, entry in edge.l4():
        yield Bound(f"{protocol} {entry.name!r}", protocol, entry.listen, entry.place)
    yield Bound("admin", "tcp", edge.spec.admin.address, edge.spec.admin.place)
    if edge.spec.operations.address is not None:
        yield Bound("operations", "tcp", edge.spec.operations.address, edge.spec.operations.place)
