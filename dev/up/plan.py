"""From described services to processes on this machine: which command, with which environment, at which address.

Pure: the same services, offset and folders give the same plan. Owns the one rule of addresses: wherever a value
names ``service:port``, it means the address at which that service is published here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dev.up.compose import ComposeError, Port, Service
from dev.up.state import RunFolder

LOOPBACK: Final = "127.0.0.1"
ANY: Final = "0.0.0.0"
# The highest port there is: an offset must leave every port below it.
PORT_CEILING: Final = 65535
_OWN: Final = (ANY, LOOPBACK, "localhost")
_ADDRESS: Final = re.compile(r"(?<![\w.-])(?P<name>[A-Za-z][\w-]*|0\.0\.0\.0|127\.0\.0\.1):(?P<port>\d{2,5})(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """One process to start: everything about it that is known beforehand."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ports: tuple[tuple[str, int], ...]
    needs: Mapping[str, str]
    ready: str | None
    address: str | None
    stop_grace_s: float
    faults: bool
    log: Path


def make_plan(services: Iterable[Service], *, offset: int, run: RunFolder, python: str) -> tuple[ProcessSpec, ...]:
    """Turn ``services`` into processes, those first that others wait for; dormant ones are only known by address."""
    known = {service.name: service for service in services}
    awake = (name for name in _in_order(known) if not known[name].dormant)
    return tuple(_process(known[name], known, offset, run, python) for name in awake)


def stop_waves(plan: Iterable[ProcessSpec]) -> tuple[tuple[str, ...], ...]:
    """Say who may stop together: first those on whom nobody depends, the edge among them."""
    left = {spec.name: set(spec.needs) for spec in plan}
    waves = []
    while left:
        needed = set().union(*left.values())
        wave = tuple(name for name in left if name not in needed)
        waves.append(wave)
        for name in wave:
            del left[name]
    return tuple(waves)


def _in_order(known: Mapping[str, Service]) -> list[str]:
    order: list[str] = []
    while len(order) < len(known):
        order += [name for name, service in known.items() if name not in order and set(service.needs) <= set(order)]
    return order


def _process(service: Service, known: Mapping[str, Service], offset: int, run: RunFolder, python: str) -> ProcessSpec:
    def here(text: str) -> str:
        return _with_folders(_with_addresses(text, service, known, offset), run)

    command = tuple(here(part) for part in service.command)
    ports = tuple((port.host, _shift(service.name, port.published, offset)) for port in service.ports)
    address = here(service.address) if service.address else None
    if address is None and ports:
        address = f"http://{LOOPBACK}:{ports[0][1]}"
    return ProcessSpec(
        name=service.name,
        command=(python, *command[1:]) if command[0] in {"python", "python3"} else command,
        environment={key: here(value) for key, value in service.environment.items()},
        ports=ports,
        needs=service.needs,
        ready=here(service.ready) if service.ready else None,
        address=address,
        stop_grace_s=service.stop_grace_s,
        faults=service.faults,
        log=run.log_of(service.name),
    )


def _with_folders(text: str, run: RunFolder) -> str:
    return text.replace("{state}", str(run.state)).replace("{run}", str(run.folder))


def _with_addresses(text: str, own: Service, known: Mapping[str, Service], offset: int) -> str:
    def here(found: re.Match[str]) -> str:
        name, target = found["name"], int(found["port"])
        if name in known:
            port = _port_of(known[name], target)
            if port is None:
                published = ", ".join(str(port.target) for port in known[name].ports) or "nothing"
                raise ComposeError(f"{own.name} names {name}:{target}, but {name} publishes {published}")
            return f"{LOOPBACK}:{_shift(name, port.published, offset)}"
        port = _port_of(own, target) if name in _OWN else None
        if port is None:
            return found[0]
        # A service listens as widely as compose publishes it: on loopback, unless it says otherwise.
        host = port.host if name == ANY else name
        return f"{host}:{_shift(own.name, port.published, offset)}"

    return _ADDRESS.sub(here, text)


def _port_of(service: Service, target: int) -> Port | None:
    return next((port for port in service.ports if port.target == target), None)


def _shift(name: str, port: int, offset: int) -> int:
    shifted = port + offset
    if not 0 < shifted <= PORT_CEILING:
        raise ComposeError(f"port offset {offset} moves {name} to {shifted}; ports end at {PORT_CEILING}")
    return shifted
