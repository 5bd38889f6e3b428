"""What the mutants say of the tests: ``make mutants``, or ``python -m tests.mutation.report breaker budget``.

Owns the judgement: of the mutants that anybody could tell from the module, nine in ten must be killed.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from tests.mutation.engine import Result, modules, run
from tests.mutation.equivalents import EQUIVALENT

LEAST: Final = 0.9
SURVIVED: Final = "survived"


class Score(NamedTuple):
    """Of one module, or of all: how many mutants, how many killed, how many that nobody can tell from the module."""

    mutants: int
    killed: int
    equivalent: int

    @property
    def rate(self) -> float:
        """The share of those killed that could be."""
        return self.killed / (self.mutants - self.equivalent)

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.killed} of {self.mutants} killed, {self.equivalent} equivalent: {self.rate:.1%}"


def score(module: str, outcomes: Mapping[str, str]) -> Score:
    """Count the outcomes by key. An equivalent mutant cannot be killed, so it counts for neither side."""
    listed = EQUIVALENT.get(module, {}).keys() & outcomes.keys()
    killed = sum(outcome != SURVIVED for key, outcome in outcomes.items() if key not in listed)
    return Score(len(outcomes), killed, len(listed))


def total(scores: Iterable[Score]) -> Score:
    """Add up."""
    return Score(*(sum(kind) for kind in zip(*scores, strict=True)))


def problems(module: str, outcomes: Mapping[str, str]) -> Iterator[str]:
    """Say what is wrong: too few killed, or a list of equivalents that is not true any more."""
    listed = EQUIVALENT.get(module, {})
    for key in listed:
        if key not in outcomes:
            yield f"{module}: listed as equivalent, and there is no such mutant: {key}"
        elif outcomes[key] != SURVIVED:
            yield f"{module}: listed as equivalent, and a test kills it: {key}"
    if (found := score(module, outcomes)).rate < LEAST:
        yield f"{module}: {found}"


def survivors(module: str, results: Iterable[Result]) -> Iterator[str]:
    """Name those that a test should have killed."""
    for one in results:
        if one.outcome == SURVIVED and one.mutant.key not in EQUIVALENT.get(module, {}):
            yield f"  line {one.mutant.line}: {one.mutant.key}"


def main(names: list[str]) -> int:
    """Print a line a module and a line a survivor; return 1 when something is wrong."""
    scores, wrong = [], []
    for module in names or modules():
        results = run(module)
        outcomes = {one.mutant.key: one.outcome for one in results}
        scores.append(score(module, outcomes))
        wrong += problems(module, outcomes)
        sys.stdout.write("\n".join([f"{module:<9} {scores[-1]}", *survivors(module, results)]) + "\n")
        sys.stdout.flush()
    sys.stdout.write("\n".join([f"{'all':<9} {total(scores)}", *(f"problem: {one}" for one in wrong)]) + "\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
