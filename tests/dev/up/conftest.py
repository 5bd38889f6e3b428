import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.dev.up.harness import TINY, Copy, lives


@pytest.fixture
def make_copy(tmp_path: Path) -> Iterator[Callable[..., Copy]]:
    """Make copies; whatever a test leaves running is ended, by pid."""
    copies: list[Copy] = []

    def make(name: str = "copy", **fields: object) -> Copy:
        (tmp_path / name).mkdir()
        copies.append(Copy(tmp_path / name, **fields))
        return copies[-1]

    yield make
    for copy in copies:
        for player in copy.started:
            if player.poll() is None:
                player.kill()
            player.communicate()
        for pid in copy.pids() if copy.journal.exists() else ():
            if lives(pid) and str(TINY) in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def copy(make_copy: Callable[..., Copy]) -> Copy:
    """One copy, for most tests."""
    return make_copy()
