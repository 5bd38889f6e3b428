import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.offsets import ROOT, free_offset
from tests.system.running import Running, start, stop

pytestmark = pytest.mark.system


def demo(state: Path, offset: int) -> subprocess.CompletedProcess[str]:
    """Tell the story with a copy of its own, away from a developer's."""
    return subprocess.run(
        [sys.executable, "-m", "dev.demo", "--state", str(state), "--port-offset", str(offset)],
        cwd=ROOT, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


@pytest.fixture
def already_running(tmp_path: Path):
    """A copy that somebody else started."""
    running = start(tmp_path)
    yield running
    stop(running)


def check_story(said: str) -> None:
    """Hold what was shown against the story."""
    assert re.findall(r"(mobile|web): \S+ /\S+  ->  200", said) == ["mobile", "web", "mobile", "web"]
    assert len(re.findall(r"degraded +nothing", said)) == 2
    assert len(re.findall(r"degraded +recentOrders: (deadline|timeout), in its place: \w+", said)) == 2
    assert len(re.findall(r"ms before the deadline of 1,000 ms", said)) == 2
    pages = re.findall(r"page  http://127.0.0.1:\d+/trace/[0-9a-f]{32}", said)
    assert len(set(pages)) == 4


def test_the_demo_uses_a_copy_that_runs_and_leaves_it_running(already_running: Running) -> None:
    """Both answers, both again with a silent backend, four waterfalls, the fault gone afterwards."""
    done = demo(already_running.run.state, already_running.run.offset)
    assert done.returncode == 0, done.stdout + done.stderr
    check_story(done.stdout)
    assert "using the copy that is already running" in done.stdout
    with already_running.client() as http:
        assert http.get("/mobile/v1/dashboard").json()["degraded"] == []


def test_the_demo_stops_what_it_started(tmp_path: Path) -> None:
    """It ends with 0, and its record is gone with its processes."""
    offset = free_offset()
    done = demo(tmp_path, offset)
    assert done.returncode == 0, done.stdout + done.stderr
    check_story(done.stdout)
    assert not (tmp_path / f"run-{offset}" / "run.json").exists()


def test_a_demo_that_cannot_start_says_why(tmp_path: Path) -> None:
    """A busy port is named, and the exit code is not 0."""
    offset = free_offset()
    with socket.create_server(("127.0.0.1", 8101 + offset)):
        done = demo(tmp_path, offset)
    assert done.returncode == 1
    assert f"users needs port {8101 + offset}" in done.stdout
    assert "the system did not start" in done.stderr
