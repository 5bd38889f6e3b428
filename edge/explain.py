"""Which route takes a request, and which policies stand on its way: the route table played offline."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from edge.assembly import Edge, OwnedRoute
from edge.envoy.routes import in_order
from edge.paths import parse_path


def explain(edge: Edge, url: str, method: str, headers: dict[str, str]) -> Iterator[str]:
    """Yield the way of one request, a line a step."""
    parts = urlsplit(url)
    route = next((one for one in in_order(edge) if _takes(one, method, parts.path or "/", headers)), None)
    if route is None:
        yield f"{method} {parts.path}: no route takes it (404)"
        return
    yield f"{method} {parts.path}: route {route.name} ({route.spec.place})"
    yield f"  match    {route.spec.match.path} {' '.join(route.spec.match.methods)}".rstrip()
    for name in route.spec.limits:
        full = edge.limit_name(route.owner, name) or name
        limit = edge.limits()[full]
        yield f"  limit    {full}: {limit.limit} per {limit.window.total_seconds():g}s and {limit.key}"
    auth = edge.auth(route)
    yield f"  auth     {route.spec.auth} ({auth.mode}; {', '.join(auth.issuers)})" if auth else "  auth     none"
    yield f"  timeout  {route.spec.timeout.total_seconds():g}s"
    endpoints = edge.spec.clusters[route.spec.cluster].endpoints
    yield f"  cluster  {route.spec.cluster}: {', '.join(map(str, endpoints))}"


def _takes(route: OwnedRoute, method: str, path: str, headers: dict[str, str]) -> bool:
    match = route.spec.match
    methods = {*match.methods, *(["HEAD"] if "GET" in match.methods else [])}
    if not parse_path(match.path).takes(path) or (methods and method not in methods):
        return False
    for name, wanted in match.headers.items():
        value = headers.get(name.lower())
        if value is None or (wanted.exact is not None and value != wanted.exact):
            return False
        if wanted.contains is not None and wanted.contains not in value:
            return False
    return True
