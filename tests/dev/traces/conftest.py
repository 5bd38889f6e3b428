import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from dev.traces.counters import Counters
from dev.traces.store import Store
from tests.dev.traces.samples import as_json

BOUND_S = 20


@dataclass
class Viewer:
    """A running ``python -m dev.traces``, on ports the system chose."""

    process: subprocess.Popen[bytes]
    log: Path
    url: str
    otlp: str

    def send(self, document: dict[str, Any]) -> None:
        response = httpx.post(
            f"{self.otlp}/v1/traces", content=as_json(document), headers={"content-type": "application/json"}
        )
        assert response.status_code == 200, response.text

    def stop(self, sign: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(sign)
        return self.process.wait(BOUND_S)


def start_viewer(folder: Path, **environment: str) -> Viewer:
    log = folder / "viewer.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "dev.traces"],
            stdout=out,
            stderr=out,
            env={
                "PATH": os.environ["PATH"],
                "FRONTAGE_LISTEN": "127.0.0.1:0",
                "FRONTAGE_OTLP_LISTEN": "127.0.0.1:0",
                **environment,
            },
        )
    until = time.monotonic() + BOUND_S
    while time.monotonic() < until:
        started = re.search(r'"listen": "([^"]+)", "otlp_listen": "([^"]+)"', log.read_text())
        if started and _ready(f"http://{started[1]}"):
            return Viewer(process, log, f"http://{started[1]}", f"http://{started[2]}")
        if process.poll() is not None:
            break
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise AssertionError(f"the viewer did not start: {log.read_text()}")


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="session")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    """One viewer for all tests that only add to it."""
    running = start_viewer(tmp_path_factory.mktemp("viewer"))
    yield running
    assert running.stop() == 0, running.log.read_text()


@pytest.fixture
def starting(tmp_path: Path) -> Iterator[Callable[..., Viewer]]:
    """Starts viewers of a test's own, and stops what is left of them."""
    running: list[Viewer] = []

    def start(**environment: str) -> Viewer:
        running.append(start_viewer(tmp_path, **environment))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def store() -> Iterator[Store]:
    one = Store(":memory:")
    yield one
    one.close()


@pytest.fixture
def counters() -> Counters:
    return Counters()
