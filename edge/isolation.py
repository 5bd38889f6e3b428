"""Serving what is sound when a route is not: the broken route answers 500 with its name, all others serve.

Only when asked for (``--isolate``): a person at a desk wants the error, a fleet at night wants the other routes (the
whole table answering 404 for one bad value is envoyproxy/gateway#5147).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from edge.document import Block, Sequence
from edge.load import Loaded, load
from edge.problems import Problem
from edge.rules import judge

# First a broken route keeps its match and answers 500; when the match itself is the fault it is left out; when even
# that is not enough the fault is not a route's.
ROUNDS: Final = 3
# What of a broken route still counts, so that its requests do not fall to another route.
KEPT: Final = ("name", "match")


@dataclass(frozen=True, slots=True)
class Isolated:
    """What was read, with the broken routes set apart; and what is wrong with them."""

    loaded: Loaded
    problems: tuple[Problem, ...] = ()
    apart: tuple[Problem, ...] = ()


def load_isolated(path: Path, environment: Mapping[str, str]) -> Isolated:
    """Read and judge an edge; faults of single routes end up in ``apart``, all others in ``problems``."""
    broken: dict[tuple[str, int], int] = {}
    apart: list[Problem] = []
    for _ in range(ROUNDS):
        loaded = load(path, environment, mend=lambda file, block: _mend(file, block, broken))
        problems = [*loaded.problems, *(judge(loaded.edge) if loaded.edge is not None else [])]
        found = {problem: loaded.route_at(problem.place) for problem in problems}
        if not problems or None in found.values():
            return Isolated(loaded, tuple(sorted(set(problems))), tuple(apart))
        for problem, route in found.items():
            assert route is not None  # noqa: S101 - just asked
            broken[route] = broken.get(route, 0)
            if problem not in apart:
                apart.append(problem)
        for route in set(found.values()):
            broken[route] += 1  # type: ignore[index] # none of them is None
    return Isolated(replace(loaded, edge=None), tuple(sorted(set(problems))), tuple(apart))


def _mend(file: str, block: Block, broken: Mapping[tuple[str, int], int]) -> None:
    """Put a 500 in place of each broken route of a file, or leave it out."""
    routes = block.get("routes")
    if not isinstance(routes, Sequence):
        return
    for position in range(len(routes) - 1, -1, -1):
        route, times = routes[position], broken.get((file, routes.places[position].line), 0)
        if times > 1 or (times and not isinstance(route, Block)):
            del routes[position], routes.places[position]
        elif times and isinstance(route, Block):
            for key in [key for key in route if key not in KEPT]:
                del route[key]
            route["respond"] = {"status": 500}
            route["__isolated__"] = True
