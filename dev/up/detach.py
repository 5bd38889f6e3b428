"""A copy in the background: ``up --detach`` starts it and returns when all is ready; ``down`` ends it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from dev.up.state import RunFolder, RunRecord, is_held, load_record

LOOK_EVERY_S: Final = 0.05
# Longer than the sum of what the waves of a drain may take; then `down` forces.
DOWN_WITHIN_S: Final = 60.0


def detach(command: list[str], run: RunFolder, root: Path) -> int:
    """Start ``command`` (an ``up`` in the foreground) in a session of its own; relay what it says until ready."""
    run.folder.mkdir(parents=True, exist_ok=True)
    log = run.folder / "supervisor.log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, *command],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    with log.open(encoding="utf-8") as said:
        while True:
            code = child.poll()
            record = load_record(run)
            ready = record is not None and record.pid == child.pid and record.status == "ready"
            sys.stdout.write(said.read())
            sys.stdout.flush()
            if code is not None:
                return code or 1  # it should have stayed
            if ready:
                return 0
            time.sleep(LOOK_EVERY_S)


def take_down(run: RunFolder, tell: Callable[[RunRecord], None]) -> bool:
    """Ask the copy in ``run`` to drain and wait until it is gone; returns False when none was running."""
    record = load_record(run)
    if record is None:
        return False
    tell(record)
    os.kill(record.pid, signal.SIGTERM)
    if not _gone(run, DOWN_WITHIN_S):
        os.kill(record.pid, signal.SIGTERM)  # the second signal: at once
        _gone(run, DOWN_WITHIN_S)
    return True


def _gone(run: RunFolder, within_s: float) -> bool:
    end = time.monotonic() + within_s
    while is_held(run):
        if time.monotonic() > end:
            return False
        time.sleep(LOOK_EVERY_S)
    return True
