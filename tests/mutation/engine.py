"""Runs a module's own tests against each of its mutants: each in a fork, so that nothing of one reaches the next.

A mutant is killed when a test fails, or when the tests take ten times as long as they usually do. What the tests of a
module import is imported in the fork, after the mutant has taken the module's place; only libraries come before it, so
this runs in a process of its own (``python -m tests.mutation.engine breaker``, a line of JSON a module).
"""

import ast
import importlib.abc
import importlib.util
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final, NamedTuple

import hypothesis
import hypothesis.stateful
import pytest
import pytest_asyncio  # noqa: F401 - same
import tenacity  # noqa: F401 - same

from tests.mutation.operators import Mutant, mutants

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = "shared.resilience"
SOURCES: Final = ROOT / "shared/resilience"
TESTS: Final = ROOT / "tests/shared/resilience"
# Beside its own file: who else speaks for a module. A window is what a breaker judges by.
ALSO: Final = {"window": ("breaker",), "limit": ("bulkhead",), "bulkhead": ("limit",)}
WORKERS: Final = 2
# Of pytest: all passed; a test failed; the tests could not even be imported.
PASSED, FAILED, BROKEN = 0, 1, 2


class Result(NamedTuple):
    """What came of one mutant: ``survived``, ``killed`` or ``hung``."""

    mutant: Mutant
    outcome: str


def modules() -> list[str]:
    """Return the modules of the package that have behaviour."""
    return sorted(path.stem for path in SOURCES.glob("*.py") if path.stem != "__init__")


def run(module: str) -> list[Result]:
    """Test every mutant of a module. Raises RuntimeError when its tests do not pass without one, or do not run."""
    source = (SOURCES / f"{module}.py").read_text()
    began = time.monotonic()
    whole = _start(module, ast.unparse(ast.parse(source)))
    whole.join()
    if whole.exitcode != PASSED:
        raise RuntimeError(f"the tests of {module} do not pass as it is: exit {whole.exitcode}")
    longest_s = max(20.0, 10 * (time.monotonic() - began))  # ten times: a busy machine is no verdict
    return list(_judged(module, mutants(source), longest_s))


def _judged(module: str, left: Sequence[Mutant], longest_s: float) -> Iterator[Result]:
    waiting, running = list(reversed(left)), dict[BaseProcess, tuple[Mutant, float]]()
    while waiting or running:
        while waiting and len(running) < WORKERS:
            mutant = waiting.pop()
            running[_start(module, mutant.source)] = (mutant, time.monotonic() + longest_s)
        wait([one.sentinel for one in running], timeout=0.5)
        for process, (mutant, until) in list(running.items()):
            if process.is_alive() and time.monotonic() < until:
                continue
            hung = process.is_alive()
            process.kill()
            process.join()
            del running[process]
            if not hung and process.exitcode not in {PASSED, FAILED, BROKEN}:
                raise RuntimeError(f"the tests of {module} did not run: exit {process.exitcode}, {mutant.key}")
            outcome = "hung" if hung else "survived" if process.exitcode == PASSED else "killed"
            yield Result(mutant, outcome)


def _start(module: str, source: str) -> BaseProcess:
    files = [str(TESTS / f"test_{one}.py") for one in (module, *ALSO.get(module, ()))]
    process = multiprocessing.get_context("fork").Process(target=_test, args=(f"{PACKAGE}.{module}", source, files))
    process.start()
    return process


def _test(name: str, source: str, files: list[str]) -> None:
    """In the fork: put the source in the module's place, and run the tests."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    assert not [one for one in sys.modules if one.startswith(PACKAGE)], "imported before the mutant took its place"
    sys.meta_path.insert(0, _InItsPlace(name, compile(source, f"<mutant of {name}>", "exec")))
    # The same examples every time; nothing is written where the next fork would read it.
    hypothesis.settings.register_profile("mutants", derandomize=True, database=None, deadline=None, max_examples=60)
    hypothesis.settings.load_profile("mutants")
    # Plugins that the fork inherits are imported already; the kit of ``tests/conftest.py`` would import the package.
    options = ["-x", "-q", "--noconftest", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    code = pytest.main([*options, "--rootdir", str(ROOT), *files])
    os._exit(int(code))  # no handler of the parent's


class _InItsPlace(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module, and executes other code for it."""

    def __init__(self, name: str, code: CodeType) -> None:
        self._name = name
        self._code = code

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)  # noqa: S102 - it is what a loader does


def main(names: list[str]) -> None:
    """Print a JSON line a module: its name, and each of its mutants' key, line and outcome."""
    for module in names or modules():
        results = [[one.mutant.key, one.mutant.line, one.outcome] for one in run(module)]
        sys.stdout.write(json.dumps({"module": module, "results": results}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
