import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
RUN = ("demo", "up", "down")
CHECK = ("test", "test-long", "scaffold-check", "lint", "types")
MAKE = ("contracts", "lock")
TARGETS = ("help", "setup", *RUN, *CHECK, *MAKE, "bench", "clean")


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make in the tree."""
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_help_lists_every_target() -> None:
    """What a person may type, each with a line that says what for."""
    listed = re.findall(r"^  make (\S+) +\S", make("help").stdout, re.MULTILINE)
    assert set(TARGETS) <= set(listed)


@pytest.mark.parametrize("target", [*RUN, *CHECK, *MAKE, "bench", "clean"])
def test_every_target_sees_to_the_environment_first(target: str) -> None:
    """But clean, which takes it away."""
    planned = make("--dry-run", target).stdout
    assert ("dev/setup.py" in planned) == (target != "clean")


def test_the_bench_measures_the_groups_that_are_asked_for() -> None:
    """All of them, when none is named."""
    assert '-m tests.bench --groups "mobile,tracing"' in make("--dry-run", "bench", "GROUPS=mobile,tracing").stdout
    assert '-m tests.bench --groups ""' in make("--dry-run", "bench").stdout


def test_ci_and_the_hooks_run_what_developers_run() -> None:
    """One list of checks, in the Makefile."""
    assert "make lint types test\nmake scaffold-check\n" in (ROOT / ".ci/run").read_text()
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [hook["entry"] for repo in hooks for hook in repo["hooks"]] == ["make lint", "make types", "make test"]
