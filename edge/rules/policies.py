"""Policies whose values cannot hold."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from edge.assembly import Edge
from edge.problems import Problem, suggestion

# Asymmetric and known to both Envoy and shared/identity. With HS256, whoever has the public key could sign (A2).
ALGORITHMS: Final = (
    "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
)  # fmt: skip
# What the edge keeps back of a route's timeout, so that the BFF answers before Envoy gives up (architecture §3).
RESERVE: Final = timedelta(milliseconds=100)


def weak_algorithm(edge: Edge) -> Iterator[Problem]:
    """A signature algorithm that proves nothing: none, or a shared secret that is public."""
    for name, issuer in edge.spec.policies.issuers.items():
        for algorithm in issuer.algorithms:
            if algorithm not in ALGORITHMS:
                message = f"issuer {name!r} allows algorithm {algorithm!r}"
                yield Problem(issuer.place, "weak_algorithm", message, suggestion(algorithm, list(ALGORITHMS)))


def timeout_too_short(edge: Edge) -> Iterator[Problem]:
    """A route's timeout that leaves its upstream no time after the edge's reserve."""
    for route in edge.routes():
        if route.spec.clusters() and route.spec.timeout < 2 * RESERVE:
            message = f"route {route.name!r} has timeout {route.spec.timeout / timedelta(milliseconds=1):g}ms"
            remedy = "use at least 200ms: the edge keeps 100ms of it back"
            yield Problem(route.spec.place, "timeout_too_short", message, remedy)


def check_slower_than_interval(edge: Edge) -> Iterator[Problem]:
    """A health check that may wait longer than it pauses: a dead endpoint would be noticed late."""
    for name, cluster in edge.spec.clusters.items():
        health = cluster.health
        if health is not None and health.timeout > health.interval:
            message = f"cluster {name!r} waits longer for a check than between two"
            yield Problem(health.place, "check_slower_than_interval", message, "let timeout be at most interval")
