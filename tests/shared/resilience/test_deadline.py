"""Deadline arithmetic and its form on the wire."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.resilience.deadline import HEADER, TICK_S, Deadline, budget_from_header

CEILING = timedelta(seconds=3)


def test_what_is_left_shrinks_and_is_never_negative() -> None:
    """A deadline is a point in time, not a duration."""
    deadline = Deadline.after(timedelta(seconds=2), now_s=100.0)

    assert deadline.remaining_s(100.0) == 2.0
    assert deadline.remaining_s(101.5) == 0.5
    assert deadline.remaining_s(200.0) == 0.0


def test_a_deadline_one_clock_tick_away_has_passed() -> None:
    """A timer that fires a tick early must not start another round of waiting."""
    deadline = Deadline(100.0)

    assert not deadline.passed(99.99)
    assert deadline.passed(99.9995)
    assert deadline.passed(100.0)
    assert deadline.passed(100.1)


def test_a_reserve_is_kept_back() -> None:
    """Work after the deadline's work has its own time."""
    assert Deadline(100.0).earlier(timedelta(milliseconds=25)) == Deadline(99.975)


@pytest.mark.parametrize(("left_s", "said"), [(2.0, 2000), (0.5004, 500), (0.0004, 1), (0.0, 1), (-5.0, 1)])
def test_the_header_says_whole_milliseconds_and_never_zero(left_s: float, said: int) -> None:
    """A backend that reads 0 as "no limit" must not be handed one."""
    assert Deadline(100.0 + left_s).header_ms(100.0) == said


@pytest.mark.parametrize(
    "value",
    [None, "", " ", "abc", "-1", "+5", "1.5", "1e3", "0x10", "12 ", "1,2", "٣", "²", "NaN", "9" * 10, "9" * 5000],
    ids=ascii,
)
def test_garbage_in_the_header_leaves_the_ceiling(value: str | None) -> None:
    """Nothing that is not a plain number of milliseconds can move the deadline."""
    assert budget_from_header(value, CEILING) == CEILING


@pytest.mark.parametrize(
    ("value", "budget_ms"), [("250", 250), ("2999", 2999), ("3000", 3000), ("3001", 3000), ("999999999", 3000)]
)
def test_a_caller_may_shorten_the_ceiling_but_never_extend_it(value: str, budget_ms: int) -> None:
    """The route's own time is the upper bound."""
    assert budget_from_header(value, CEILING) == timedelta(milliseconds=budget_ms)


@pytest.mark.parametrize("value", ["0", "000", "1"])
def test_no_time_at_all_is_one_millisecond(value: str) -> None:
    """A budget of zero is spent, not absent."""
    assert budget_from_header(value, CEILING) == timedelta(milliseconds=1)


@given(value=st.one_of(st.none(), st.text(max_size=30), st.integers().map(str)), ceiling_ms=st.integers(1, 60_000))
def test_whatever_a_header_says_the_budget_is_positive_and_within_the_ceiling(
    value: str | None, ceiling_ms: int
) -> None:
    """No input opens a deadline that lies in the past or beyond the ceiling."""
    ceiling = timedelta(milliseconds=ceiling_ms)

    assert timedelta(0) < budget_from_header(value, ceiling) <= ceiling


def test_a_deadline_exactly_one_tick_away_has_passed() -> None:
    """The tick itself counts as reached."""
    assert Deadline(TICK_S).passed(0.0)


def test_nine_digits_are_read_and_ten_are_garbage() -> None:
    """A ceiling of a year: eleven days are a wish, a hundred and fifteen are not."""
    year = timedelta(days=365)

    assert budget_from_header("9" * 9, year) == timedelta(milliseconds=999_999_999)
    assert budget_from_header("9" * 10, year) == year


def test_the_name_on_the_wire_is_the_edges() -> None:
    """The edge writes this header; another name would be no deadline at all."""
    assert HEADER == "x-deadline-ms"
