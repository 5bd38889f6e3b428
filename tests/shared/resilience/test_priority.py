"""How much a request matters, as its header says it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.resilience.priority import HEADER, Priority, ceilings, priority_from_header


@pytest.mark.parametrize(
    ("value", "priority"),
    [
        ("user", Priority.USER),
        ("refresh", Priority.REFRESH),
        ("prefetch", Priority.PREFETCH),
        (" Prefetch ", Priority.PREFETCH),
        (None, Priority.USER),
        ("", Priority.USER),
        ("urgent", Priority.USER),
        ("2", Priority.USER),
        ("prefetch, user", Priority.USER),
    ],
)
def test_unknown_is_a_person(value: str | None, priority: Priority) -> None:
    """Whoever does not know the word must not be shed for it."""
    assert priority_from_header(value) is priority


@given(st.text())
def test_no_header_is_an_exception(value: str) -> None:
    """There is always a priority."""
    assert priority_from_header(value) in Priority


@given(st.integers(0, 10_000))
def test_who_matters_more_may_use_at_least_as_much(limit: int) -> None:
    """A person all of it; everybody at least one, if there is any."""
    shares = ceilings(limit)

    assert shares[Priority.USER] == limit
    assert sorted(shares, reverse=True) == list(shares)
    assert min(shares) == min(limit, max(1, limit * 3 // 4))


def test_room_is_kept_as_documented() -> None:
    """Of a hundred: people all, refreshes nine tenths, prefetches three quarters; of two, one is kept for people."""
    assert ceilings(100) == (100, 90, 75)
    assert ceilings(2) == (2, 1, 1)
    assert [ceilings(100)[one] for one in Priority] == [100, 90, 75]


def test_the_name_on_the_wire_is_the_edges() -> None:
    """The edge caps this header; under another name every request would be a person's."""
    assert HEADER == "x-priority"
