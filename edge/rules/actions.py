"""Actions of routes: what they change, and whether it can be done."""

from collections.abc import Iterator
from typing import Final

from edge.assembly import Edge
from edge.paths import PathTemplate, parse_path, path_of
from edge.problems import Problem, suggestion

# What is the edge's own to say, or belongs to one connection: a route that set it would undo what others rely on.
RESERVED: Final = frozenset({
    "host", "content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive", "upgrade", "te",
    "trailer", "proxy-authorization", "proxy-authenticate", "authorization", "cookie", "set-cookie", "traceparent",
    "tracestate", "x-request-id", "x-trace-id", "x-deadline-ms", "forwarded", "x-real-ip", "retry-after",
})  # fmt: skip
RESERVED_PREFIXES: Final = ("x-forwarded-", "x-envoy-", "x-frontage-", "x-auth-", "x-user-", "ratelimit")


def bad_rewrite(edge: Edge) -> Iterator[Problem]:
    """A rewrite that cannot be made from what its match takes."""
    for route in edge.routes():
        if route.spec.rewrite is None:
            continue
        try:
            taken, made = path_of(route.spec.match), parse_path(route.spec.rewrite)
        except ValueError as error:
            yield Problem(
                route.spec.place,
                "bad_rewrite",
                f"route {route.name!r} is rewritten to {route.spec.rewrite!r}",
                str(error),
            )
            continue
        if not isinstance(taken, PathTemplate):
            message = f"route {route.name!r} rewrites what a 'regex' takes"
            yield Problem(route.spec.place, "bad_rewrite", message, "match with a template: its names say what is kept")
        elif unknown := [name for name in made.names if name not in taken.names]:
            message = f"route {route.name!r} is rewritten with {{{unknown[0]}}}, which its match does not have"
            yield Problem(route.spec.place, "bad_rewrite", message, suggestion(unknown[0], list(taken.names)))
        elif made.rest and not taken.rest:
            message = f"route {route.name!r} is rewritten to {route.spec.rewrite!r}, but takes no rest"
            yield Problem(route.spec.place, "bad_rewrite", message, "end the match in {**rest} as well")


def reserved_header(edge: Edge) -> Iterator[Problem]:
    """A route changes a header that is not its own to change."""
    for route in edge.routes():
        for way in (route.spec.headers.request, route.spec.headers.response):
            for name in (*way.set, *way.add, *way.remove):
                if name.lower() in RESERVED or name.lower().startswith(RESERVED_PREFIXES):
                    message = f"route {route.name!r} changes the header {name!r}"
                    yield Problem(way.place, "reserved_header", message, "leave it to the edge, or use another name")


def without_upstream(edge: Edge) -> Iterator[Problem]:
    """A route that answers by itself, with something that only an upstream could do."""
    for route in edge.routes():
        if route.spec.clusters():
            continue
        for key in ("rewrite", "mirror", "retry", "streaming", "websocket"):
            if getattr(route.spec, key):
                message = f"route {route.name!r} has {key!r}, and no upstream"
                yield Problem(route.spec.place, "without_upstream", message, f"remove {key!r}, or name a cluster")


def retried_twice(edge: Edge) -> Iterator[Problem]:
    """A BFF's route that the edge would try again: the BFF retries its backends already, and tries would multiply."""
    for route in edge.routes():
        if route.spec.retry is not None and route.owner is not None:
            message = f"route {route.name!r} retries at the edge what the BFF retries behind it"
            yield Problem(route.spec.retry.place, "retried_twice", message, "remove 'retry'")


def lost_prefix(edge: Edge) -> Iterator[Problem]:
    """A redirect of a prefix, from a path that has none."""
    for route in edge.routes():
        redirect = route.spec.redirect
        if redirect is None or redirect.prefix is None:
            continue
        try:
            path = path_of(route.spec.match)
        except ValueError:  # bad_path's finding
            continue
        if not isinstance(path, PathTemplate) or not path.rest or None in path.segments:
            message = f"route {route.name!r} redirects a prefix, but takes {route.spec.match.shown()!r}"
            yield Problem(redirect.place, "lost_prefix", message, "end the match in /{**rest}, or give 'path'")


def hash_without_key(edge: Edge) -> Iterator[Problem]:
    """A cluster that chooses by a hash of nothing, or has a key and chooses otherwise."""
    for name, cluster in edge.spec.clusters.items():
        hashed = cluster.balance in ("ring_hash", "maglev")
        if hashed != (cluster.hash is not None):
            message = f"cluster {name!r} has balance {cluster.balance!r} and {'no' if hashed else 'a'} 'hash'"
            remedy = (
                "say by what: hash: {cookie: …}, {header: …} or address" if hashed else "use 'ring_hash' or 'maglev'"
            )
            yield Problem(cluster.place, "hash_without_key", message, remedy)
        elif cluster.slow_start is not None and cluster.balance not in ("round_robin", "least_requests"):
            message = f"cluster {name!r} has slow_start and balance {cluster.balance!r}"
            yield Problem(cluster.place, "hash_without_key", message, "use 'round_robin' or 'least_requests'")
