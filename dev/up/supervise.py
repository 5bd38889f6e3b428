"""Plays a plan: starts it in order, watches it, drains it in reverse.

Nothing is restarted: on a developer's machine a service that died is a finding. It is reported with the last it
said, and the whole copy stops with it.
"""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Final

from dev.up.compose import COMPLETED, HEALTHY
from dev.up.plan import ProcessSpec, stop_waves
from dev.up.process import Process, how_it_ended, log_tail
from dev.up.ready import until_ready
from dev.up.show import Show

# A cold start of the slowest service takes some 5 s on two cores; one that has not answered by then will not.
READY_WITHIN_S: Final = 60.0
FORCED: Final = 130


class ServiceFailed(Exception):
    """A service died, or was never ready; the message holds the last lines of its log."""

    def __init__(self, spec: ProcessSpec, what: str) -> None:
        super().__init__(f"{spec.name} {what}; the last lines of {spec.log}:\n{log_tail(spec.log)}")


class Supervisor:
    """The live state of one copy: its processes, and whether it was asked to stop."""

    def __init__(self, plan: tuple[ProcessSpec, ...], root: Path, show: Show) -> None:
        self.processes: dict[str, Process] = {}
        self._plan = plan
        self._root = root
        self._show = show
        self._stop = asyncio.Event()
        self._force = asyncio.Event()
        self._started = {spec.name: asyncio.Event() for spec in plan}
        self._reached = {spec.name: asyncio.Event() for spec in plan}
        self._died: asyncio.Future[ServiceFailed] = asyncio.get_running_loop().create_future()
        self._watchers: set[asyncio.Task[None]] = set()
        self._guardian: asyncio.subprocess.Process | None = None

    def listen_for_signals(self) -> None:
        """First SIGINT, SIGTERM or SIGHUP: drain. Second: end everything at once."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self.ask_to_stop)

    def ask_to_stop(self) -> None:
        """Drain; when asked again, no longer wait for anybody."""
        if self._stop.is_set():
            self._force.set()
        self._stop.set()

    async def start(self) -> bool:
        """Bring everything up, each service after those it needs; False when asked to stop meanwhile."""
        self._guardian = await _start_guardian()
        everything = asyncio.ensure_future(self._bring_all_up())
        stop = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait((everything, stop, self._died), return_when=asyncio.FIRST_COMPLETED)
            if self._died.done():
                raise self._died.result()
            if everything.done():
                everything.result()
                return True
            return False
        finally:
            stop.cancel()
            everything.cancel()
            await asyncio.gather(everything, return_exceptions=True)

    async def watch(self) -> None:
        """Return when asked to stop; raise when a service dies."""
        stop = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait((stop, self._died), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if self._died.done():
            raise self._died.result()

    async def drain(self) -> int:
        """Stop everything, the edge first; returns 0, or 130 when it had to be forced."""
        self._stop.set()
        for process in self.processes.values():
            process.stopping = True
        for wave in stop_waves(self._plan):
            alive = (self.processes[name] for name in wave if name in self.processes)
            await asyncio.gather(*(self._stop_one(process) for process in alive if process.lives))
        await asyncio.gather(*self._watchers)
        if self._guardian is not None and self._guardian.stdin is not None:
            self._guardian.stdin.close()
            await self._guardian.wait()
        return FORCED if self._force.is_set() else 0

    async def _bring_all_up(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for spec in self._plan:
                    group.create_task(self._bring_up(spec))
        except* ServiceFailed as failures:
            raise failures.exceptions[0] from None

    async def _bring_up(self, spec: ProcessSpec) -> None:
        for need, condition in spec.needs.items():
            await (self._reached if condition in {HEALTHY, COMPLETED} else self._started)[need].wait()
        begun = time.monotonic()
        process = await Process.start(spec, self._root, os.environ)
        self.processes[spec.name] = process
        self._tell_guardian(f"+{process.pid}\n")
        one_shot = any(other.needs.get(spec.name) == COMPLETED for other in self._plan)
        self._started[spec.name].set()
        if one_shot:
            await self._complete(process)
            self._show.done(spec, (time.monotonic() - begun) * 1000)
        else:
            watcher = asyncio.create_task(self._report_death(process))
            self._watchers.add(watcher)
            await self._wait_until_ready(spec)
            self._show.ready(spec, (time.monotonic() - begun) * 1000)
        self._reached[spec.name].set()

    async def _wait_until_ready(self, spec: ProcessSpec) -> None:
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                await until_ready(spec.ready)
        except TimeoutError:
            raise ServiceFailed(spec, f"was not ready ({spec.ready}) within {READY_WITHIN_S:.0f} s") from None

    async def _complete(self, process: Process) -> None:
        code = await process.ended()
        self._tell_guardian(f"-{process.pid}\n")
        if code and not process.stopping:
            raise ServiceFailed(process.spec, how_it_ended(code))

    async def _report_death(self, process: Process) -> None:
        code = await process.ended()
        self._tell_guardian(f"-{process.pid}\n")
        if not process.stopping and not self._died.done():
            self._died.set_result(ServiceFailed(process.spec, how_it_ended(code)))

    async def _stop_one(self, process: Process) -> None:
        clean = await process.stop(self._force)
        self._show.stopped(process.spec, clean=clean)

    def _tell_guardian(self, line: str) -> None:
        if self._guardian is not None and self._guardian.stdin is not None:
            self._guardian.stdin.write(line.encode())


async def _start_guardian() -> asyncio.subprocess.Process:
    # By its path and isolated: nothing but the standard library is needed, and it is there in 20 ms.
    file = Path(__file__).with_name("guardian.py")
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(file)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
