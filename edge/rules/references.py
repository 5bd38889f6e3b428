"""Names that must exist."""

from collections.abc import Collection, Iterator

from edge.assembly import Edge, OwnedRoute
from edge.problems import Place, Problem, suggestion


def unknown_cluster(edge: Edge) -> Iterator[Problem]:
    """A route, an entry or an include names a cluster that is not there."""
    known = list(edge.spec.clusters)
    for what, cluster, place in _clusters_named(edge):
        if cluster not in known:
            message = f"{what} cluster {cluster!r}, which does not exist"
            yield Problem(place, "unknown_cluster", message, suggestion(cluster, known))


def _clusters_named(edge: Edge) -> Iterator[tuple[str, str, Place]]:
    for route in edge.routes():
        mirror = (route.spec.mirror.cluster,) if route.spec.mirror else ()
        for cluster in (*route.spec.clusters(), *mirror):
            yield f"route {route.name!r} names", cluster, route.spec.place
    for protocol, entry in edge.l4():
        for cluster in entry.clusters():
            yield f"{protocol} {entry.name!r} names", cluster, entry.place
    for name, include in edge.spec.include.items():
        yield f"include {name!r} grants", include.cluster or name, include.place


def unknown_policy(edge: Edge) -> Iterator[Problem]:
    """A route or an include names a policy that is not there."""
    for route in edge.routes():
        for kind, wanted, known in _policies_named(edge, route):
            if wanted not in known:
                message = f"route {route.name!r} names {kind} {wanted!r}, which does not exist"
                yield Problem(route.spec.place, "unknown_policy", message, suggestion(wanted, list(known)))
    shared = [*edge.spec.policies.limits, *edge.spec.policies.auth]
    for name, include in edge.spec.include.items():
        for policy in (*include.policies, *(one for exempt in include.exempt for one in exempt.policies)):
            if policy not in shared:
                message = f"include {name!r} names policy {policy!r}, which is no shared policy"
                yield Problem(include.place, "unknown_policy", message, suggestion(policy, shared))


def _policies_named(edge: Edge, route: OwnedRoute) -> Iterator[tuple[str, str, Collection[str]]]:
    if route.spec.auth is not None:
        yield "auth policy", route.spec.auth, edge.spec.policies.auth
    if route.spec.cors is not None:
        yield "cors policy", route.spec.cors, edge.spec.policies.cors
    known = edge.limits()
    own = {name.removeprefix(f"{route.owner}.") for name in known} if route.owner else known
    yield from (("limit", limit, {*own, *known}) for limit in route.spec.limits)


def unknown_issuer(edge: Edge) -> Iterator[Problem]:
    """An auth policy names an issuer that is not there."""
    known = list(edge.spec.policies.issuers)
    for name, auth in edge.spec.policies.auth.items():
        for issuer in auth.issuers:
            if issuer not in known:
                message = f"auth policy {name!r} names issuer {issuer!r}, which does not exist"
                yield Problem(auth.place, "unknown_issuer", message, suggestion(issuer, known))
