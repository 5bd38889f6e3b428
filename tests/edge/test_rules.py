"""Each rule has one tiny bad file and its valid twin; the mark ``# <-`` stands on the line that is to blame."""

from pathlib import Path

import pytest

from edge.load import READING_RULES, load
from edge.rules import JUDGES, judge

BAD = Path(__file__).parent / "bad"
RULES = [*READING_RULES, *(one.__name__ for one in JUDGES)]
LATER = BAD / "later"


def problems_of(path: Path) -> list:
    loaded = load(path, {})
    return [*loaded.problems, *(judge(loaded.edge) if loaded.edge else [])]


def marked_lines(path: Path) -> list[str]:
    """Where the marks are, in a file or in the fragment that it includes."""
    files = [path, *(path.parent / "fragments").glob(f"{path.name.split('.')[0]}.yaml")]
    return [
        f"{file.name}:{number}"
        for file in files
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if line.endswith("# <-")
    ]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_its_pair(rule):
    """The bad file breaks this rule and no other, at the marked line, with a remedy; its twin breaks none."""
    bad, good = BAD / f"{rule}.bad.yaml", BAD / f"{rule}.good.yaml"
    found = problems_of(bad)
    assert {problem.rule for problem in found} == {rule}
    assert {f"{Path(one.place.file).name}:{one.place.line}" for one in found} == set(marked_lines(bad))
    assert all(problem.message and problem.remedy for problem in found)
    assert problems_of(good) == []


def test_no_pair_is_left_over():
    """A file for a rule that is gone would test nothing."""
    assert {path.name.split(".")[0] for path in BAD.glob("*.yaml")} == set(RULES)


def test_two_files_differ_in_little():
    """A pair shows one fault: at most one line of each file."""
    for rule in RULES:
        bad = (BAD / f"{rule}.bad.yaml").read_text().splitlines()
        good = (BAD / f"{rule}.good.yaml").read_text().splitlines()
        assert len(bad) == len(good), rule
        assert sum(one != other for one, other in zip(bad, good, strict=True)) <= 1 + (rule == "idle_exemption"), rule


@pytest.mark.parametrize("path", sorted(LATER.glob("*.yaml")), ids=lambda path: path.stem)
def test_what_comes_later_is_refused_and_never_ignored(path):
    """Each part of the schema that cannot be compiled yet says so at its line, and what to use instead."""
    found = problems_of(path)
    assert {problem.rule for problem in found} == {"later_release"}
    assert {f"{Path(one.place.file).name}:{one.place.line}" for one in found} == set(marked_lines(path))
    assert all(problem.remedy.startswith("use ") for problem in found)
