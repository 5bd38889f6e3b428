"""Where a running copy keeps what it must remember, and how others find it.

``<state>/run-<offset>/`` belongs to one copy: ``run.json`` tells who runs where, ``logs/`` what they said, and
``lock`` is held for as long as the supervisor lives, however it ends. Nothing is judged by a pid alone.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

DEFAULT_STATE: Final = Path(".local")

Status = Literal["starting", "ready", "stopping"]


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folders of one copy: ``state`` is shared by all copies, ``folder`` is its own."""

    state: Path
    offset: int

    @property
    def folder(self) -> Path:
        """The copy's own folder."""
        return self.state / f"run-{self.offset}"

    @property
    def record(self) -> Path:
        """Who runs where, for other commands."""
        return self.folder / "run.json"

    @property
    def ca(self) -> Path:
        """The certificate authority to trust for the edge."""
        return self.state / "tls" / "ca.pem"

    def command(self, words: str) -> str:
        """Return what to type for this copy, from the root of the tree: ``command("down")``."""
        offset = f" --port-offset {self.offset}" if self.offset else ""
        state = "" if self.state == DEFAULT_STATE.resolve() else f" --state {self.state}"
        return f".venv/bin/python -m dev {words}{offset}{state}"

    def log_of(self, name: str) -> Path:
        """Where a service's output goes."""
        return self.folder / "logs" / f"{name}.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningService:
    """One service of a running copy."""

    name: str
    address: str | None
    pid: int
    faults: bool
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What ``run.json`` holds."""

    pid: int
    offset: int
    status: Status
    ca: str
    services: Mapping[str, RunningService]

    def save(self, run: RunFolder) -> None:
        """Write it whole or not at all: others read it at any time."""
        part = run.record.with_suffix(".part")
        part.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        part.replace(run.record)

    def now(self, status: Status) -> "RunRecord":
        """Return the record with another status."""
        return replace(self, status=status)


def load_record(run: RunFolder) -> RunRecord | None:
    """Read the record of the copy that runs in ``run``; None when none does, whatever a dead one left behind."""
    if not is_held(run):
        return None
    try:
        content: dict[str, Any] = json.loads(run.record.read_text(encoding="utf-8"))
    except FileNotFoundError:  # it holds the lock, and has not got further yet
        return None
    services = {name: RunningService(**body) for name, body in content.pop("services").items()}
    return RunRecord(services=services, **content)


def hold(run: RunFolder) -> bool:
    """Become the one supervisor of ``run`` until this process ends; False when there is one already.

    The lock is never given back by hand: only the end of the process says that it is gone.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(run.folder / "lock", os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    return True


def is_held(run: RunFolder) -> bool:
    """Say whether a supervisor lives in ``run``."""
    try:
        descriptor = os.open(run.folder / "lock", os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        # Shared and at once given back: two commands that look at the same time do not disturb each other.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
