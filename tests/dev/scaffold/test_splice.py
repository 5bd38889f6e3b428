"""Entries come and go, and nothing else of a file changes."""

from pathlib import Path

import pytest

from dev.scaffold.create import renaming
from dev.scaffold.entries import entries
from dev.scaffold.splice import SpliceError, insert, insert_after, remove

ROOT = Path(__file__).resolve().parents[3]
TEXT = """\
# first
services:
  # about one
  one:
    image: a
    ports: [1]

  two:
    environment:
      A: 1
      # about B
      B: 2
    image: b

# about volumes
volumes:
  x: {}
"""


def test_an_entry_goes_to_the_end_of_its_block() -> None:
    """Before the blank line and the comment that belong to the next one."""
    assert insert(TEXT, ("services", "two", "environment"), "      C: 3\n") == TEXT.replace(
        "B: 2\n", "B: 2\n      C: 3\n"
    )
    assert insert(TEXT, ("services",), "\n  three: {}\n") == TEXT.replace("image: b\n", "image: b\n\n  three: {}\n")
    assert insert(TEXT, ("volumes",), "  y: {}\n") == TEXT + "  y: {}\n"


@pytest.mark.parametrize(
    ("where", "entry", "key"),
    [
        (("services",), "\n  three:\n    image: c\n", "three"),
        (("services", "two", "environment"), "      C: 3\n", "C"),
        (("volumes",), "  y: {}\n", "y"),
    ],
)
def test_what_was_added_is_taken_away_without_a_trace(where: tuple[str, ...], entry: str, key: str) -> None:
    """Byte for byte."""
    assert remove(insert(TEXT, where, entry), (*where, key)) == TEXT


def test_a_line_follows_the_last_of_its_kind() -> None:
    assert insert_after("- a: 1\n- b: 2\nc\n", r"- \w: ", "- d: 3\n") == "- a: 1\n- b: 2\n- d: 3\nc\n"


def test_a_place_that_is_not_there_is_said() -> None:
    """Which part of the way is missing."""
    with pytest.raises(SpliceError, match=r"no services\.three"):
        insert(TEXT, ("services", "three", "image"), "")
    with pytest.raises(SpliceError, match="no line begins with"):
        insert_after(TEXT, "nothing", "")


def test_every_entry_of_this_tree_comes_and_goes() -> None:
    """Each file of the tree, with two BFFs added and the first taken away: as if it had never been."""
    first = entries(renaming("partner", "rest", 8003), "api_key")
    second = entries(renaming("kiosk", "graphql", 8004), "api_key")
    for one, other in zip(first, second, strict=True):
        text = (ROOT / one.file).read_text()
        both = other.add(one.add(text))
        assert "partner" in both
        assert one.take(both) == other.add(text)
        assert one.take(one.add(text)) == text
