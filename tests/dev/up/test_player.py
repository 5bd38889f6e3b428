import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.dev.up.harness import ROOT, Copy, free_port, lives, until

HEALTHY = "service_healthy"


def ask_to_stop(player: subprocess.Popen, number: int = signal.SIGTERM) -> str:
    """Send a signal and return all that the player said."""
    player.send_signal(number)
    said, _ = player.communicate(timeout=15)
    return said


def test_services_start_in_order_each_behind_a_ready_gate(copy: Copy) -> None:
    """A service is started only when those it needs answer, however long they take."""
    copy.add("front", needs={"middle": HEALTHY})
    copy.add("middle", needs={"back": HEALTHY})
    copy.add("back", "late")
    player = copy.up()
    copy.until_ready(player)
    said = ask_to_stop(player)
    assert copy.events() == [
        *("back begun", "back ready", "middle begun", "middle ready", "front begun", "front ready"),
        *("front ended", "middle ended", "back ended"),
    ]
    assert re.search(r"ready  back    http://127.0.0.1:\d+  in +[3-9]\d\d ms", said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_drains_and_exits_with_0(copy: Copy, number: int) -> None:
    """Ctrl-C and SIGTERM alike: everything is asked to end, in reverse order, and nothing is left."""
    copy.add("front", needs={"back": HEALTHY})
    copy.add("back")
    player = copy.up()
    copy.until_ready(player)
    said = ask_to_stop(player, number)
    assert player.returncode == 0
    assert copy.events()[-2:] == ["front ended", "back ended"]
    assert not any(lives(pid) for pid in copy.pids())
    assert "SIGKILL" not in said
    assert copy.record() == ""


def test_a_service_that_does_not_listen_is_ended_and_named(copy: Copy) -> None:
    """After its grace it is killed with its group, and a person is told which it was; the exit is still 0."""
    copy.add("deaf", "deaf", grace="1s")
    copy.add("well")
    player = copy.up()
    copy.until_ready(player)
    said = ask_to_stop(player)
    assert player.returncode == 0
    assert re.search(r"ended  deaf .* by SIGKILL", said)
    assert re.search(r"gone   well", said)
    assert not any(lives(pid) for pid in copy.pids())


def test_a_child_left_behind_goes_with_its_group(copy: Copy) -> None:
    """A service that ends without its own children does not leave them to the machine."""
    copy.add("parent", "child")
    player = copy.up()
    copy.until_ready(player)
    assert len(copy.pids()) == 2
    ask_to_stop(player)
    assert player.returncode == 0
    assert not any(lives(pid) for pid in copy.pids())


def test_a_second_signal_no_longer_waits(copy: Copy) -> None:
    """Ctrl-C twice ends a copy at once, whatever grace a service has; the exit code says it was forced."""
    copy.add("deaf", "deaf", grace="60s")
    player = copy.up()
    copy.until_ready(player)
    player.send_signal(signal.SIGINT)
    until(lambda: "deaf ended" in copy.events(), "the first signal to be handed on")
    said = ask_to_stop(player, signal.SIGINT)
    assert player.returncode == 130
    assert "SIGKILL" in said
    assert not any(lives(pid) for pid in copy.pids())


def test_a_signal_while_starting_stops_what_has_started(copy: Copy) -> None:
    """Nobody has to wait for a service that is never ready."""
    copy.add("front", needs={"back": HEALTHY})
    copy.add("back", "never")
    player = copy.up()
    until(lambda: "back begun" in copy.events(), "back to begin")
    ask_to_stop(player, signal.SIGINT)
    assert player.returncode == 0
    assert copy.events() == ["back begun", "back ended"]


def test_a_service_that_dies_is_reported_with_its_last_words(copy: Copy) -> None:
    """Nothing is restarted silently: the copy stops, and says who died, how, and what it said last."""
    copy.add("well")
    copy.add("ill", "die", needs={"well": HEALTHY})
    player = copy.up()
    said, _ = player.communicate(timeout=15)
    assert player.returncode == 1
    assert "ill ended with exit code 3" in said
    assert "    this is the last thing I say" in said
    assert copy.events()[-1] == "well ended"
    assert not any(lives(pid) for pid in copy.pids())


def test_no_orphan_is_left_when_the_player_is_killed_outright(copy: Copy) -> None:
    """A player killed with -9 has no time for anything; its processes and their children go all the same."""
    copy.add("parent", "child", needs={"deaf": HEALTHY})
    copy.add("deaf", "deaf")
    player = copy.up()
    copy.until_ready(player)
    pids = copy.pids()
    assert len(pids) == 3
    player.kill()
    player.wait()
    until(lambda: not any(lives(pid) for pid in pids), "every process to be gone")


def test_every_busy_port_is_reported_before_anything_starts(copy: Copy) -> None:
    """All of them at once, with the service, the holder and an offset that would do."""
    ports = [copy.add("one"), copy.add("two")]
    copy.add("three")
    holders = [
        subprocess.Popen(
            [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for port in ports
    ]
    try:
        for port in ports:
            until(lambda port=port: answers(port), "the holder to listen")
        player = copy.up()
        said, _ = player.communicate(timeout=15)
    finally:
        for holder in holders:
            holder.kill()
            holder.wait()
    assert player.returncode == 2
    for name, port, holder in zip(("one", "two"), ports, holders, strict=True):
        assert re.search(rf"{name} needs port {port}: held by pid {holder.pid} \(.*http.server", said)
    assert re.search(r"--port-offset \d+000", said)
    assert copy.events() == []


def answers(port: int) -> bool:
    """Say whether a server answers there."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/").is_success
    except httpx.HTTPError:
        return False


def test_two_copies_run_side_by_side(copy: Copy) -> None:
    """Another offset, the same folder: each has its own ports and its own record, and one stops without the other."""
    copy.add("front", needs={"back": HEALTHY})
    port = copy.add("back")
    first = copy.up()
    copy.until_ready(first)
    copy.offset = free_port() - port
    second = copy.up()
    copy.until_ready(second, 4)
    assert answers(port)
    assert answers(port + copy.offset)
    ask_to_stop(second)
    assert second.returncode == 0
    assert answers(port)
    ask_to_stop(first)
    assert first.returncode == 0


def test_a_second_copy_at_the_same_offset_is_told_how_to_stop_the_first(copy: Copy) -> None:
    """It neither fights for ports nor touches the first one's record."""
    copy.add("one")
    first = copy.up()
    copy.until_ready(first)
    again = copy.run("up")
    assert again.returncode == 2
    assert f"supervisor pid {first.pid}" in again.stdout
    assert "python -m dev down" in again.stdout
    assert '"ready"' in copy.record()
    ask_to_stop(first)
    assert first.returncode == 0


def test_what_the_shell_holds_does_not_change_what_compose_says(copy: Copy) -> None:
    """FRONTAGE_* and EDGE_* of the caller stay outside; PATH and the like come along."""
    port = copy.add("one")
    os.environ["FRONTAGE_STRAY"] = "x"
    try:
        player = copy.up()
    finally:
        del os.environ["FRONTAGE_STRAY"]
    copy.until_ready(player)
    seen = httpx.get(f"http://127.0.0.1:{port}/").text
    ask_to_stop(player)
    assert "FRONTAGE_STRAY" not in seen
    assert "PATH" in seen


def test_ctrl_c_under_make_ends_make_with_0(copy: Copy, tmp_path: Path) -> None:
    """A terminal sends Ctrl-C to make as well, which would then fail whatever we do: so the terminal is ours alone."""
    copy.add("one")
    copy.describe()
    (tmp_path / "Makefile").write_text("up:\n\t@" + " ".join(copy.dev("up")) + "\n")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execvp("make", ["make", "-f", str(tmp_path / "Makefile"), "up"])  # noqa: S606 - no shell between us and make
    until(lambda: '"ready"' in copy.record(), "the copy to be ready")
    os.write(terminal, b"\x03")
    said = b""
    while chunk := _read(terminal):
        said += chunk
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, said.decode()
    assert b"\x1b[32mready" in said  # a terminal gets colours
    assert not any(lives(pid) for pid in copy.pids())


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux: the other side is gone
        return b""
