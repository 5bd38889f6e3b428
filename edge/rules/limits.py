"""Limits that could not hold what they say."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from edge.assembly import Edge
from edge.problems import Problem
from edge.spec.limits import IDENTITY_PARTS, LimitSpec

# The store keeps a log's every unit, about ten bytes each.
LONGEST_LOG: Final = 10_000
# The store counts in doubles: limit x window (ms) beyond this would not be whole any more.
EXACT: Final = 2**53
SECOND: Final = timedelta(seconds=1)


def missing_limiter(edge: Edge) -> Iterator[Problem]:
    """A limit that counts for all edges, and nobody to count."""
    if edge.spec.limiter is None:
        for name, limit in edge.limits().items():
            if limit.distributed:
                message = f"limit {name!r} is distributed, and no 'limiter' is named"
                yield Problem(limit.place, "missing_limiter", message, "add 'limiter: {endpoints: […]}' to edge.yaml")


def undecided_failure(edge: Edge) -> Iterator[Problem]:
    """A distributed limit must say what happens when nobody can count; an instance limit has no such moment."""
    for name, limit in edge.limits().items():
        if limit.distributed and limit.on_store_failure is None:
            message = f"limit {name!r} does not say what happens when its store is away"
            yield Problem(limit.place, "undecided_failure", message, "add 'on_store_failure: open', closed or local")
        if not limit.distributed and limit.on_store_failure is not None:
            message = f"limit {name!r} counts in the edge itself, which has no store to lose"
            yield Problem(limit.place, "undecided_failure", message, "leave out on_store_failure")


def unfit_algorithm(edge: Edge) -> Iterator[Problem]:
    """An algorithm that the scope does not have, or segments of something that has none."""
    for name, limit in edge.limits().items():
        if not limit.distributed and limit.counts_as != "token_bucket":
            message = f"limit {name!r} is a {limit.counts_as} in the edge itself"
            yield Problem(limit.place, "unfit_algorithm", message, "use token_bucket, or 'scope: distributed'")
        elif limit.segments is not None and limit.counts_as != "sliding_window":
            message = f"limit {name!r} is a {limit.counts_as}, which has no segments"
            yield Problem(limit.place, "unfit_algorithm", message, "leave out segments, or use sliding_window")


def unfit_window(edge: Edge) -> Iterator[Problem]:
    """A window that cannot be told in whole seconds, or numbers that the store could not keep exactly."""
    for name, limit in edge.limits().items():
        if limit.distributed and (remedy := _window_remedy(limit)):
            message = f"limit {name!r} is {limit.limit} per {limit.window / SECOND:g}s, as {limit.counts_as}"
            yield Problem(limit.place, "unfit_window", message, remedy)


def _window_remedy(limit: LimitSpec) -> str:
    if limit.window < SECOND or limit.window % SECOND:
        return "use a window of whole seconds: Retry-After has no others"
    if limit.counts_as == "sliding_log" and limit.limit > LONGEST_LOG:
        return f"use sliding_window: a log keeps every unit, and at most {LONGEST_LOG}"
    if limit.limit * (limit.window / timedelta(milliseconds=1)) > EXACT:
        return "use a shorter window or a smaller limit: together they are too large to be counted exactly"
    return ""


def anonymous_key(edge: Edge) -> Iterator[Problem]:
    """A limit for each subject on a route that asks nobody who he is: all callers would share one counter."""
    for route in edge.routes():
        for name, limit in edge.route_limits(route).items():
            if route.spec.auth is None and all(part in IDENTITY_PARTS for part in limit.key):
                message = f"route {route.name!r} has no auth, and limit {name!r} counts by {', '.join(limit.key)}"
                yield Problem(route.spec.place, "anonymous_key", message, "add auth, or count by client_address too")


def cost_above_limit(edge: Edge) -> Iterator[Problem]:
    """A route whose one request is more than a limit ever admits: it could never be called."""
    for route in edge.routes():
        for name, limit in edge.route_limits(route).items():
            if limit.distributed and route.spec.cost > limit.limit:
                message = f"a request of route {route.name!r} costs {route.spec.cost}, limit {name!r} is {limit.limit}"
                yield Problem(route.spec.place, "cost_above_limit", message, "lower the cost or raise the limit")


def idle_cost(edge: Edge) -> Iterator[Problem]:
    """A cost that nobody charges: only distributed limits know of one."""
    for route in edge.routes():
        if route.spec.cost > 1 and not any(one.distributed for one in edge.route_limits(route).values()):
            message = f"route {route.name!r} costs {route.spec.cost}, and no distributed limit of it charges that"
            yield Problem(route.spec.place, "idle_cost", message, "leave out cost, or name a distributed limit")
