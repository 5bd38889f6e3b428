"""Port offsets for copies of the system under test: free now, and unlikely to be wanted by another test run."""

import random
from pathlib import Path

from dev.up.compose import read_compose
from dev.up.plan import ProcessSpec, make_plan
from dev.up.ports import is_free
from dev.up.state import RunFolder

ROOT = Path(__file__).resolve().parents[1]
# From 1,000 a developer's own copy is left alone, and the highest port (16686) stays below the ephemeral ones.
OFFSETS = range(1_000, 15_000)


def plan_at(offset: int, state: Path, python: str, *profiles: str) -> dict[str, ProcessSpec]:
    """Plan the whole system, by service, with what these profiles wake."""
    run = RunFolder(state, offset)
    services = read_compose(ROOT / "compose.yaml", frozenset(profiles))
    return {spec.name: spec for spec in make_plan(services, offset=offset, run=run, python=python)}


def free_offset() -> int:
    """Return an offset at which every port of the system is free."""
    ports = [address for spec in plan_at(0, ROOT, "python", "control").values() for address in spec.ports]
    while True:
        offset = random.choice(OFFSETS)
        if all(is_free(host, port + offset) for host, port in ports):
            return offset
