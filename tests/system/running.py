"""A copy of the whole system under test, and what a test asks of it."""

import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from dev.up.state import RunFolder, RunRecord, load_record
from tests.offsets import ROOT, free_offset

BACKENDS = ("users", "orders", "alerts")
# Between choosing an offset and taking its ports, another test run may be quicker.
TRIES = 5
GONE_WITHIN_S = 5.0


@dataclass(frozen=True)
class Running:
    """Addresses by service name, the CA to trust, and the controls of the sample parts."""

    run: RunFolder
    record: RunRecord

    def address(self, service: str) -> str:
        """Return the base URL of a service: ``edge`` is the public one, over TLS."""
        address = self.record.services[service].address
        assert address is not None
        return address

    @property
    def edge(self) -> str:
        return self.address("edge")

    @property
    def traces(self) -> str:
        return self.address("traces")

    def port(self, default: int) -> int:
        """Return what a default port is here: 8080 for the redirect, 9901 for Envoy's admin."""
        return default + self.run.offset

    @property
    def ca(self) -> Path:
        return Path(self.record.ca)

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.record.ca)

    def client(self, user: str | None = "u-1", **options: Any) -> httpx.Client:
        """Return a client at the edge, signed in as ``user`` (None: not at all)."""
        headers = {"authorization": f"Bearer {self.token(user)}"} if user else {}
        headers |= options.pop("headers", {})
        return httpx.Client(base_url=self.edge, verify=self.trust, headers=headers, **{"timeout": 10, **options})

    def token(self, user: str = "u-1", **overrides: Any) -> str:
        """Return an access token; ``audience=``, ``expires_in=``, ``algorithm=`` and the like make a bad one."""
        answer = httpx.post(f"{self.address('identity')}/dev/tokens", json={"user": user, **overrides})
        return answer.raise_for_status().json()["access_token"]

    def fault(self, backend: str, **fault: Any) -> None:
        """Make a backend misbehave: ``latency_ms=``, ``status=``, ``silent=``, ``invalid=``, ``probability=``."""
        httpx.put(f"{self.address(backend)}/__fault", json=fault).raise_for_status()

    def clear(self, *backends: str) -> None:
        """Let backends (all, if none is named) behave again, and forget what they saw."""
        for backend in backends or BACKENDS:
            httpx.delete(f"{self.address(backend)}/__fault").raise_for_status()
            httpx.delete(f"{self.address(backend)}/__seen").raise_for_status()

    def seen(self, backend: str) -> dict[str, Any]:
        """Return ``calls`` (oldest first), ``inFlight`` and ``disconnects`` of a backend."""
        return httpx.get(f"{self.address(backend)}/__seen").raise_for_status().json()

    def log(self, service: str) -> str:
        """Return what a service has said so far."""
        return self.run.log_of(service).read_text()


def start(state: Path, compose: Path = ROOT / "compose.yaml") -> Running:
    """Start a copy on ports of its own; returns when all of it is ready."""
    for _ in range(TRIES):
        offset = free_offset()
        done = _dev("up", "--detach", "--compose", str(compose), state=state, offset=offset)
        if done.returncode == 0:
            run = RunFolder(state, offset)
            record = load_record(run)
            assert record is not None
            return Running(run, record)
        if "Ports are busy" not in done.stdout:
            break
    raise AssertionError(f"the system did not start:\n{done.stdout}{done.stderr}")


def stop(running: Running) -> None:
    """Stop the copy; no process of it may be left, whichever of them started it."""
    pids = descendants(running.record.pid)
    done = _dev("down", state=running.run.state, offset=running.run.offset)
    assert done.returncode == 0, done.stdout + done.stderr
    end = time.monotonic() + GONE_WITHIN_S
    while left := [pid for pid in pids if _lives(pid)]:
        assert time.monotonic() < end, f"left behind: {left}"
        time.sleep(0.05)


def descendants(root: int) -> list[int]:
    """Return ``root`` and all that it started, and what those started: Envoy is a grandchild."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _dev(command: str, *options: str, state: Path, offset: int) -> subprocess.CompletedProcess[str]:
    place = ["--state", str(state), "--port-offset", str(offset)]
    return subprocess.run(
        [sys.executable, "-m", "dev", command, *options, *place],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
