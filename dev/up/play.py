"""``dev up``: from a request to an exit code. The order of the steps is the whole story.

Own the lock, read what is described, look at the ports, start, tell, watch, drain.
"""

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dev.up.compose import ComposeError, read_compose
from dev.up.plan import ProcessSpec, make_plan
from dev.up.ports import busy_ports, free_offset
from dev.up.show import Show
from dev.up.state import RunFolder, RunningService, RunRecord, hold, load_record
from dev.up.supervise import ServiceFailed, Supervisor

FAILED: Final = 1
REFUSED: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to play, and where."""

    compose: Path
    run: RunFolder

    @property
    def root(self) -> Path:
        """The tree in which the commands of the compose file run."""
        return self.compose.parent


def play(request: Request) -> int:
    """Play ``request`` in the foreground until a signal or a failure; returns the exit code."""
    try:
        plan = plan_of(request)
    except (ComposeError, OSError) as error:
        Show(()).failed(str(error))
        return REFUSED
    show = Show(plan)
    if not hold(request.run):
        show.failed(_already_there(request.run))
        return REFUSED
    if refusal := _refusal(plan, request.run):
        show.failed(refusal)
        return REFUSED
    return asyncio.run(_play(request, plan, show))


def plan_of(request: Request) -> tuple[ProcessSpec, ...]:
    """Read the compose file and plan it for this machine."""
    # The same word as for docker compose.
    profiles = frozenset(filter(None, os.environ.get("COMPOSE_PROFILES", "").split(",")))
    services = read_compose(request.compose, profiles)
    return make_plan(services, offset=request.run.offset, run=request.run, python=sys.executable)


async def _play(request: Request, plan: tuple[ProcessSpec, ...], show: Show) -> int:
    supervisor = Supervisor(plan, request.root, show)
    supervisor.listen_for_signals()
    record = _record(request.run, supervisor)
    record.save(request.run)
    begun = time.monotonic()
    code = 0
    try:
        if await supervisor.start():
            record = _record(request.run, supervisor).now("ready")
            record.save(request.run)
            show.note(_welcome(request.run, record, time.monotonic() - begun))
            await supervisor.watch()
    except ServiceFailed as failure:
        show.failed(f"\n{failure}")
        code = FAILED
    finally:
        show.note("\nstopping, the edge first")
        record.now("stopping").save(request.run)
        drained = await supervisor.drain()
        request.run.record.unlink(missing_ok=True)
    return code or drained


def _refusal(plan: tuple[ProcessSpec, ...], run: RunFolder) -> str:
    busy = busy_ports(plan)
    if not busy:
        return ""
    other = free_offset(plan, run.offset)
    remedy = f"Stop them, or start beside them: --port-offset {other}" if other else "Stop them, and start again."
    return "\n".join(["Ports are busy:", *(f"  {port}" for port in busy), remedy])


def _already_there(run: RunFolder) -> str:
    record = load_record(run)
    who = f" (supervisor pid {record.pid})" if record else ""
    return (
        f"A copy is already running at port offset {run.offset} in {run.state}{who}.\n"
        f"Stop it with: {run.command('down')}\nor start beside it: --port-offset {run.offset + 1000}"
    )


def _record(run: RunFolder, supervisor: Supervisor) -> RunRecord:
    services = {
        name: RunningService(
            name=name,
            address=process.spec.address,
            pid=process.pid,
            faults=process.spec.faults,
            log=str(process.spec.log),
        )
        for name, process in supervisor.processes.items()
        if process.spec.ports  # what runs on; a certificate that was made does not
    }
    return RunRecord(pid=os.getpid(), offset=run.offset, status="starting", ca=str(run.ca), services=services)


def _welcome(run: RunFolder, record: RunRecord, seconds: float) -> str:
    lines = [
        f"\n{len(record.services)} services ready in {seconds:.1f} s; to stop them: Ctrl-C, or {run.command('down')}"
    ]
    if edge := record.services.get("edge"):
        token = f'"authorization: Bearer $({run.command("token u-1")})"'
        lines.append(f"  try:     curl --cacert {record.ca} -H {token} {edge.address}/mobile/v1/dashboard")
        if "portal" in record.services:
            lines.append(f"  portal:  {edge.address}/portal/")
    if traces := record.services.get("traces"):
        lines.append(f"  traces:  {traces.address}")
    return "\n".join(lines)
