"""How a running edge does: what it serves since when, what it refused and why, and whether Envoy agrees.

Owns the record that the supervisor leaves in its state folder, and its reading.
"""

import asyncio
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from edge.admin import Admin
from edge.problems import Problem
from edge.units import parse_address

RECORD: Final = "status"


@dataclass(slots=True)
class Record:
    """What the supervisor knows. ``refused`` is empty as long as the files are what is served."""

    admin: str
    started: str
    reloaded: str = ""
    refused: list[str] = field(default_factory=list)

    def write(self, state: Path) -> None:
        """Leave it in the state folder, in one step."""
        draft = state / f".{RECORD}.draft"
        draft.write_text(json.dumps(asdict(self)))
        os.replace(draft, state / RECORD)  # noqa: PTH105 - one atomic step


def told(problems: Iterable[Problem]) -> list[str]:
    """Return problems as lines."""
    return [str(problem) for problem in problems]


async def status(state: Path) -> tuple[list[str], bool]:
    """Return lines for a person, and whether all is well: it runs, serves its files, and Envoy took every update."""
    try:
        record = Record(**json.loads((state / RECORD).read_text()))
    except (OSError, ValueError, TypeError):
        return [f"no edge has run in {state}"], False
    admin = Admin(parse_address(record.admin))
    try:
        alive = await admin.is_live()
        rejected = await admin.counters(r"\.update_rejected$")
        active = await admin.counters(r"^(cluster_manager\.active_clusters|http\..*\.downstream_cx_active)$")
    finally:
        await admin.close()
    bad = {name.removesuffix(".update_rejected"): count for name, count in rejected.items() if count}
    lines = [
        f"envoy     {'live' if alive else 'does not answer'} (admin {record.admin})",
        f"serving   since {record.started}" + (f", last change {record.reloaded}" if record.reloaded else ""),
        *_counted(active),
        f"rejected  {', '.join(f'{name} {count}' for name, count in bad.items()) or 'nothing'}",
        f"files     {'as served' if not record.refused else 'NOT as served:'}",
        *(f"          {line}" for line in record.refused),
    ]
    return lines, alive and not record.refused


def _counted(active: dict[str, Any]) -> list[str]:
    connections = sum(count for name, count in active.items() if name.startswith("http."))
    clusters = active.get("cluster_manager.active_clusters")
    return [] if clusters is None else [f"open      {connections} connections, {clusters} clusters"]


def show(state: Path) -> tuple[list[str], bool]:
    """Return ``status`` for a caller without a loop."""
    return asyncio.run(status(state))
