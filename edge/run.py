"""Envoy under supervision: start, reload on a changed file, drain, stop.

Owns the order. A file that is not sound is refused with its problems and the old configuration keeps serving; an update
that Envoy itself rejects is shown and taken back. First signal: drain, then exit 0. Second signal: at once.
"""

import asyncio
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from watchfiles import awatch

from edge.admin import Admin
from edge.certificates import certificate_problems
from edge.envoy.compile import Compiled
from edge.prepare import Prepared, busy_addresses, prepare
from edge.problems import Problem
from edge.process import EnvoyProcess, missing_files
from edge.rules.listeners import addresses
from edge.status import Record, told
from edge.xds import Rejected, XdsFolder
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

# Reading everything, the first health checks and the first keys, on a busy machine.
START_TIMEOUT_S: Final = 30.0
POLL_S: Final = 0.05
# Mounts without change events (a ConfigMap, a shared folder) are looked at this often.
LOOK_AGAIN_MS: Final = 2_000
SETTLE_MS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """How to run.

    ``drain_delay_s``: how long readiness says no while requests are still taken; ``drain_grace_s``: how long those in
    flight may then take.
    """

    file: Path
    state: Path
    environment: Mapping[str, str]
    concurrency: int = 2
    log_level: str = "warning"
    isolate: bool = False
    drain_delay_s: float = 0.0
    drain_grace_s: float = 10.0


class Supervisor:
    """One Envoy and the files it is made from."""

    def __init__(self, settings: RunSettings) -> None:
        self._settings = settings
        self._xds = XdsFolder(settings.state.resolve())
        self._stopping = asyncio.Event()
        self._forced = asyncio.Event()
        self._seen: tuple[tuple[str, ...], Compiled | None] = ((), None)

    async def run(self) -> int:
        """Serve until a signal; return the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal)
        prepared = self._prepare()
        if prepared.compiled is None or (hindrances := self._hindrances(prepared.compiled)):
            _show(prepared.problems if prepared.compiled is None else tuple(hindrances), "config_refused")
            return 1
        self._running = prepared.compiled
        bootstrap = self._xds.put_all(prepared.compiled)
        self._record = Record(str(prepared.compiled.edge.spec.admin.address), _now())
        self._note(refused=prepared.apart, event="route_broken")
        if missing := missing_files(prepared.compiled.edge.spec.protection.connections):
            log.warning("few_files", missing=missing, remedy="raise ulimit -Hn, or lower protection.connections")
        settings = self._settings
        envoy = await EnvoyProcess.start(
            bootstrap, concurrency=settings.concurrency, log_level=settings.log_level,
            drain_s=max(1, round(settings.drain_grace_s)),
        )  # fmt: skip
        admin = Admin(prepared.compiled.edge.spec.admin.address)
        try:
            return await self._supervise(envoy, admin, prepared)
        finally:
            await envoy.stop()
            await admin.close()

    async def _supervise(self, envoy: EnvoyProcess, admin: Admin, prepared: Prepared) -> int:
        ended = asyncio.create_task(envoy.ended())
        stopping = asyncio.create_task(self._stopping.wait())
        watching = asyncio.create_task(self._start_and_watch(admin, prepared))
        try:
            await asyncio.wait({ended, stopping, watching}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                log.error("envoy_ended", exit_code=ended.result())
                return 1
            if watching.done():
                return watching.result()
            await self._drain(admin, ended)
            log.info("stopped")
            return 0
        finally:
            for task in (ended, stopping, watching):
                task.cancel()
            await asyncio.gather(ended, stopping, watching, return_exceptions=True)

    async def _start_and_watch(self, admin: Admin, prepared: Prepared) -> int:
        try:
            await admin.wait_until_live(START_TIMEOUT_S)
        except TimeoutError:
            log.error("not_ready", after_s=START_TIMEOUT_S, remedy="see Envoy's own log lines")  # noqa: TRY400 - no bug
            return 1
        if (await admin.verdicts("listener_manager.lds"))[1]:
            log.error("update_rejected", reason="; ".join(await admin.rejections()))
            return 1
        edge = prepared.compiled.edge if prepared.compiled else self._running.edge
        listeners = {name: str(one.address) for name, one in edge.spec.listeners.items()}
        entries = {f"{protocol}.{entry.name}": str(entry.listen) for protocol, entry in edge.l4()}
        log.info("serving", listeners=listeners | entries)
        files = prepared.files
        while not self._stopping.is_set():
            folders = {file.parent for file in files}
            async for _ in awatch(
                *folders, stop_event=self._stopping, recursive=False, watch_filter=None,
                step=SETTLE_MS, rust_timeout=LOOK_AGAIN_MS, yield_on_timeout=True,
            ):  # fmt: skip
                files = await self.reload(admin)
                if {file.parent for file in files} != folders:
                    break  # another set of folders to watch
        return 0

    def _prepare(self, *, ask_envoy: bool = True) -> Prepared:
        settings = self._settings
        return prepare(settings.file, settings.environment, ask_envoy=ask_envoy, isolate=settings.isolate)

    def _note(self, *, refused: Iterable[Problem] = (), reason: str = "", event: str = "config_refused") -> None:
        """Say what is wrong, in the log and in the record that ``status`` reads."""
        problems = tuple(refused)
        _show(problems, event)
        self._record.refused = [*told(problems), *([reason] if reason else [])]
        self._record.write(self._settings.state)

    async def reload(self, admin: Admin) -> tuple[Path, ...]:
        """Read the files again and apply what changed; return the files that count now."""
        prepared = await asyncio.to_thread(self._prepare, ask_envoy=False)
        seen = (tuple(map(str, (*prepared.problems, *prepared.apart))), prepared.compiled)
        if seen == self._seen or (prepared.compiled == self._running and not self._seen[0]):
            return prepared.files
        self._seen = seen
        if prepared.compiled is not None and prepared.compiled != self._running:
            prepared = await asyncio.to_thread(self._prepare)
        if prepared.compiled is None:
            self._note(refused=prepared.problems)
            return prepared.files
        if hindrances := self._hindrances(prepared.compiled, self._running):
            self._note(refused=hindrances)
            return prepared.files
        try:
            await self._xds.update(prepared.compiled, admin)
        except (Rejected, TimeoutError) as error:
            reason = str(error) or "Envoy gave no verdict in time"
            log.error("update_rejected", reason=reason, serving="the old one")  # noqa: TRY400 - a verdict, not a bug
            self._note(reason=f"Envoy rejected it: {reason}")
        else:
            self._running = prepared.compiled
            self._record.reloaded = _now()
            self._note(refused=prepared.apart, event="route_broken")
            log.info("reloaded", routes=sum(1 for _ in prepared.compiled.edge.routes()))
        return prepared.files

    def _hindrances(self, compiled: Compiled, running: Compiled | None = None) -> list[Problem]:
        ours = frozenset((one.protocol, one.address) for one in addresses(running.edge)) if running else frozenset()
        return [*certificate_problems(compiled.edge), *busy_addresses(compiled.edge, ours)]

    async def _drain(self, admin: Admin, ended: "asyncio.Task[int]") -> None:
        """Readiness says no; the delay passes; connections are told to go; those in flight finish, within the grace."""
        await admin.order("/healthcheck/fail")
        log.info("draining")
        await self._unless_forced(self._settings.drain_delay_s)
        await admin.order("/drain_listeners", graceful="")
        listeners = list(self._running.edge.spec.listeners)
        entries = [entry.name for entry in self._running.edge.spec.tcp]
        left_s = self._settings.drain_grace_s
        while left_s > 0 and not (self._forced.is_set() or ended.done()):
            if await admin.requests_active(listeners) + await admin.connections_active(entries) == 0:
                return
            await self._unless_forced(POLL_S)
            left_s -= POLL_S

    async def _unless_forced(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._forced.wait(), seconds)
        except TimeoutError:
            return

    def _on_signal(self) -> None:
        if self._stopping.is_set():
            self._forced.set()
        self._stopping.set()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _show(problems: tuple[Problem, ...], event: str) -> None:
    for problem in problems:
        log.error(event, place=str(problem.place), rule=problem.rule, problem=problem.message, remedy=problem.remedy)


async def run(settings: RunSettings) -> int:
    """Run the edge; return its exit code."""
    return await Supervisor(settings).run()
