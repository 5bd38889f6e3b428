"""From a file to something worth serving, or to all the reasons why not. What ``check`` and ``run`` have in common."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.assembly import Edge
from edge.envoy.compile import Compiled, compile_edge
from edge.load import load
from edge.problems import Problem
from edge.rules import judge
from edge.rules.listeners import addresses
from edge.units import Address
from edge.validate import envoy_problems


@dataclass(frozen=True, slots=True)
class Prepared:
    """A compiled edge, or problems; and the files that decided it."""

    compiled: Compiled | None
    problems: tuple[Problem, ...]
    files: tuple[Path, ...]


def prepare(path: Path, environment: Mapping[str, str], *, ask_envoy: bool = True) -> Prepared:
    """Read, judge, compile, and let Envoy look at the result."""
    loaded = load(path, environment)
    problems = list(loaded.problems)
    if loaded.edge is not None:
        problems += judge(loaded.edge)
    if loaded.edge is None or problems:
        return Prepared(None, tuple(sorted(set(problems))), loaded.files)
    if ask_envoy and (objections := envoy_problems(loaded.edge)):
        return Prepared(None, tuple(objections), loaded.files)
    return Prepared(compile_edge(loaded.edge), (), loaded.files)


def busy_addresses(edge: Edge, ours: frozenset[Address] = frozenset()) -> list[Problem]:
    """Return the addresses that somebody else holds. Envoy would not notice: it shares ports (SO_REUSEPORT)."""
    return [
        Problem(place, "busy_address", f"{what} cannot listen on {address}: {reason}", "stop the other, or change it")
        for what, address, place in addresses(edge)
        if address not in ours and (reason := _why_not(address))
    ]


def _why_not(address: Address) -> str:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            probe.listen(1)
    except OSError as error:
        return str(error.strerror or error).lower()
    return ""
