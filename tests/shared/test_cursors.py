"""Cursors: what goes in comes out, for the same user and list alone; all else is refused alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cursors import MAX_LENGTH, Cursors
from shared.errors import ProblemCode, ProblemError
from shared.settings import BffSettings

ADA = {"user": "app\nada", "of": "orders"}
OLD, NEW = b"an old key, for what clients hold", b"a new key, for what they get now"

text = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)


def refused(cursors: Cursors, cursor: str, **whose: str) -> None:
    with pytest.raises(ProblemError) as raised:
        cursors.open(cursor, **{**ADA, **whose})
    assert raised.value.code is ProblemCode.INVALID_REQUEST
    assert "`after` is no cursor of this list" in raised.value.detail
    assert raised.value.__suppress_context__


@given(text, text, text)
def test_a_place_comes_back(place: str, user: str, of: str) -> None:
    """Whatever a backend calls a place; and what the client holds fits into a URL."""
    cursor = Cursors([OLD]).seal(place, user=user, of=of)

    assert Cursors([OLD]).open(cursor, user=user, of=of) == place
    assert cursor.isascii()
    assert cursor.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("whose", [{"user": "app\nbob"}, {"user": "app\nad"}, {"of": "alerts"}, {"of": "order"}])
def test_anothers_cursor_is_none(whose: dict) -> None:
    """Bound to its user and its list; no part can lend a letter to the next."""
    refused(Cursors([OLD]), Cursors([OLD]).seal("2026-11-20,1", **ADA), **whose)


@given(st.integers(0, 200), st.integers(0, 7))
def test_a_changed_cursor_is_none(place: int, bit: int) -> None:
    """Any bit of it."""
    cursors = Cursors([OLD])
    cursor = bytearray(cursors.seal("2026-11-20T10:00:00Z,9007199254753337", **ADA).encode())
    at = place % (len(cursor) - 1)  # the last character may have bits that nothing stands in
    cursor[at] ^= 1 << bit
    if cursor[at] < 128:
        refused(cursors, cursor.decode("ascii"))


@pytest.mark.parametrize("junk", ["", "x", "null", "=", "é", "\ud800", "../../etc", "A" * 16, "A" * (MAX_LENGTH + 1)])
def test_junk_is_none(junk: str) -> None:
    """Whatever it is."""
    refused(Cursors([OLD]), junk)


def test_keys_can_be_changed_under_way() -> None:
    """The first key seals, every one opens; one that is gone opens nothing."""
    before = Cursors([OLD]).seal("here", **ADA)
    between = Cursors([NEW, OLD])

    assert between.open(before, **ADA) == "here"
    assert Cursors([NEW]).open(between.seal("here", **ADA), **ADA) == "here"
    refused(Cursors([NEW]), before)


def test_a_drawn_key_is_nobody_elses() -> None:
    """Without a setting, a process knows its own cursors and no other's."""
    mine = Cursors()

    assert mine.open(mine.seal("here", **ADA), **ADA) == "here"
    refused(Cursors(), mine.seal("here", **ADA))


def test_a_short_key_stops_the_start() -> None:
    """What could be guessed is refused, and not shown."""
    settings = BffSettings(listen="127.0.0.1:1", issuer="x", jwks_url="http://x", cursor_keys=f"{'k' * 32},s3cret")
    with pytest.raises(ValueError, match="at least 32 characters") as raised:
        _ = settings.cursors

    assert "s3cret" not in repr(settings)
    assert "s3cret" not in str(raised.value)


def test_the_settings_keys_are_those_that_seal() -> None:
    """Two processes of one setting understand each other."""
    one, other = (
        BffSettings(listen="127.0.0.1:1", issuer="x", jwks_url="http://x", cursor_keys="k" * 32).cursors for _ in "ab"
    )

    assert other.open(one.seal("here", **ADA), **ADA) == "here"
