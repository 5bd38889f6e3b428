"""Runs ``python -m edge.limits`` as people do, on free ports."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from tests.edge.edges import stays_or_is_killed

# Below the range from which the system takes the ports of connections: nobody else takes one before its owner listens.
PORTS = range(12_000, 32_000)


def quiet_port() -> int:
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class RunningLimiter:
    """One limiter process."""

    def __init__(self, folder: Path, store_url: str, **environment: str) -> None:
        self.port, self.grpc_port = quiet_port(), quiet_port()
        self.log = folder / f"limiter-{self.port}.log"
        self.environment = {
            **os.environ,
            "FRONTAGE_LISTEN": f"127.0.0.1:{self.port}",
            "FRONTAGE_GRPC_LISTEN": f"127.0.0.1:{self.grpc_port}",
            "FRONTAGE_STORE_URL": store_url,
            "FRONTAGE_STORE_ANSWER_WITHIN": "PT5S",  # a busy machine must not look like a store that is away
            **environment,
        }
        self.process: subprocess.Popen | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    def start(self) -> "RunningLimiter":
        with self.log.open("w") as log:
            command = [sys.executable, "-m", "edge.limits"]
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        stays_or_is_killed(self.process, self.ready, "the limiter", self.log)
        return self

    def ready(self) -> bool:
        try:
            return self.get("/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", trust_env=False)

    def metric(self, line: str) -> float:
        """The value of one line of the metrics, by its name and labels; 0 when it is not there."""
        lines = self.get("/metrics").text.splitlines()
        return next((float(one.rpartition(" ")[2]) for one in lines if one.rpartition(" ")[0] == line), 0.0)

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(20)
