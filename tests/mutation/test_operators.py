"""The mutator itself: what it changes, what it leaves alone, and that it changes one thing at a time."""

import ast
import difflib
import hashlib

import pytest

from tests.mutation.engine import SOURCES, modules
from tests.mutation.equivalents import EQUIVALENT
from tests.mutation.operators import mutants
from tests.mutation.report import SURVIVED, problems

CHANGES = {
    "return a < b": ["a < b -> a <= b", "a < b -> a >= b", "return a < b -> return None"],
    "if a == b: go()": ["a == b -> a != b", "go() -> pass"],
    "if a: go()": ["if a -> if not a", "go() -> pass"],
    "while a and not b: go()": [
        "a and (not b) -> a or not b",
        "not b -> b",
        "while a and (not b) -> while not (a and (not b))",
        "go() -> pass",
    ],
    "a.x += b": ["a.x += b -> a.x -= b", "a.x += b -> pass"],
    "a.x = b // 2": ["b // 2 -> b * 2", "2 -> 3", "a.x = b // 2 -> pass"],
    "a = min(b, True)": ["min(b, True) -> max(b, True)", "True -> False"],
    "a = [one for one in b if one]": ["for one in b if one -> for one in b if not one"],
    "a = -b if c else 'd'": ["-b if c else 'd' -> -b if not c else 'd'", "-b -> b", "'d' -> 'not d'"],
    "raise Wrong(f'never {a + 1}')": ["raise Wrong(f'never {a + 1}') -> pass"],
    "return None": [],
    "a: Final = b": [],
}


@pytest.mark.parametrize(("line", "changes"), CHANGES.items(), ids=CHANGES)
def test_every_operator_makes_its_changes_and_no_other(line: str, changes: list[str]) -> None:
    """A statement in a function, and all that may be wrong with it."""
    found = mutants(f"def f(a, b, c):\n    {line}\n")

    assert sorted(one.change for one in found) == sorted(changes)
    assert {one.where for one in found} <= {"f"}


def test_what_has_no_behaviour_is_left_alone() -> None:
    """Docstrings, annotations, decorators, slots, type variables, imports."""
    source = '''
"""Says 1."""
from a import b
T = TypeVar("T")
@dataclass(frozen=True)
class A:
    """Says 2."""
    __slots__ = ("one",)
    def go(self, one: "int" = None) -> "str":
        """Says 3."""
        ...
'''
    assert mutants(source) == []


@pytest.mark.parametrize("module", modules())
def test_each_mutant_is_one_change_of_its_module(module: str) -> None:
    """No two alike, no two of one name; each differs in one place, compiles, and leaves the source as it was."""
    source = (SOURCES / f"{module}.py").read_text()
    whole = ast.unparse(ast.parse(source)).splitlines()
    found = mutants(source)

    assert len({one.key for one in found}) == len(found) > 0
    assert len({hashlib.sha256(one.source.encode()).digest() for one in found}) == len(found)
    for one in found:
        compile(one.source, one.key, "exec")
        changed = difflib.unified_diff(whole, one.source.splitlines(), n=0, lineterm="")
        hunks = [line for line in changed if line.startswith("@@")]
        assert len(hunks) == 1, one.key


def test_a_list_of_equivalents_that_is_not_true_is_a_problem() -> None:
    """One that is killed, one that is gone; and nine in ten is counted without those that nobody can kill."""
    listed = dict.fromkeys(EQUIVALENT["hedge"], SURVIVED)
    well = listed | {f"k{number}": "killed" for number in range(9)} | {"s": SURVIVED}

    assert list(problems("hedge", well)) == []
    assert list(problems("hedge", well | {"t": SURVIVED})) == ["hedge: 9 of 12 killed, 1 equivalent: 81.8%"]
    (killed,) = problems("hedge", well | dict.fromkeys(listed, "killed"))
    assert "a test kills it" in killed
    (gone,) = problems("hedge", {"k": "killed"})
    assert "no such mutant" in gone
