"""Listeners: encrypted, distinct, and for named hosts only."""

import re
from collections.abc import Iterator
from typing import Final

from edge.assembly import Edge
from edge.problems import Place, Problem
from edge.units import Address

# A name, a name whose first label is *, or an IP literal. "*" alone would answer to any Host (field case E3).
HOST: Final = re.compile(r"(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


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
    first: dict[int, tuple[str, Address, Place]] = {}
    for name, address, place in addresses(edge):
        other = first.get(address.port)
        if other and (other[1].host == address.host or {other[1].host, address.host} & EVERYWHERE):
            message = f"{name} listens on {address}, where {other[0]} ({other[2]}) listens too"
            yield Problem(place, "address_taken", message, "give it another port")
        first.setdefault(address.port, (name, address, place))


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


def addresses(edge: Edge) -> Iterator[tuple[str, Address, Place]]:
    """Yield everything that this edge will bind: what it is, where, and where that is written."""
    for name, listener in edge.spec.listeners.items():
        yield f"listener {name!r}", listener.address, listener.place
    yield "admin", edge.spec.admin.address, edge.spec.admin.place
    if edge.spec.operations.address is not None:
        yield "operations", edge.spec.operations.address, edge.spec.operations.place
