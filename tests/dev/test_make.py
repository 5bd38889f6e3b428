import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
RUN = ("demo", "up", "down")
CHECK = ("test", "test-long", "lint", "types")
MAKE = ("contracts", "lock")
TARGETS = ("help", "setup", *RUN, *CHECK, *MAKE, "bench", "clean")


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make in the tree."""
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_help_lists_every_target() -> None:
    """What a person may type, each with a line that says what for."""
    listed = re.findall(r"^  make (\S+) +\S", make("help").stdout, re.MULTILINE)
    assert set(TARGETS) <= set(listed)


@pytest.mark.parametrize("target", [*RUN, *CHECK, *MAKE, "clean"])
def test_every_target_sees_to_the_environment_first(target: str) -> None:
    """But clean, which takes it away."""
    planned = make("--dry-run", target).stdout
    assert ("dev/setup.py" in planned) == (target != "clean")


def test_the_bench_says_plainly_that_it_is_not_here_yet() -> None:
    """With an exit code that no script takes for success."""
    done = make("bench")
    assert done.returncode == 2
    assert "next release" in done.stderr


def test_ci_and_the_hooks_run_what_developers_run() -> None:
    """One list of checks, in the Makefile."""
    assert "make lint types test" in (ROOT / ".ci/run").read_text()
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [hook["entry"] for repo in hooks for hook in repo["hooks"]] == ["make lint", "make types", "make test"]
