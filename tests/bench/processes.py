"""Processes on a core: started, asked until ready, weighed, and stopped by their pid."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.bench.machine import ROOT, STATE, USERS_FILE, BenchError

READY_WITHIN_S = 20.0
STOP_WITHIN_S = 5.0


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port: int, path: str, headers: Mapping[str, str] | None = None, body: str = "") -> tuple[int, bytes]:
    """Ask once over a connection of its own; with a body it is a POST of JSON."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        if body:
            connection.request("POST", path, body, {"content-type": "application/json", **(headers or {})})
        else:
            connection.request("GET", path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Process:
    """One program pinned to one core. ``with`` stops it."""

    def __init__(self, name: str, command: Sequence[str | Path], environment: Mapping[str, str], core: int) -> None:
        self.name = name
        self.log = STATE / f"{name}.log"
        with self.log.open("wb") as errors:
            self._process = subprocess.Popen(
                ["taskset", "-c", str(core), *command], cwd=ROOT, env={**os.environ, **environment},
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
            )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_WITHIN_S)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(STOP_WITHIN_S)

    def wait_ready(self, port: int, path: str, pause_s: float = 0.005) -> float:
        """Return after how many seconds it answered 200."""
        begin = time.monotonic()
        while time.monotonic() - begin < READY_WITHIN_S:
            if self._process.poll() is not None:
                break
            with suppress(OSError, HTTPException):
                if ask(port, path)[0] == 200:
                    return time.monotonic() - begin
            time.sleep(pause_s)
        raise BenchError(f"{self.name} did not become ready: {self.log.read_text()[-800:]}")

    def cpu_s(self) -> float:
        """CPU seconds of all its threads so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Resident memory now."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def run_load(
    command: Sequence[str | Path], body: str, keys: int, within_s: float
) -> tuple[subprocess.Popen[str], float]:
    """Start a load generator; the caller collects its one line of JSON with ``result_of``."""
    asked = {"BENCH_BODY": body, "BENCH_KEYS": str(keys or ""), "BENCH_USERS": str(USERS_FILE)}
    environment = {**os.environ, **{name: value for name, value in asked.items() if value}}
    started = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return started, time.monotonic() + within_s


def result_of(load: subprocess.Popen[str], until_s: float) -> dict[str, Any]:
    """Return what the load generator said; raises BenchError when it said nothing of use."""
    try:
        said, _ = load.communicate(timeout=max(0.1, until_s - time.monotonic()))
    except subprocess.TimeoutExpired:
        load.kill()
        said, _ = load.communicate()
    lines = [line for line in said.splitlines() if line.startswith("{")]
    if not lines:
        raise BenchError(f"the load generator gave no figures:\n{said[-800:]}")
    return json.loads(lines[-1])
