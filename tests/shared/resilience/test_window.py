"""Counts of the last ten seconds, forgotten second by second."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.resilience.window import Counts, Window

LENGTH_S = 10.0


def window(length_s: float = LENGTH_S) -> Window:
    return Window(timedelta(seconds=length_s))


def test_what_is_counted_is_told_apart() -> None:
    """Calls, failures, slow ones; a call may be both."""
    one = window()
    one.count_well(100.0)
    one.count(100.1, failed=True, slow=False)
    one.count(100.2, failed=False, slow=True)
    one.count(100.3, failed=True, slow=True)

    assert one.totals() == Counts(calls=4, failures=2, slow=2)


def test_a_slice_ends_at_its_end() -> None:
    """At 101.0 the second begins that is forgotten at 111.0: what came at 100.999 is forgotten a second earlier."""
    for well in (True, False):
        one = window()
        for at_s in (100.999, 101.0):
            one.count_well(at_s)
        if well:
            one.count_well(110.0)
        else:
            one.count(110.0, failed=False, slow=False)
        assert one.totals().calls == 2
        one.count_well(111.0)
        assert one.totals().calls == 2  # the two since 110.0


def test_forgetting_is_beginning_anew() -> None:
    """Also within the same second."""
    one = window()
    one.count(100.0, failed=True, slow=True)
    one.forget()
    assert one.totals() == Counts(0, 0, 0)

    one.count_well(100.0)
    assert one.totals() == Counts(1, 0, 0)


@given(pauses=st.lists(st.integers(0, 120), max_size=60), length_s=st.sampled_from([LENGTH_S, 2.5, 30.0]))
def test_it_holds_the_last_window_to_a_tenth(pauses: list[int], length_s: float) -> None:
    """Everything younger than nine tenths of it, nothing older than all of it; however long it is."""
    one, now, at = window(length_s), 1000.0, []
    for tenths in pauses:
        now += tenths / 10 * length_s / LENGTH_S
        at.append(now)
        one.count(now, failed=True, slow=False)
        assert sum(now - moment <= 0.9 * length_s - 1e-6 for moment in at) <= one.totals().failures
        assert one.totals().failures <= sum(now - moment < length_s + 1e-6 for moment in at)
        assert one.totals().calls == one.totals().failures


def test_a_slice_begins_at_its_first_moment_for_failures_too() -> None:
    """At 101.0 exactly: forgotten at 111.0, a second after what came at 100.5."""
    one = window()
    for at_s in (100.5, 101.0):
        one.count(at_s, failed=True, slow=False)
    one.count_well(110.0)

    assert one.totals() == Counts(calls=2, failures=1, slow=0)


def test_a_short_window_counts_from_the_clocks_first_second() -> None:
    """A process may begin with its clock: half a second after zero is the fifth tenth of a second's window."""
    one = window(1.0)
    one.count(0.5, failed=True, slow=False)
    one.count_well(1.3)

    assert one.totals() == Counts(calls=2, failures=1, slow=0)
