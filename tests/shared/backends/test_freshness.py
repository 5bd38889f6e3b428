"""Cache-Control and its relatives, as RFC 9111 and RFC 5861 say; what is unclear is read the strict way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backends.channel import PlainReply
from shared.backends.freshness import Freshness, age_on_arrival, directives, freshness, kept_headers

NOW = 1_795_000_000.0  # Wed, 18 Nov 2026 11:06:40 GMT
DATE = "Wed, 18 Nov 2026 11:06:40 GMT"
MINUTE_LATER = "Wed, 18 Nov 2026 11:07:40 GMT"


def read(*headers: tuple[str, str], public: bool = False) -> Freshness | None:
    return freshness(kept_headers(PlainReply(200, b"", headers)), public=public, wall_s=NOW)


def control(value: str, **how: bool) -> Freshness | None:
    return read(("cache-control", value), **how)


LIFETIMES = [
    ("max-age=60", 60),
    ("MAX-AGE=60", 60),
    ("private, max-age=60", 60),
    ('max-age="60"', 60),
    ("max-age = 60", 60),
    ("max-age=60, max-age=5", 5),  # of two, the shorter
    ("s-maxage=600, max-age=60", 60),  # s-maxage speaks to shared memory only
    ("max-age=99999999999999999999", 2**31),
    ("no-cache, max-age=60", 0),
    ('no-cache="set-cookie", max-age=60', 0),
    ("max-age", 0),
    ("max-age=", 0),
    ("max-age=1.5", 0),
    ("max-age=-1", 0),
    ("max-age=6e1", 0),
    ("max-age=٦", 0),
    ("", 0),
    ("public", 0),
    ("immutable", 0),
]


@pytest.mark.parametrize(("value", "seconds"), LIFETIMES)
def test_a_private_lifetime(value: str, seconds: float) -> None:
    """For one caller's own memory; no lifetime is guessed, and one that is no number is over."""
    found = control(value)

    assert found is not None
    assert found.fresh_s == seconds


@pytest.mark.parametrize(
    "value", ["no-store", "No-Store", "max-age=60, no-store", 'x="a, b", no-store', 'x="open, no-store', "no-store=1"]
)
def test_no_store_is_never_stored(value: str) -> None:
    """Wherever it stands, also after a quote that never closes."""
    assert control(value) is None
    assert control(value, public=True) is None


def test_no_store_on_a_second_line_counts() -> None:
    """A header on two lines is one list."""
    assert read(("cache-control", "max-age=60"), ("cache-control", "no-store")) is None


def test_a_quoted_word_is_no_directive() -> None:
    """``no-store`` inside another directive's value is that value."""
    assert directives('ext="no-store", max-age=60') == {"ext": 0, "max-age": 60}


@pytest.mark.parametrize(
    ("value", "fresh_s"),
    [
        ("max-age=60", 60),
        ("s-maxage=600, max-age=60", 600),
        ("s-maxage=0, max-age=60", 0),
        ("private, max-age=60", None),
    ],
)
def test_public_memory_obeys_what_is_said_to_shared_caches(value: str, fresh_s: float | None) -> None:
    """``private`` is not for it; ``s-maxage`` is, and wins."""
    found = control(value, public=True)

    assert (None if found is None else found.fresh_s) == fresh_s


@pytest.mark.parametrize(
    ("value", "private", "public"),
    [
        ("max-age=1", True, True),
        ("max-age=1, must-revalidate", False, False),
        ("max-age=1, proxy-revalidate", True, False),
        ("s-maxage=1", True, False),
        ("no-cache", False, False),
    ],
)
def test_when_an_older_answer_may_be_used(value: str, private: bool, public: bool) -> None:
    """RFC 9111 §4.2.4: not against the word of the backend."""
    one, other = control(value), control(value, public=True)

    assert one is not None
    assert other is not None
    assert (one.may_be_stale, other.may_be_stale) == (private, public)


def test_the_windows_of_rfc_5861() -> None:
    """Both are read; what is not said is None."""
    found = control("max-age=1, stale-while-revalidate=30, stale-if-error=300")

    assert found is not None
    assert (found.while_revalidate_s, found.if_error_s) == (30, 300)
    assert control("max-age=1") == Freshness(1, may_be_stale=True, while_revalidate_s=None, if_error_s=None)


@pytest.mark.parametrize(
    ("headers", "fresh_s"),
    [
        ([("expires", MINUTE_LATER), ("date", DATE)], 60),
        ([("expires", MINUTE_LATER)], 60),
        ([("expires", DATE), ("date", MINUTE_LATER)], 0),
        ([("expires", "0"), ("date", DATE)], 0),
        ([("expires", "-1")], 0),
        ([("expires", MINUTE_LATER), ("date", "yesterday")], 60),
        ([("expires", MINUTE_LATER), ("cache-control", "max-age=5")], 5),
        ([("expires", "Fri, 31 Dec 99999 23:59:59 GMT")], 0),
    ],
)
def test_expires_speaks_where_max_age_does_not(headers: list[tuple[str, str]], fresh_s: float) -> None:
    """Counted from Date; a moment that is none is over."""
    found = read(*headers)

    assert found is not None
    assert found.fresh_s == fresh_s


@pytest.mark.parametrize(
    ("headers", "delay_s", "age_s"),
    [
        ([], 0.0, 0.0),
        ([], 0.5, 0.5),
        ([("age", "30")], 0.5, 30.5),
        ([("age", "30, 5")], 0.0, 30.0),
        ([("age", "-30")], 0.0, 0.0),
        ([("age", "soon")], 0.0, 0.0),
        ([("date", "Wed, 18 Nov 2026 11:06:00 GMT"), ("cache-control", "")], 0.5, 40.0),
        ([("date", "Wed, 18 Nov 2026 11:06:00 GMT")], 0.5, 0.5),  # of an answer that says nothing no date is read
        ([("date", MINUTE_LATER)], 0.0, 0.0),  # a backend whose clock is ahead
        ([("date", "Wed, 18 Nov 2026 11:06:00 GMT"), ("age", "50")], 1.0, 51.0),
    ],
)
def test_the_age_on_arrival(headers: list[tuple[str, str]], delay_s: float, age_s: float) -> None:
    """RFC 9111 §4.2.3: the larger of what Date and Age say; never negative."""
    kept = kept_headers(PlainReply(200, b"", tuple(headers)))

    assert age_on_arrival(kept, wall_s=NOW, delay_s=delay_s) == pytest.approx(age_s)


@pytest.mark.parametrize("vary", ["*", "accept, *", "traceparent", "X-Deadline-Ms", "tracestate"])
def test_what_varies_with_each_attempt_is_never_stored(vary: str) -> None:
    """It could never be used again."""
    assert read(("cache-control", "max-age=60"), ("vary", vary)) is None
    assert read(("cache-control", "max-age=60"), ("vary", "accept"), ("vary", vary)) is None


@pytest.mark.parametrize("vary", ["accept", "authorization", "accept-language, origin", ""])
def test_what_varies_with_a_header_that_is_always_the_same_is_stored(vary: str) -> None:
    """A call sends the same headers each time; the credential is part of the key."""
    assert read(("cache-control", "max-age=60"), ("vary", vary)) is not None


NAMES = st.sampled_from(sorted({"age", "cache-control", "date", "etag", "expires", "last-modified", "vary", "x"}))


@given(st.lists(st.tuples(NAMES, st.text(max_size=40))), st.booleans())
def test_garbage_is_read_without_an_exception(headers: list[tuple[str, str]], public: bool) -> None:
    """And gives no negative time."""
    found = read(*headers, public=public)

    assert found is None or found.fresh_s >= 0
    assert age_on_arrival(kept_headers(PlainReply(200, b"", tuple(headers))), wall_s=NOW, delay_s=0.0) >= 0
