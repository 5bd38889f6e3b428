"""A small system to play: compose files made of tiny.py, each copy on free ports in a folder of its own."""

import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from dev.up.ports import is_free

ROOT = Path(__file__).parents[3]
TINY = Path(__file__).with_name("tiny.py")
WITHIN_S = 60.0  # only a failing test ever waits so long; a cold start on a busy machine takes half of it


def until(holds: Callable[[], object], what: str) -> None:
    """Wait for a condition, with a bound."""
    end = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < end, f"waited {WITHIN_S} s for: {what}"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    """Say whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def free_port() -> int:
    """Return a port below the ephemeral range that nobody holds."""
    while True:
        port = random.randint(17000, 30000)
        if is_free("127.0.0.1", port):
            return port


@dataclass
class Copy:
    """One copy of a small system, and what a test asks of it."""

    folder: Path
    services: dict[str, dict] = field(default_factory=dict)
    offset: int = 0
    started: list[subprocess.Popen] = field(default_factory=list)

    @property
    def compose(self) -> Path:
        return self.folder / "compose.yaml"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    def add(self, name: str, *options: str, needs: dict[str, str] | None = None, grace: str = "5s") -> int:
        """Describe one more service; returns its port."""
        port = free_port()
        self.services[name] = {
            "image": "tiny",
            "command": ["python", str(TINY), name, str(self.journal), *options],
            "environment": {"TINY_LISTEN": f"0.0.0.0:{port}"},
            "ports": [f"127.0.0.1:{port}:{port}"],
            "depends_on": {need: {"condition": condition} for need, condition in (needs or {}).items()},
            "healthcheck": {"test": ["CMD", "probe", f"http://127.0.0.1:{port}/ready"]},
            "stop_grace_period": grace,
        }
        return port

    def dev(self, *command: str) -> list[str]:
        place = ["--state", str(self.state), "--port-offset", str(self.offset)]
        more = ["--compose", str(self.compose)] if command[0] == "up" else []
        return [sys.executable, "-m", "dev", *command, *place, *more]

    def describe(self) -> None:
        """Write the compose file."""
        self.compose.write_text(yaml.safe_dump({"services": self.services}))

    def up(self, *options: str) -> subprocess.Popen:
        """Start the player; what it says is in its pipes."""
        self.describe()
        player = subprocess.Popen(
            self.dev("up", *options), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.started.append(player)
        return player

    def run(self, *command: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.dev(*command), cwd=ROOT, capture_output=True, text=True, timeout=WITHIN_S, check=False
        )

    def events(self) -> list[str]:
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return [line.rpartition(" ")[0] for line in lines]

    def pids(self) -> list[int]:
        return [int(line.rpartition(" ")[2]) for line in self.journal.read_text().splitlines() if " begun " in line]

    def until_ready(self, player: subprocess.Popen, count: int | None = None) -> None:
        wanted = len(self.services) if count is None else count
        until(
            lambda: sum(event.endswith(" ready") for event in self.events()) >= wanted or player.poll() is not None,
            f"{wanted} ready services",
        )
        until(lambda: '"ready"' in self.record() or player.poll() is not None, "the record to say ready")

    def record(self) -> str:
        file = self.state / f"run-{self.offset}" / "run.json"
        return file.read_text() if file.exists() else ""
