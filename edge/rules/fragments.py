"""Fragments stay inside what they were granted: no client team edits another's routes (ADR 0003)."""

from collections.abc import Iterator

from edge.assembly import Edge, OwnedRoute
from edge.paths import parse_path, path_of
from edge.problems import Problem
from edge.spec.files import ExemptSpec
from edge.spec.routes import MatchSpec


def outside_prefix(edge: Edge) -> Iterator[Problem]:
    """A fragment's route reaches outside its prefix."""
    for route, owner in _owned(edge):
        prefix, match = edge.include(owner).prefix, route.spec.match
        try:
            inside = path_of(match).under(prefix)
            rewritten = route.spec.rewrite is None or parse_path(route.spec.rewrite).under(prefix)
        except ValueError:  # bad_path's finding, or bad_rewrite's
            continue
        if not inside:
            message = f"route {route.name!r} takes {match.shown()!r}, outside its prefix {prefix!r}"
            yield Problem(match.place, "outside_prefix", message, f"begin the path with {prefix}; no 'regex' here")
        elif not rewritten:  # the BFF's own /health and /metrics are nobody's business outside
            message = f"route {route.name!r} is rewritten to {route.spec.rewrite!r}, outside its prefix {prefix!r}"
            yield Problem(route.spec.place, "outside_prefix", message, f"begin the new path with {prefix}")


def outside_cluster(edge: Edge) -> Iterator[Problem]:
    """A fragment's route goes to a cluster that it was not granted."""
    for route, owner in _owned(edge):
        granted = edge.include(owner).cluster or owner
        mirror = (route.spec.mirror.cluster,) if route.spec.mirror else ()
        for cluster in (*route.spec.clusters(), *mirror):
            if cluster != granted:
                message = f"route {route.name!r} goes to cluster {cluster!r}, which is not granted to it"
                yield Problem(route.spec.place, "outside_cluster", message, f"use cluster {granted!r}")


def dropped_policy(edge: Edge) -> Iterator[Problem]:
    """A fragment's route goes without a policy that its include requires."""
    for route, owner in _owned(edge):
        if route.spec.isolated:  # it hands nothing on
            continue
        include = edge.include(owner)
        excused = {policy for exempt in include.exempt if _same(exempt, route) for policy in exempt.policies}
        for policy in include.policies:
            if policy in excused or policy == route.spec.auth or policy in route.spec.limits:
                continue
            kind = "auth" if policy in edge.spec.policies.auth else "limits"
            message = f"route {route.name!r} drops policy {policy!r}, required by {include.place}"
            yield Problem(route.spec.place, "dropped_policy", message, f"name {policy!r} under {kind!r}")
    for owner, fragment in edge.fragments.items():
        for name, limit in fragment.policies.limits.items():
            if name in edge.include(owner).policies:
                message = f"fragment {owner!r} redefines the required limit {name!r}"
                yield Problem(limit.place, "dropped_policy", message, "give the fragment's limit another name")


def overlapping_prefixes(edge: Edge) -> Iterator[Problem]:
    """Two fragments, or a fragment and the platform's own routes, share a part of the path space."""
    included = list(edge.spec.include.items())
    for position, (name, include) in enumerate(included):
        for other, earlier in included[:position]:
            if _nested(include.prefix, earlier.prefix) or _nested(earlier.prefix, include.prefix):
                message = f"prefix {include.prefix!r} of {name!r} overlaps {earlier.prefix!r} of {other!r}"
                yield Problem(include.place, "overlapping_prefixes", message, "grant each fragment a prefix of its own")


def idle_exemption(edge: Edge) -> Iterator[Problem]:
    """An exemption that no route of the fragment uses: a hole kept open for nobody, or a typing error."""
    for owner, fragment in edge.fragments.items():
        for exempt in edge.include(owner).exempt:
            if not any(exempt_matches(exempt.match, route.match) for route in fragment.routes):
                message = f"no route of fragment {owner!r} has the exempt match {exempt.match.shown()!r}"
                yield Problem(exempt.place, "idle_exemption", message, "write the route's match here, word for word")


def exempt_matches(granted: MatchSpec, wanted: MatchSpec) -> bool:
    """Whether a route's match is, to the letter, the one that was exempted; a wider one is not."""
    hidden = {"place"}
    return _plain(granted.model_dump(exclude=hidden)) == _plain(wanted.model_dump(exclude=hidden))


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if key != "place"}
    return value


def _same(exempt: ExemptSpec, route: OwnedRoute) -> bool:
    return exempt_matches(exempt.match, route.spec.match)


def _owned(edge: Edge) -> Iterator[tuple[OwnedRoute, str]]:
    for route in edge.routes():
        if route.owner is not None:
            yield route, route.owner


def _nested(inner: str, outer: str) -> bool:
    return (inner + "/").startswith(outer + "/")
