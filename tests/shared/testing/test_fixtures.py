"""The plugin as a team uses it: in a pytest of its own, over a folder with one test."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CONFTEST = 'pytest_plugins = ["shared.testing.fixtures"]\n'
UNSCRIPTED = """
import httpx
import pytest

@pytest.mark.asyncio
async def test_x(backends):
    async with httpx.AsyncClient(base_url=backends.open("users").url) as client:
        assert (await client.get("/who?")).status_code == 501
"""
GOLDEN = """
import httpx

def test_x(golden):
    golden(httpx.Response(200, json={"a": 1}), "orders, down!")
"""
CLOCK = """
async def test_one_clock_for_all(manual_clock, backends, issuer):
    assert backends.open("users").clock is manual_clock
    assert issuer.claims()["iat"] == int(manual_clock.wall_s())

async def test_or_the_real_one(backends, issuer):
    import time
    assert abs(issuer.claims()["iat"] - time.time()) < 60
"""


@pytest.fixture
def team(tmp_path: Path):
    """A team's tests; call it with the text of one module to run them."""

    def run(text: str, *options: str, ci: str = "") -> subprocess.CompletedProcess[str]:
        (tmp_path / "conftest.py").write_text(CONFTEST)
        (tmp_path / "test_x.py").write_text(text)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", *options, "."],
            cwd=tmp_path, env=kept | {"PYTHONPATH": str(ROOT), "CI": ci},
            check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    return run


def test_what_no_test_scripted_fails_the_test(team) -> None:
    """Although the answer to it was expected: a screen that asks for more than its test knows is not tested."""
    done = team(UNSCRIPTED)

    assert done.returncode == 1
    assert "backends were asked what no test scripted: users GET /who?" in done.stdout


def test_goldens_are_compared_written_and_compared(team, tmp_path: Path) -> None:
    """Missing: a failure. With the flag: written, under a name for files. Then the same passes, another fails."""
    missing = team(GOLDEN)
    written = team(GOLDEN, "--update-goldens")
    same = team(GOLDEN)
    other = team(GOLDEN.replace('"a": 1', '"a": 2'))

    assert (missing.returncode, written.returncode, same.returncode, other.returncode) == (1, 0, 0, 1)
    assert "no golden orders-down.json" in missing.stdout
    assert re.search(r'-    "a": 1\n.*\+    "a": 2', other.stdout)
    assert [path.name for path in (tmp_path / "golden").iterdir()] == ["orders-down.json"]


def test_goldens_are_not_written_where_nobody_looks(team, tmp_path: Path) -> None:
    """CI compares."""
    done = team(GOLDEN, "--update-goldens", ci="true")

    assert done.returncode == 4
    assert "for a developer's machine" in done.stderr
    assert not (tmp_path / "golden").exists()


def test_who_asks_for_the_hand_turned_clock_has_it_everywhere(team) -> None:
    """Whatever asyncio mode a team runs in, its fixtures work: here, the strict one with a mark."""
    marked = "import pytest\npytestmark = pytest.mark.asyncio\n" + CLOCK
    done = team(marked)

    assert "2 passed" in done.stdout, done.stdout
