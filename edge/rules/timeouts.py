"""Times that contradict each other: the longer one could never come true, or two ends race."""

from collections.abc import Iterator
from datetime import timedelta

from edge.assembly import Edge
from edge.problems import Problem
from edge.spec.l4 import IDLE_TCP


def racing_idle(edge: Edge) -> Iterator[Problem]:
    """The endpoints close an idle connection no later than we do: sooner or later a request meets that close (O2)."""
    for name, cluster in edge.spec.clusters.items():
        if cluster.idle_timeout >= cluster.endpoints_close_idle:
            ours, theirs = (_said(one) for one in (cluster.idle_timeout, cluster.endpoints_close_idle))
            message = f"cluster {name!r} keeps idle connections for {ours}, its endpoints for {theirs}"
            yield Problem(cluster.place, "racing_idle", message, "let idle_timeout be the shorter one")


def slower_than_route(edge: Edge) -> Iterator[Problem]:
    """A route that would give up before its cluster has given up to connect: the other endpoints are never tried."""
    for route in edge.routes():
        for name in route.spec.clusters():
            cluster = edge.spec.clusters.get(name)
            if cluster is not None and cluster.connect_timeout >= route.spec.timeout:
                wait, whole = _said(cluster.connect_timeout), _said(route.spec.timeout)
                message = f"route {route.name!r} has timeout {whole}, cluster {name!r} connects for up to {wait}"
                yield Problem(route.spec.place, "slower_than_route", message, "let connect_timeout be shorter")


def idle_beyond_life(edge: Edge) -> Iterator[Problem]:
    """An idle timeout that a connection does not live to see."""
    for protocol, entry in edge.l4():
        idle = entry.idle_timeout or IDLE_TCP
        if protocol == "tcp" and entry.idle_timeout and entry.max_lifetime and idle >= entry.max_lifetime:
            message = f"tcp {entry.name!r} has idle_timeout {_said(idle)} and max_lifetime {_said(entry.max_lifetime)}"
            yield Problem(entry.place, "idle_beyond_life", message, "let idle_timeout be shorter, or leave it out")


def _said(duration: timedelta) -> str:
    return f"{duration.total_seconds():g}s"
