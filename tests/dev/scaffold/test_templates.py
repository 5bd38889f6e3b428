"""What the templates become, without making it whole: no twins, nothing left of the newcomer."""

from itertools import combinations
from pathlib import Path

import pytest

from dev.scaffold.create import CONTRACTS, copy, renaming
from tests.architecture.test_style import blocks

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two of each style."""
    folder = tmp_path_factory.mktemp("made")
    for name, style, port in (
        ("aa", "rest", 8003),
        ("bb", "rest", 8004),
        ("cc", "graphql", 8005),
        ("dd", "graphql", 8006),
    ):
        copy(ROOT / "dev/scaffold" / style, folder / "bffs" / name, renaming(name, style, port))
        copy(ROOT / "tests/dev/scaffold" / style, folder / "tests/bffs" / name, renaming(name, style, port))
    return {path.name: path for path in (folder / "bffs").iterdir()}


def test_two_of_a_style_are_no_twins(made: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each other, nor of the family's own: the rule of ``tests/architecture`` holds on the first day."""
    monkeypatch.setattr("tests.architecture.test_style.name", str)
    families = [*made.values(), ROOT / "bffs/mobile", ROOT / "bffs/web"]
    for left, right in combinations(families, 2):
        ours, theirs = blocks(left), blocks(right)
        assert {ours[block]: theirs[block] for block in ours.keys() & theirs.keys()} == {}


def test_nothing_is_left_of_the_template(made: dict[str, Path]) -> None:
    """No name, no path, no port."""
    texts = {path: path.read_text() for path in next(iter(made.values())).parents[1].rglob("*") if path.is_file()}

    assert len(texts) > 40
    for word in ("newcomer", "scaffold", "8009"):
        assert [str(path) for path, text in texts.items() if word in text.lower()] == []


def test_every_style_has_its_contract() -> None:
    """And every template its style."""
    templates = {path.parent.name for path in (ROOT / "dev/scaffold").glob("*/__main__.py")}
    assert templates == set(CONTRACTS)
