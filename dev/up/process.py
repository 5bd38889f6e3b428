"""One process of the running system: started in a group of its own, watched, stopped within its grace."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dev.up.plan import ProcessSpec

# Ours alone: what the shell happens to hold must not change what compose.yaml says.
_OURS: Final = ("FRONTAGE_", "EDGE_")
_LOG_TAIL: Final = 15


class Process:
    """A started process.

    ``stopping`` tells an end that we asked for from one that happened; ``left_behind``, that its group outlived it.
    """

    def __init__(self, spec: ProcessSpec, child: asyncio.subprocess.Process) -> None:
        self.spec = spec
        self.stopping = False
        self.left_behind = False
        self._cleared = False
        self._child = child

    @classmethod
    async def start(cls, spec: ProcessSpec, root: Path, inherited: Mapping[str, str]) -> "Process":
        """Start ``spec`` in ``root``; its output goes to its log, which begins anew."""
        spec.log.parent.mkdir(parents=True, exist_ok=True)
        kept = {key: value for key, value in inherited.items() if not key.startswith(_OURS)}
        with spec.log.open("wb") as log:
            child = await asyncio.create_subprocess_exec(
                *spec.command,
                cwd=root,
                env={**kept, "PYTHONUNBUFFERED": "1", **spec.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is ours to hand on, in order; and a group can be ended as a whole
            )
        return cls(spec, child)

    @property
    def pid(self) -> int:
        """Its pid, which is its group's as well."""
        return self._child.pid

    @property
    def lives(self) -> bool:
        """Whether it has not ended yet."""
        return self._child.returncode is None

    async def ended(self) -> int:
        """Wait for the end, then end what is left of its group; returns the exit code, negative for a signal."""
        code = await self._child.wait()
        if not self._cleared:
            self._cleared = True
            # A wrapper that died, a worker that did not listen: whoever is left has lost its leader.
            self.left_behind = self._kill_group()
        return code

    async def stop(self, force: asyncio.Event) -> bool:
        """Ask it to end, wait its grace, then make it; returns whether it ended by itself."""
        self.stopping = True
        clean = True
        if self.lives:
            self._child.terminate()  # the leader alone: it knows in which order its own children go
            clean = await self._gone(force)
        if not clean:
            self._kill_group()
        await self.ended()
        return clean and not self.left_behind

    async def _gone(self, force: asyncio.Event) -> bool:
        end, forced = asyncio.ensure_future(self._child.wait()), asyncio.ensure_future(force.wait())
        done, waiting = await asyncio.wait(
            (end, forced), timeout=self.spec.stop_grace_s, return_when=asyncio.FIRST_COMPLETED
        )
        for task in waiting:
            task.cancel()
        return end in done

    def _kill_group(self) -> bool:
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True


def how_it_ended(code: int) -> str:
    """Say an exit code in words."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def log_tail(log: Path) -> str:
    """Return the last lines of ``log``, set in."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        return "".join(f"    {line.rstrip()}\n" for line in deque(lines, maxlen=_LOG_TAIL))
