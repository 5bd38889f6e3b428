"""Envoy as a child process: started so that no terminal and no death of ours can orphan it, stopped within a bound."""

import asyncio
import ctypes
import resource
import signal
from pathlib import Path
from typing import Final

from edge.validate import envoy_path

PR_SET_PDEATHSIG: Final = 1
# What SIGTERM means to Envoy is "now"; whatever hangs on after this is not worth waiting for.
STOP_TIMEOUT_S: Final = 5.0
# A log line is there when one looks for it; Envoy would keep it for ten seconds.
FLUSH_MS: Final = "250"
# Beside the connections of clients: those to endpoints, listeners, files that are watched.
SPARE_FILES: Final = 1_000


def _as_child() -> None:
    """Ask the kernel to end Envoy when we are gone, however we went, and to let it open what we may open at most."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)  # shells give 1,024 and would allow more
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def missing_files(connections: int) -> int:
    """Return how many open files the hard limit is short of for so many connections of clients; mostly 0."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 0 if hard == resource.RLIM_INFINITY else max(0, connections + SPARE_FILES - hard)


class EnvoyProcess:
    """One running Envoy."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, bootstrap: Path, *, concurrency: int, log_level: str, drain_s: int) -> "EnvoyProcess":
        """Start Envoy on a bootstrap file. Its access log goes to our stdout, its own log to our stderr."""
        process = await asyncio.create_subprocess_exec(
            str(envoy_path()), "--config-path", str(bootstrap),
            "--disable-hot-restart",  # several edges on one machine; and a supervisor of our own
            "--file-flush-interval-msec", FLUSH_MS,
            "--concurrency", str(concurrency), "--log-level", log_level,
            "--drain-time-s", str(drain_s), "--drain-strategy", "immediate",
            start_new_session=True,  # Ctrl-C in a terminal reaches us alone; Envoy is drained first
            preexec_fn=_as_child,
        )  # fmt: skip
        return cls(process)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def ended(self) -> int:
        """Wait until it ends by itself; return how."""
        return await self._process.wait()

    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    async def stop(self) -> None:
        """End it: SIGTERM, then, after a bound, SIGKILL."""
        if not self.is_running():
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
