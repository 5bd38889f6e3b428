"""What the schema knows and this release cannot compile: refused with what to use instead, never ignored."""

from collections.abc import Iterator

from edge.assembly import Edge
from edge.problems import Place, Problem


def later_release(edge: Edge) -> Iterator[Problem]:
    """A part of the schema that arrives in a later release."""
    for place, what, instead in _wishes(edge):
        yield Problem(place, "later_release", f"{what} arrives in a later release", f"use {instead}")


def _wishes(edge: Edge) -> Iterator[tuple[Place, str, str]]:
    yield from _traffic(edge)
    yield from _auth(edge)


def _traffic(edge: Edge) -> Iterator[tuple[Place, str, str]]:
    for name, listener in edge.spec.listeners.items():
        if "http3" in listener.protocols:
            yield listener.place, f"http3 on listener {name!r}", "protocols: [http1, http2]"
    for protocol, entry in edge.l4():
        if entry.mode != "proxy":
            yield entry.place, f"mode {entry.mode} of {protocol} {entry.name!r}", "mode: proxy"


def _auth(edge: Edge) -> Iterator[tuple[Place, str, str]]:
    for name, auth in edge.spec.policies.auth.items():
        if "session" in auth.accept:
            yield auth.place, f"accepting session in auth policy {name!r}", "accept: [jwt, opaque, api_key]"
