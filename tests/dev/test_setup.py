import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def setup(tmp_path: Path):
    """dev/setup.py as if it lay in an empty tree, with the lock beside it."""
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/setup.py").write_bytes((ROOT / "dev/setup.py").read_bytes())
    (tmp_path / "requirements.lock").write_bytes((ROOT / "requirements.lock").read_bytes())
    spec = importlib.util.spec_from_file_location("frontage_setup", tmp_path / "dev/setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_current_environment_is_found_at_once(setup) -> None:
    """Every make target asks first: it must cost next to nothing."""
    setup.VENV.mkdir()
    setup.STAMP.write_text(setup.stamp())
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-I", "-S", setup.ROOT / "dev/setup.py"], capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stdout == b""
    assert time.monotonic() - begun < 1.5  # 0.1 s by itself; CI's machines are busy


def test_another_lock_python_or_place_makes_it_anew(setup) -> None:
    """Scripts in an environment hold absolute paths: a tree that was moved is not current."""
    before = setup.stamp()
    setup.LOCK.write_text(setup.LOCK.read_text() + "\n")
    assert setup.stamp() != before
    assert str(setup.VENV) in before
    assert f"{sys.version_info[0]}.{sys.version_info[1]}" in before


def test_every_package_of_the_lock_is_one_block_with_its_hashes(setup) -> None:
    """The installer goes block by block, so that a person sees how far it is; none is lost on the way."""
    text = setup.LOCK.read_text()
    blocks = setup.locked(text)
    assert "".join(blocks) == text
    assert all("--hash=sha256:" in block for block in blocks)
    assert any(block.startswith("uv==") for block in blocks)


def test_a_python_that_is_too_old_is_told_so(setup, capsys: pytest.CaptureFixture[str]) -> None:
    """With what was found, what is needed, and how to name another."""
    setup.NEEDED = (99, 0)
    assert setup.main() == 1
    assert "Python 3.11 or newer" in capsys.readouterr().err


def test_a_much_quicker_build_of_the_same_python_is_taken(setup, tmp_path, monkeypatch) -> None:
    """A build without profiles makes everything half as slow again; one that is hardly quicker is not worth it."""
    quick = tmp_path / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    monkeypatch.setenv("PATH", str(tmp_path))
    for took, chosen in ((1.0, str(quick)), (1.4, "mine"), (float("inf"), "mine")):
        says = {str(quick): took, "mine": 1.5}
        monkeypatch.setattr(setup, "seconds", lambda python, says=says: says.get(python, float("inf")))
        assert setup.quickest("mine") == chosen


def test_what_is_no_python_takes_for_ever(setup, tmp_path) -> None:
    """A name on the path may be a script, a broken link, or a Python that cannot make an environment."""
    assert 0 < setup.seconds(sys.executable) < float("inf")
    assert setup.seconds(str(tmp_path / "missing")) == float("inf")
    assert setup.seconds("/bin/true") == float("inf")


def test_a_failing_step_shows_the_end_of_what_it_said(setup, capsys: pytest.CaptureFixture[str]) -> None:
    """And leaves no stamp: the next run goes on."""
    setup.create_venv = lambda _: setup.run([sys.executable, "-c", "print('no such wheel'); raise SystemExit(3)"])
    assert setup.main() == 1
    said = capsys.readouterr().err
    assert "ended with 3" in said
    assert "no such wheel" in said
    assert not setup.STAMP.exists()
