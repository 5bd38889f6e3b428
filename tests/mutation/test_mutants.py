"""The tests of ``shared/resilience`` notice when it is wrong: nine in ten of all small mistakes, in every module."""

import functools
import json
import subprocess
import sys

import pytest

from tests.mutation.engine import ROOT, modules
from tests.mutation.equivalents import EQUIVALENT
from tests.mutation.report import LEAST, problems, score, total

# A module takes some ten seconds; ten times that on a busy machine, and none of it may be judged by luck.
pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]


@functools.cache
def outcomes(module: str) -> dict[str, str]:
    """Run the mutants of a module in a process of its own: here, the package is imported already."""
    command = [sys.executable, "-m", "tests.mutation.engine", module]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return {key: outcome for key, _, outcome in json.loads(done.stdout.splitlines()[-1])["results"]}


@pytest.mark.parametrize("module", modules())
def test_the_tests_of_a_module_kill_nine_in_ten_of_its_mutants(module: str) -> None:
    """And what is listed as equivalent is there, and no test can tell it."""
    assert list(problems(module, outcomes(module))) == []


def test_all_of_it_is_killed_nine_in_ten_whatever_is_listed() -> None:
    """Without the list, too; and the list names no module that is not there."""
    whole = total(score(module, outcomes(module)) for module in modules())

    assert whole.killed / whole.mutants >= LEAST, str(whole)
    assert EQUIVALENT.keys() <= set(modules())
