"""What a route accepts must be judged by somebody, and what is told of a caller must be safe to believe."""

from collections.abc import Iterator

from edge.assembly import Edge
from edge.envoy.control import audiences_of
from edge.problems import Problem


def missing_control(edge: Edge) -> Iterator[Problem]:
    """A policy whose requests the control service judges, and no control service."""
    if edge.spec.control is None:
        for name, auth in edge.spec.policies.auth.items():
            if auth.asks_control:
                what = "signs internal tokens" if auth.accept == ("jwt",) else f"takes {', '.join(auth.accept)}"
                message = f"auth policy {name!r} {what}, and no 'control' is named"
                yield Problem(auth.place, "missing_control", message, "add 'control: {endpoints: […]}' to edge.yaml")


def nothing_to_check(edge: Edge) -> Iterator[Problem]:
    """JWTs are accepted, and nobody's."""
    for name, auth in edge.spec.policies.auth.items():
        if "jwt" in auth.accept and not auth.issuers:
            message = f"auth policy {name!r} accepts jwt, and names no issuer"
            remedy = f"add 'issuers: [{next(iter(edge.spec.policies.issuers), 'main')}]'"
            yield Problem(auth.place, "nothing_to_check", message, remedy)


def idle_issuers(edge: Edge) -> Iterator[Problem]:
    """Issuers of JWTs where none is accepted: who wrote them believes in a check that never happens."""
    for name, auth in edge.spec.policies.auth.items():
        if auth.issuers and "jwt" not in auth.accept:
            message = f"auth policy {name!r} names issuers, and accepts only {', '.join(auth.accept)}"
            yield Problem(auth.place, "idle_issuers", message, "leave out issuers, or accept jwt")


def unfit_claims(edge: Edge) -> Iterator[Problem]:
    """Claims of what has none: an API key has scopes."""
    for name, auth in edge.spec.policies.auth.items():
        if auth.claims and "api_key" in auth.accept:
            message = f"auth policy {name!r} asks for claims, and accepts API keys, which have none"
            yield Problem(auth.place, "unfit_claims", message, "use scopes, or another policy for API keys")


def mixed_audience(edge: Edge) -> Iterator[Problem]:
    """One route to two BFFs: a key or an internal token is for one of them, and which is only known afterwards."""
    for route in edge.routes():
        auth = edge.auth(route)
        audiences = audiences_of(edge, route)
        if auth is not None and auth.asks_control and len(audiences) > 1:
            message = f"route {route.name!r} leads to {' and '.join(audiences)}, and its credentials are for one"
            remedy = f"give its clusters one name: 'audience: {next(iter(audiences))}'"
            yield Problem(route.spec.place, "mixed_audience", message, remedy)


def unprotected_hop(edge: Edge) -> Iterator[Problem]:
    """Plain headers to an upstream that others can reach too: whoever does is whoever he says."""
    for route in edge.routes():
        auth = edge.auth(route)
        if auth is None or auth.mode != "edge":
            continue
        for name in route.spec.clusters():
            cluster = edge.spec.clusters.get(name)
            if cluster is not None and (cluster.tls is None or cluster.tls.certificate is None):
                message = f"route {route.name!r} tells cluster {name!r} in plain headers who calls, without mTLS"
                remedy = "give the cluster 'tls' with 'certificate' and 'key', or use mode: verify or internal"
                yield Problem(route.spec.place, "unprotected_hop", message, remedy)
