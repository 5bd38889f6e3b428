"""Matches: readable, distinct, and such that some request can reach them."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from edge.assembly import Edge, OwnedRoute
from edge.paths import path_of
from edge.problems import Problem
from edge.spec.routes import MatchSpec, ValueMatchSpec


def bad_path(edge: Edge) -> Iterator[Problem]:
    """A path template that no request path can look like."""
    for route in edge.routes():
        try:
            path_of(route.spec.match)
        except ValueError as error:
            message = f"route {route.name!r} has path {route.spec.match.path!r}"
            yield Problem(route.spec.match.place, "bad_path", message, str(error))


def identical_matches(edge: Edge) -> Iterator[Problem]:
    """Two routes want the same requests: which one wins would be an accident of order (field case E2)."""
    seen: list[OwnedRoute] = []
    for route in edge.routes():
        for other in seen:
            if _conditions(route.spec.match) == _conditions(other.spec.match) and _hosts_meet(route, other):
                message = f"routes {other.name!r} ({other.spec.place}) and {route.name!r} match the same requests"
                yield Problem(route.spec.place, "identical_matches", message, "add a condition to one, or remove it")
        seen.append(route)


def never_matches(edge: Edge) -> Iterator[Problem]:
    """A route for a host that no listener answers to."""
    served = [host.lower() for listener in edge.serving().values() for host in listener.hosts]
    for route in edge.routes():
        for host in route.spec.match.hosts:
            if not any(fnmatchcase(host.lower(), pattern) for pattern in served):
                message = f"route {route.name!r} is for host {host!r}, which no listener serves"
                remedy = f"add it to a listener's hosts, or use one of: {', '.join(served)}"
                yield Problem(route.spec.match.place, "never_matches", message, remedy)


def duplicate_name(edge: Edge) -> Iterator[Problem]:
    """Two routes of one name: logs and traces could not tell them apart."""
    first: dict[str, OwnedRoute] = {}
    for route in edge.routes():
        if (other := first.setdefault(route.name, route)) is not route:
            message = f"the name {route.name!r} is taken by {other.spec.place}"
            yield Problem(route.spec.place, "duplicate_name", message, "give each route its own name")


def _conditions(match: MatchSpec) -> tuple[object, ...]:
    try:
        path: object = path_of(match)
    except ValueError:  # bad_path's finding
        path = match.path
    headers = {name.lower(): one for name, one in match.headers.items()}
    wanted = (_plain(one) for one in (headers, match.query, match.cookies))
    return (path, set(match.methods), *wanted)


def _plain(conditions: Mapping[str, ValueMatchSpec]) -> dict[str, tuple[object, ...]]:
    return {name: (one.exact, one.contains, one.regex, one.present) for name, one in conditions.items()}


def _hosts_meet(one: OwnedRoute, other: OwnedRoute) -> bool:
    hosts, others = set(one.spec.match.hosts), set(other.spec.match.hosts)
    return hosts == others or bool(hosts & others)
