"""The backends as the player starts them: three processes, one file, real sockets."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

NAMES = ("users", "orders", "alerts")
WITHIN_S = 20.0


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start a sample backend."""
    command = [sys.executable, "-m", "dev.backends", *arguments]
    return subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def until(holds: Callable[[], Any], what: str) -> None:
    """Wait for a condition, within a bound."""
    end = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < end, f"{what} did not come true"
        time.sleep(0.02)


def answers(url: str) -> bool:
    """Say whether a GET is answered with 200."""
    try:
        return httpx.get(url, timeout=1).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[str, subprocess.Popen[bytes]]]]:
    """Start all three at the same moment, with no file there; stop what is left at the end."""
    file = tmp_path_factory.mktemp("processes") / "sample.sqlite"
    started = {}
    for name in NAMES:
        address = f"127.0.0.1:{free_port()}"
        process = start(name, FRONTAGE_LISTEN=address, FRONTAGE_DATABASE=str(file))
        started[name] = (f"http://{address}", process)
    try:
        for name, (url, _) in started.items():
            until(lambda url=url: answers(f"{url}/health/ready"), f"{name} being ready")
        assert [one.name for one in file.parent.iterdir()] == [file.name]
        yield started
    finally:
        for _, process in started.values():
            process.terminate()
        for _, process in started.values():
            process.communicate(timeout=WITHIN_S)


def test_three_processes_may_make_the_file_at_the_same_moment(running: dict) -> None:
    """Each answers from the whole sample."""
    paths = {
        "users": "/api/internal/users/u-1/profile",
        "orders": "/api/internal/orders?userId=u-1",
        "alerts": "/api/internal/alerts?userId=u-1",
    }
    for name, path in paths.items():
        answer = httpx.get(f"{running[name][0]}{path}")
        assert answer.status_code == 200
        assert len(answer.json()) == 5 or name == "alerts"


def test_a_silent_backend_notices_when_the_client_leaves(running: dict) -> None:
    """The socket closes, the call ends, and the backend says so."""
    url, _ = running["orders"]
    httpx.put(f"{url}/__fault", json={"silent": True})

    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{url}/api/internal/orders?userId=u-1", timeout=0.2)

    until(lambda: httpx.get(f"{url}/__seen").json()["disconnects"] == 1, "the disconnect")
    assert httpx.get(f"{url}/__seen").json()["inFlight"] == 0
    httpx.delete(f"{url}/__fault")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=str)
def test_a_signal_stops_it_cleanly(number: signal.Signals, running: dict) -> None:
    """Exit code 0 after either signal."""
    _, process = running["users" if number is signal.SIGTERM else "alerts"]

    process.send_signal(number)

    assert process.wait(timeout=WITHIN_S) == 0


def test_a_wrong_name_is_told_the_right_ones() -> None:
    """Usage, and exit code 2."""
    process = start("user")
    _, error = process.communicate(timeout=WITHIN_S)

    assert process.returncode == 2
    assert b"users|orders|alerts" in error


def test_other_data_in_its_place_is_said_in_one_line(tmp_path: Path) -> None:
    """No traceback, exit code 1, and the remedy."""
    other = tmp_path / "notes.txt"
    other.write_text("precious " * 200)
    process = start("users", FRONTAGE_LISTEN="127.0.0.1:1", FRONTAGE_DATABASE=str(other))
    _, error = process.communicate(timeout=WITHIN_S)

    assert process.returncode == 1
    assert error.count(b"\n") == 1
    assert b"FRONTAGE_DATABASE" in error
