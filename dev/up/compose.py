"""Reads ``compose.yaml``: the services, as far as a player without Docker needs them.

Owns the meaning of ``x-local``. Everything that cannot be played is reported at once.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

HEALTHY: Final = "service_healthy"
COMPLETED: Final = "service_completed_successfully"
STARTED: Final = "service_started"
CONDITIONS: Final = (STARTED, HEALTHY, COMPLETED)
X_LOCAL_KEYS: Final = {"command", "environment", "ready", "address", "faults"}
# Docker's own default between SIGTERM and SIGKILL.
DEFAULT_STOP_GRACE_S: Final = 10.0
_PORT: Final = re.compile(r"^(?:(?P<host>[\d.]+):)?(?P<published>\d+):(?P<target>\d+)$")
_URL: Final = re.compile(r"https?://(?:127\.0\.0\.1|localhost):\d+[\w./-]*")
_DURATION: Final = re.compile(r"^(?:(\d+)m)?(?:(\d+)s)?$")


class ComposeError(Exception):
    """The file cannot be played; one line for each reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A published port: the address on this machine, and what the service itself listens on."""

    host: str
    published: int
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service as described, with ``x-local`` applied; addresses and folders still as in the file."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ports: tuple[Port, ...]
    needs: Mapping[str, str]
    ready: str | None
    address: str | None
    stop_grace_s: float
    faults: bool
    dormant: bool = False


def read_compose(file: Path, profiles: frozenset[str] = frozenset()) -> tuple[Service, ...]:
    """Read the services of ``file``, or raise with everything that is wrong.

    A service with ``profiles`` is ``dormant`` unless one of them is asked for: its addresses are known, it is not
    started.
    """
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    described: dict[str, dict[str, Any]] = document.get("services") or {}
    problems = [f"{file.name}: {problem}" for problem in _problems(described)]
    if problems:
        raise ComposeError("\n".join(problems))
    return tuple(_service(name, body, profiles) for name, body in described.items())


def _service(name: str, body: dict[str, Any], profiles: frozenset[str]) -> Service:
    local = body.get("x-local") or {}
    environment = {**_environment(body), **_environment(local)}
    return Service(
        name=name,
        command=tuple(str(part) for part in local.get("command") or body.get("command") or ()),
        environment=environment,
        ports=tuple(_port(text) for text in body.get("ports") or ()),
        needs=_needs(body),
        ready=local.get("ready") or _health_url(body),
        address=local.get("address"),
        stop_grace_s=_seconds(body.get("stop_grace_period")),
        faults=bool(local.get("faults", False)),
        dormant=bool(body.get("profiles")) and profiles.isdisjoint(body["profiles"]),
    )


def _problems(described: dict[str, dict[str, Any]]) -> Iterator[str]:
    for name, body in described.items():
        local = body.get("x-local") or {}
        if not (local.get("command") or body.get("command")):
            yield f"service {name!r} has no command, neither its own nor in x-local"
        for key in sorted(set(local) - X_LOCAL_KEYS):
            yield f"service {name!r}: x-local knows {', '.join(sorted(X_LOCAL_KEYS))}; not {key!r}"
        for text in body.get("ports") or ():
            if not _PORT.match(str(text)):
                yield f"service {name!r}: port {text!r} is not [ADDRESS:]PUBLISHED:TARGET"
        yield from _needs_problems(name, _needs(body), described)
    yield from _cycles({name: set(_needs(body)) & set(described) for name, body in described.items()})


def _needs_problems(name: str, needs: Mapping[str, str], described: Iterable[str]) -> Iterator[str]:
    for need, condition in needs.items():
        if need not in described:
            yield f"service {name!r} depends on {need!r}; known services: {', '.join(sorted(described))}"
        if condition not in CONDITIONS:
            yield f"service {name!r}: condition {condition!r} is none of {', '.join(CONDITIONS)}"


def _cycles(needs: dict[str, set[str]]) -> Iterator[str]:
    left = dict(needs)
    while free := [name for name, wanted in left.items() if not wanted & left.keys()]:
        for name in free:
            del left[name]
    if left:
        yield f"services wait for each other: {', '.join(sorted(left))}"


def _needs(body: dict[str, Any]) -> dict[str, str]:
    wanted = body.get("depends_on") or {}
    if isinstance(wanted, list):
        return dict.fromkeys(wanted, STARTED)
    return {name: (how or {}).get("condition", STARTED) for name, how in wanted.items()}


def _environment(body: dict[str, Any]) -> dict[str, str]:
    given = body.get("environment") or {}
    if isinstance(given, list):
        return dict(entry.split("=", 1) for entry in given)
    return {key: str(value) for key, value in given.items()}


def _port(text: str) -> Port:
    found = _PORT.match(str(text))
    assert found is not None  # noqa: S101 - _problems has refused every other form
    return Port(host=found["host"] or "0.0.0.0", published=int(found["published"]), target=int(found["target"]))


def _health_url(body: dict[str, Any]) -> str | None:
    """Find the URL that the health check asks: inside a container or here, it is the same question."""
    found = _URL.search(" ".join(str(part) for part in (body.get("healthcheck") or {}).get("test") or ()))
    return found[0] if found else None


def _seconds(text: str | None) -> float:
    found = _DURATION.match(text or "")
    if not text or not found:
        return DEFAULT_STOP_GRACE_S
    return int(found[1] or 0) * 60.0 + int(found[2] or 0)
