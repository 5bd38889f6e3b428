"""Looks at every port before anything starts, and says who is in the way."""

import errno
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dev.up.plan import PORT_CEILING, ProcessSpec

_LISTEN: Final = "0A"
# Offsets that we suggest: far enough apart that two copies' ports never meet (they span 200 where they are dense).
_SUGGESTED: Final = range(1000, 16000, 1000)


@dataclass(frozen=True, slots=True)
class BusyPort:
    """A port that a service needs and another process holds."""

    service: str
    port: int
    holder: str

    def __str__(self) -> str:
        return f"{self.service} needs port {self.port}: {self.holder}"


def busy_ports(plan: Iterable[ProcessSpec]) -> list[BusyPort]:
    """Return every port of ``plan`` that cannot be taken, with its holder where the system tells."""
    return [
        BusyPort(spec.name, port, holder_of(port))
        for spec in plan
        for host, port in spec.ports
        if not is_free(host, port)
    ]


def is_free(host: str, port: int) -> bool:
    """Say whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a closing connection is no holder
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                return False
            raise
    return True


def free_offset(plan: Iterable[ProcessSpec], offset: int) -> int | None:
    """Find an offset at which every port of ``plan`` (made for ``offset``) would be free."""
    wanted = [(host, port - offset) for spec in plan for host, port in spec.ports]
    for other in _SUGGESTED:
        if all(port + other <= PORT_CEILING and is_free(host, port + other) for host, port in wanted):
            return other
    return None


def holder_of(port: int) -> str:
    """Name the process that listens on ``port``, as far as this user may know."""
    sockets = {f"socket:[{inode}]" for inode in _listening(port)}
    for process in Path("/proc").glob("[0-9]*"):
        if sockets and _holds(process, sockets):
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            return f"held by pid {process.name} ({command[:70]})"
    return "held by a process that this user may not see" if sockets else "not to be had for this user"


def _listening(port: int) -> list[str]:
    inodes: list[str] = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:  # not Linux
            continue
        inodes += [
            fields[9]
            for fields in map(str.split, lines)
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port
        ]
    return inodes


def _holds(process: Path, sockets: set[str]) -> bool:
    try:
        return any(str(descriptor.readlink()) in sockets for descriptor in (process / "fd").iterdir())
    except OSError:  # gone meanwhile, or another user's
        return False
