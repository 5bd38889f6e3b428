import json
import os
import signal
from pathlib import Path

from dev.up.state import RunFolder, load_record
from tests.dev.up.harness import Copy, lives, until


def test_detach_returns_when_all_is_ready_and_down_takes_all_away(copy: Copy) -> None:
    """In between, status tells who runs where, for a person and for a program."""
    copy.add("front", needs={"back": "service_healthy"})
    port = copy.add("back", "late")
    player = copy.up("--detach")
    said, _ = player.communicate(timeout=15)
    assert player.returncode == 0
    assert "ready  front" in said
    assert copy.events()[-1] == "front ready"

    person = copy.run("status")
    assert person.returncode == 0
    assert f"http://127.0.0.1:{port}" in person.stdout
    program = json.loads(copy.run("status", "--json").stdout)
    assert program["running"] is True
    assert program["status"] == "ready"
    assert {service["pid"] for service in program["services"].values()} == set(copy.pids())

    down = copy.run("down")
    assert down.returncode == 0
    assert down.stdout.splitlines() == ["stopping 2 services ...", "stopped"]
    assert copy.events()[-2:] == ["front ended", "back ended"]
    assert not any(lives(pid) for pid in [*copy.pids(), program["pid"]])


def test_detach_fails_with_what_a_service_said_last(copy: Copy) -> None:
    """A background start that goes wrong is as readable as one in the foreground, and leaves nothing."""
    copy.add("ill", "die")
    player = copy.up("--detach")
    said, _ = player.communicate(timeout=15)
    # The service dies right after it was ready: either the start or the watch sees it.
    if player.returncode == 0:
        until(lambda: not copy.record(), "the copy to stop")
        said = (copy.state / "run-0" / "supervisor.log").read_text()
    assert "ill ended with exit code 3" in said
    assert not any(lives(pid) for pid in copy.pids())


def test_nothing_runs_is_an_answer(copy: Copy) -> None:
    """The status command says so with exit code 1, down with 0, and what needs a copy says how to start one with 2."""
    assert copy.run("status").returncode == 1
    assert json.loads(copy.run("status", "--json").stdout)["running"] is False
    assert copy.run("down").returncode == 0
    token = copy.run("token", "u-1")
    assert token.returncode == 2
    assert token.stdout == ""
    assert "python -m dev up" in token.stderr


def test_the_record_of_a_dead_supervisor_counts_for_nothing(copy: Copy) -> None:
    """After kill -9 the file is still there; the lock is not, and the lock is what counts."""
    copy.add("one")
    player = copy.up()
    copy.until_ready(player)
    player.kill()
    player.wait()
    assert copy.record() != ""
    assert load_record(RunFolder(copy.state, 0)) is None
    until(lambda: not any(lives(pid) for pid in copy.pids()), "the process to be gone")
    again = copy.up()
    copy.until_ready(again, 2)
    again.send_signal(signal.SIGTERM)
    assert again.wait(15) == 0


def test_a_supervisor_in_the_background_is_in_no_session_of_ours(copy: Copy) -> None:
    """Closing the terminal does not end it."""
    copy.add("one")
    player = copy.up("--detach")
    player.communicate(timeout=15)
    record = load_record(RunFolder(copy.state, 0))
    assert record is not None
    assert os.getsid(record.pid) == record.pid
    assert Path(f"/proc/{record.pid}/fd/0").readlink() == Path("/dev/null")
    copy.run("down")
    assert not lives(record.pid)
