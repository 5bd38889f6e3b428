"""The bench's own arithmetic and layout; that its figures are right only a run can show."""

from pathlib import Path

import pytest

from tests.bench.groups import GROUPS
from tests.bench.growth import for_each
from tests.bench.measure import LOAD_LIMIT, Row, Sample, row_of
from tests.bench.ratios import against, against_others
from tests.bench.table import BEGIN, END, as_markdown, as_text, replace_between_marks


def row(variant: str, rps: float, load: str = "c=64") -> Row:
    return row_of("mobile", load, variant, [Sample(rps, 1.0, 2.0, 100.0, 0.1, 1.0)], 50.0)


def test_frontage_is_set_against_every_other_variant_under_the_same_load() -> None:
    """2.0 means twice as fast; rows under another load do not count."""
    rows = against_others([row("frontage", 200), row("node-fastify", 100), row("node-fastify", 50, "c=8")])

    assert [one.ratios for one in rows] == [{"node-fastify": 2.0}, {}, {}]


def test_a_variant_is_set_against_itself_without_the_feature() -> None:
    """Every row but the base has one ratio."""
    rows = against([row("frontage", 200), row("frontage-100%", 150)], "frontage")

    assert [one.ratios for one in rows] == [{}, {"frontage": 0.75}]


def test_a_row_is_the_median_of_its_samples_and_says_how_far_they_lie_apart() -> None:
    """One odd round does not move it."""
    made = row_of("g", "l", "v", [Sample(rps, 1, 2, 3, 0.1, 1) for rps in (90, 100, 200)], 1)

    assert (made.rps, made.spread, made.lower_bound) == (100, pytest.approx(1.1), False)


def test_a_busy_load_generator_makes_a_lower_bound() -> None:
    """Then the table says ≥."""
    made = row_of("g", "l", "v", [Sample(1000, 1, 2, 3, LOAD_LIMIT, 1)], 1)

    assert made.lower_bound
    assert "≥ 1,000" in as_text([made])


def test_the_table_stands_between_its_marks(tmp_path: Path) -> None:
    """What stands around them is left alone; a second run replaces the first."""
    document = tmp_path / "performance.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    table = as_markdown([row("frontage", 1234)], {"Python": "3.11"}, ["a note"])

    replace_between_marks(document, table)
    replace_between_marks(document, table)

    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert text.count("| mobile | c=64 | frontage | 1,234 |") == 1


def test_every_group_says_what_it_compares() -> None:
    """A group without a word is a figure without a meaning."""
    assert all(group.__doc__ for group in GROUPS.values())


def test_growth_is_told_for_each_one_and_named_where_it_is_faster_than_linear() -> None:
    """The second pays 60 µs for each of three, less than the first; the third 150 µs for each of ten."""
    rows = [row("frontage", 1), row("frontage", 1), row("frontage", 1)]
    for one, cpu_us in zip(rows, (100.0, 180.0, 1500.0), strict=True):
        one.cpu_us = cpu_us

    notes = [one.note for one in for_each(rows, [1, 3, 10], "a branch")]

    assert notes == ["100 µs a branch", "60 µs a branch", "150 µs a branch, more than with fewer"]
