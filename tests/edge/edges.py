"""Runs ``python -m edge run`` as people do, on free ports, and talks to it."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition: Callable[[], object], what: str, within_s: float = 15.0) -> object:
    """Poll until the condition holds; a bound, not a guess."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {within_s} s")


def stays_or_is_killed(process: subprocess.Popen, ready: Callable[[], bool], what: str, log: Path) -> None:
    """Wait until a service of ours is ready; one that does not get there is not left behind."""
    try:
        wait_for(lambda: process.poll() is not None or ready(), f"{what} is ready", 60)
        assert process.poll() is None, log.read_text()
    except BaseException:
        process.kill()
        process.wait()
        raise


class RunningEdge:
    """One supervisor with its Envoy."""

    def __init__(self, folder: Path, text: str, environment: dict[str, str], ca: Path) -> None:
        self.folder, self.ca = folder, ca
        self.file = folder / "edge.yaml"
        self.file.write_text(text)
        self.port, self.plain_port, self.admin_port, self.operations_port = (free_port() for _ in range(4))
        self.log = folder / "edge.log"
        self.environment = {
            **os.environ,
            "EDGE_PUBLIC_ADDRESS": f"127.0.0.1:{self.port}",
            "EDGE_REDIRECT_ADDRESS": f"127.0.0.1:{self.plain_port}",
            "EDGE_ADMIN_ADDRESS": f"127.0.0.1:{self.admin_port}",
            "EDGE_OPERATIONS_ADDRESS": f"127.0.0.1:{self.operations_port}",
            "EDGE_CONCURRENCY": "1",
            **environment,
        }
        self.process: subprocess.Popen | None = None

    def launch(self) -> "RunningEdge":
        """Start it, whether it will serve or not."""
        with self.log.open("w") as log:
            command = [sys.executable, "-m", "edge", "run", str(self.file), "--state", str(self.folder / "state")]
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        return self

    def envoy_pid(self) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def start(self) -> "RunningEdge":
        """Start it and wait until it serves."""
        self.launch()
        wait_for(lambda: self.process.poll() is not None or self.events("serving"), "the edge serves", 60)
        assert self.process.poll() is None, self.log.read_text(errors="replace")
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def lines(self) -> list[dict]:
        found = []
        for line in self.log.read_text(errors="replace").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                found.append({"event": "text", "text": line})
        return found

    def events(self, name: str) -> list[dict]:
        return [line for line in self.lines() if line.get("event") == name]

    def requests(self, path: str) -> list[dict]:
        return [line for line in self.events("request") if line["path"] == path]

    def client(self, **options) -> httpx.Client:
        context = ssl.create_default_context(cafile=str(self.ca))
        return httpx.Client(base_url=f"https://localhost:{self.port}", verify=context, trust_env=False, **options)

    def admin(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.admin_port}{path}", trust_env=False)

    def operations(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.operations_port}{path}", trust_env=False)

    def handshake(self, context: ssl.SSLContext) -> tuple[str, str, int]:
        bare = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        with bare, context.wrap_socket(bare, server_hostname="localhost") as secure:
            return secure.cipher()

    def raw(self, request: bytes, *, plain: bool = False) -> tuple[int, dict[str, str], bytes]:
        """Send bytes, read one answer to the end of the connection or of its content-length."""
        port = self.plain_port if plain else self.port
        with socket.create_connection(("127.0.0.1", port), timeout=10) as bare:
            if plain:
                return self._exchange(bare, request)
            context = ssl.create_default_context(cafile=str(self.ca))
            context.set_alpn_protocols(["http/1.1"])
            with context.wrap_socket(bare, server_hostname="localhost") as secure:
                return self._exchange(secure, request)

    @staticmethod
    def _exchange(connection: socket.socket, request: bytes) -> tuple[int, dict[str, str], bytes]:
        connection.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = connection.recv(65536)
            if not chunk:
                break
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        length = int(headers.get("content-length", 0))
        while len(body) < length and (chunk := connection.recv(65536)):
            body += chunk
        return int(lines[0].split(" ")[1]), headers, body
