"""CONTRIBUTING.md does what it says: its screen and every example of the kit, in a copy of the tree."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BLOCK = re.compile(r"^```python\n# (\S+\.py)( \(at the end\))?\n(.*?)^```", re.MULTILINE | re.DOTALL)
NEEDED = ("pyproject.toml", "shared", "bffs", "tests/conftest.py", "tests/bffs/mobile")


def blocks() -> list[tuple[str, bool, str]]:
    """Return the file, whether it is there already, and the text of every block."""
    return [(name, bool(end), text) for name, end, text in BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text())]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree, after somebody has done what the document says."""
    copy = tmp_path_factory.mktemp("contributing")
    for name in NEEDED:
        place = copy / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, place)
    for name, at_the_end, text in blocks():
        place = copy / name
        assert place.exists() is at_the_end, f"{name}: {'missing' if at_the_end else 'there already'}"
        place.write_text(f"{place.read_text()}\n\n{text}" if at_the_end else text)
    return copy


def run(tree: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=tree, check=False, capture_output=True, text=True, timeout=100,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_block_of_python_is_one_of_these() -> None:
    """A block that is not recognised would be a block that nobody runs."""
    text = (ROOT / "CONTRIBUTING.md").read_text()

    assert text.count("```python") == len(blocks()) >= 12


def test_the_screen_and_the_examples_pass(tree: Path) -> None:
    """Every test in the document."""
    tests = ("tests/bffs/mobile/test_parcels.py", "tests/bffs/mobile/test_examples.py")
    written = sum(text.count("async def test_") for _, _, text in blocks())
    said = run(tree, "pytest", "-q", "-p", "no:cacheprovider", *tests)

    assert written == 10
    assert f"{written - 1 + 8} passed" in said, "one example runs for each of eight faults"


def test_the_screen_is_in_the_contract_and_costs_what_explain_says(tree: Path) -> None:
    """What step 5 shows: a path for clients, and both sections with their worst case."""
    assert '"/mobile/v1/parcels"' in run(tree, "bffs.mobile", "contract")
    assert "parcels" in run(tree, "bffs.mobile", "explain")


def test_what_is_pasted_passes_the_linter(tree: Path) -> None:
    """Style and format of the new files, as they stand in the document."""
    files = ("bffs/mobile/screens/parcels.py", "tests/bffs/mobile/test_parcels.py")
    run(tree, "ruff", "check", "--no-cache", *files)
    run(tree, "ruff", "format", "--no-cache", "--check", *files)
