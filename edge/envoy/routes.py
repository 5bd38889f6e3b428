"""Route tables. Step 2 of a request: by host and path; the rest is ``matching.py`` and ``actions.py``.

Owns the order: the most specific route first, whatever the order in the files (field case E2).
"""

from collections.abc import Iterator
from typing import Final

from edge.assembly import Edge, OwnedRoute
from edge.envoy import filters
from edge.envoy.actions import compile_action
from edge.envoy.answers import OWN_MARK
from edge.envoy.control import Way, ways
from edge.envoy.matching import compile_match, methods_of
from edge.envoy.telemetry import TEMPLATE
from edge.envoy.words import Json, set_header
from edge.paths import path_of
from edge.spec.listeners import ListenerSpec

HTTPS_PORT: Final = 443


def compile_routes(edge: Edge, name: str, listener: ListenerSpec) -> Json:
    """Return a listener's route table. A host that nobody named has no virtual host: 404, never the first one (E3)."""
    if listener.redirect is not None:
        return _redirects(name, listener, edge.spec.listeners[listener.redirect])
    groups: dict[tuple[str, ...], list[str]] = {}
    routes = in_order(edge)
    served = {host for route in routes for host in route.spec.match.hosts}
    for host in dict.fromkeys([*listener.hosts, *(one for one in sorted(served) if _covered(one, listener))]):
        takes = tuple(route.name for route in routes if not route.spec.match.hosts or host in route.spec.match.hosts)
        groups.setdefault(takes, []).append(host)
    by_name = {route.name: route for route in routes}
    hosts = [
        {"name": f"{name}-{number}", "domains": domains, "routes": list(_table(edge, [by_name[one] for one in takes]))}
        for number, (takes, domains) in enumerate(groups.items())
    ]
    return {
        "name": name, "virtual_hosts": hosts, "response_headers_to_remove": [OWN_MARK],
        # The one address that all limits and networks are judged by, and not what the caller had put before it.
        "request_headers_to_add": [set_header("x-forwarded-for", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%")],
    }  # fmt: skip


def in_order(edge: Edge) -> list[OwnedRoute]:
    """Return every route, the most specific first."""
    return sorted(edge.routes(), key=_rank)


def _rank(route: OwnedRoute) -> tuple[object, ...]:
    match = route.spec.match
    conditions = len(match.headers) + len(match.query) + len(match.cookies) + bool(match.methods) + bool(match.hosts)
    return (path_of(match).rank(), match.shown(), -conditions, route.name)


def _covered(host: str, listener: ListenerSpec) -> bool:
    """Whether a route's own host lies under a wildcard of the listener."""
    suffixes = [one[1:] for one in listener.hosts if one.startswith("*.")]
    return host in listener.hosts or any(host.endswith(suffix) for suffix in suffixes)


def _table(edge: Edge, routes: list[OwnedRoute]) -> Iterator[Json]:
    """Yield the routes in order; after the last one of a path that knows only some methods, its 405."""
    for position, route in enumerate(routes):
        yield from (_route(edge, route, way) for way in ways(edge, route))
        path = path_of(route.spec.match)
        same = [other for other in routes if path_of(other.spec.match) == path]
        is_last = all(path_of(other.spec.match) != path for other in routes[position + 1 :])
        if is_last and all(other.spec.match.methods for other in same):
            yield _wrong_method(route, sorted({method for one in same for method in methods_of(one.spec.match)}))


def _route(edge: Edge, route: OwnedRoute, way: Way) -> Json:
    per_filter, metadata = filters.per_route(edge, route, way)
    metadata[TEMPLATE] = {"template": route.spec.match.shown()}
    return {
        "name": route.name,
        "match": compile_match(route.spec.match, way.headers),
        **compile_action(edge, route),
        "metadata": {"filter_metadata": metadata},
        "typed_per_filter_config": per_filter,
    }


def _wrong_method(route: OwnedRoute, allowed: list[str]) -> Json:
    return {
        "name": f"{route.name}.method",
        "match": path_of(route.spec.match).envoy_match(),
        "direct_response": {"status": 405},
        "response_headers_to_add": [set_header("allow", ", ".join(allowed))],
        "metadata": {"filter_metadata": {TEMPLATE: {"template": route.spec.match.shown()}}},
    }


def _redirects(name: str, listener: ListenerSpec, to: ListenerSpec) -> Json:
    # 308 keeps method and body; the port only where it is not the usual one
    redirect: Json = {"https_redirect": True, "response_code": "PERMANENT_REDIRECT"}
    if (port := to.public_port or to.address.port) != HTTPS_PORT:
        redirect["port_redirect"] = port
    route = {"name": f"{name}.redirect", "match": {"prefix": "/"}, "redirect": redirect}
    return {"name": name, "virtual_hosts": [{"name": name, "domains": list(listener.hosts), "routes": [route]}]}
