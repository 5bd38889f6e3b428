"""Which route takes a request, and which policies stand on its way: the route table played offline."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from edge.assembly import Edge, OwnedRoute
from edge.envoy.limits import limits_in_order
from edge.envoy.routes import in_order
from edge.paths import path_of
from edge.spec.limits import LimitSpec
from edge.spec.policies import AuthSpec
from edge.spec.routes import RouteSpec, ValueMatchSpec


def explain(edge: Edge, url: str, method: str, headers: dict[str, str]) -> Iterator[str]:
    """Yield the way of one request, a line a step."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    route = next((one for one in in_order(edge) if _takes(one, method, parts.path or "/", query, headers)), None)
    if route is None:
        yield f"{method} {parts.path}: no route takes it (404)"
        return
    yield f"{method} {parts.path}: route {route.name} ({route.spec.place})"
    yield from _way(edge, route)


def routes(edge: Edge) -> list[dict[str, Any]]:
    """Return every route with its owner and what stands on its way: [word, text], as ``explain`` says it."""
    return [
        {
            "name": one.name,
            "owner": one.owner,
            "match": one.spec.match.shown(),
            "methods": list(one.spec.match.methods),
            "way": [line.split(None, 1) for line in _way(edge, one)][1:],
        }
        for one in in_order(edge)
    ]


def _way(edge: Edge, route: OwnedRoute) -> Iterator[str]:
    yield f"  match    {route.spec.match.shown()} {' '.join(route.spec.match.methods)}".rstrip()
    early, late = limits_in_order(edge, route)
    yield from (_limit(name, limit, route.spec.cost) for name, limit in early)
    auth = edge.auth(route)
    yield _auth(str(route.spec.auth), auth) if auth else "  auth     none"
    yield from (_limit(name, limit, route.spec.cost) for name, limit in late)
    yield from _action(edge, route.spec)


def _auth(name: str, auth: AuthSpec) -> str:
    kinds = [f"jwt of {', '.join(auth.issuers)}" if kind == "jwt" else kind for kind in auth.accept]
    where = (
        "in Envoy" if not auth.asks_control else "by control" if not auth.judged_here else "jwt in Envoy, else control"
    )
    scopes = f", scopes {' '.join(auth.scopes)}" if auth.scopes else ""
    return f"  auth     {name} ({auth.mode}; {' or '.join(kinds)}{scopes}; {where})"


def _limit(name: str, limit: LimitSpec, cost: int) -> str:
    what = f"{limit.limit} per {limit.window.total_seconds():g}s and {', '.join(limit.key)} ({limit.counts_as}"
    where = f", distributed, {limit.on_store_failure} without its store" if limit.distributed else ", in each edge"
    costs = f", a request costs {cost}" if limit.distributed and cost > 1 else ""
    return f"  limit    {name}: {what}{where}{costs}{', shadow' * limit.shadow})"


def _action(edge: Edge, spec: RouteSpec) -> Iterator[str]:
    if spec.redirect is not None:
        where = " ".join(one for one in (spec.redirect.host, spec.redirect.path or spec.redirect.prefix) if one)
        yield f"  redirect {spec.redirect.status} to {where}"
    if spec.respond is not None:
        yield f"  respond  {spec.respond.status}"
    if spec.clusters():
        yield f"  timeout  {spec.timeout.total_seconds():g}s" + (
            " of silence" if spec.streaming or spec.websocket else ""
        )
    if spec.priority.rank:
        yield f"  priority at most {spec.priority.cap}"
    if spec.rewrite is not None:
        yield f"  rewrite  {spec.rewrite}"
    for name in spec.clusters():
        share = f" ({spec.split[name]} of {sum(spec.split.values())})" if spec.split else ""
        yield f"  cluster  {name}{share}: {', '.join(map(str, edge.spec.clusters[name].endpoints))}"
    if spec.mirror is not None:
        yield f"  mirror   {spec.mirror.cluster} ({spec.mirror.percent:g} %)"


def _takes(route: OwnedRoute, method: str, path: str, query: dict[str, str], headers: dict[str, str]) -> bool:
    match = route.spec.match
    methods = {*match.methods, *(["HEAD"] if "GET" in match.methods else [])}
    if not path_of(match).takes(path) or (methods and method not in methods):
        return False
    cookies = dict(part.strip().partition("=")[::2] for part in headers.get("cookie", "").split(";"))
    asked = [
        *((one, headers.get(name.lower())) for name, one in match.headers.items()),
        *((one, query.get(name)) for name, one in match.query.items()),
        *((one, cookies.get(name)) for name, one in match.cookies.items()),
    ]
    return all(_holds(wanted, value) for wanted, value in asked)


def _holds(wanted: ValueMatchSpec, value: str | None) -> bool:
    if wanted.present is False or value is None:
        return value is None and wanted.present is False
    if wanted.exact is not None:
        return value == wanted.exact
    if wanted.contains is not None:
        return wanted.contains in value
    return wanted.regex is None or re.fullmatch(wanted.regex, value) is not None
