"""From a file to something worth serving, or to all the reasons why not. What ``check`` and ``run`` have in common."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.assembly import Edge
from edge.certificates import certificate_files, stamps
from edge.envoy.compile import Compiled, compile_edge
from edge.isolation import Isolated, load_isolated
from edge.load import load
from edge.problems import Problem
from edge.rules import judge
from edge.rules.listeners import addresses
from edge.units import Address
from edge.validate import envoy_problems


@dataclass(frozen=True, slots=True)
class Prepared:
    """A compiled edge, or problems; the files that decided it; and what is wrong with routes that were set apart."""

    compiled: Compiled | None
    problems: tuple[Problem, ...]
    files: tuple[Path, ...]
    apart: tuple[Problem, ...] = ()


def prepare(
    path: Path, environment: Mapping[str, str], *, ask_envoy: bool = True, isolate: bool = False
) -> Prepared:  # fmt: skip
    """Read, judge, compile, and let Envoy look at the result. ``isolate`` sets broken routes apart."""
    read = load_isolated(path, environment) if isolate else _load(path, environment)
    edge, files = read.loaded.edge, read.loaded.files
    if edge is None or read.problems:
        return Prepared(None, read.problems, files)
    if ask_envoy and (objections := envoy_problems(edge)):
        return Prepared(None, tuple(objections), files)
    return Prepared(compile_edge(edge, stamps(edge)), (), (*files, *certificate_files(edge)), read.apart)


def _load(path: Path, environment: Mapping[str, str]) -> Isolated:
    loaded = load(path, environment)
    problems = [*loaded.problems, *(judge(loaded.edge) if loaded.edge is not None else [])]
    return Isolated(loaded, tuple(sorted(set(problems))))


def busy_addresses(edge: Edge, ours: frozenset[tuple[str, Address]] = frozenset()) -> list[Problem]:
    """Return the addresses that somebody else holds. Envoy would not notice: it shares ports (SO_REUSEPORT)."""
    return [
        Problem(
            one.place, "busy_address", f"{one.what} cannot listen on {one.address}: {reason}",
            "stop the other, or change it",
        )
        for one in addresses(edge)
        if (one.protocol, one.address) not in ours and (reason := _why_not(one.protocol, one.address))
    ]  # fmt: skip


def _why_not(protocol: str, address: Address) -> str:
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    try:
        family, kind, number, _, where = socket.getaddrinfo(*address, type=kind)[0]
        with socket.socket(family, kind, number) as probe:
            if protocol == "tcp":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            if protocol == "tcp":
                probe.listen(1)
    except OSError as error:
        return str(error.strerror or error).lower()
    return ""
