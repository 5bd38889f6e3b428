"""Entity tags: what a condition names, and that tags of different content differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.asgi.validators import digest_of, digest_of_parts, listed, names, opaque


@pytest.mark.parametrize(
    "condition", ['"a"', 'W/"a"', '"x", "a"', '"x",W/"a" , "y"', "*", " * ", '"b, c", "a"'],
)  # fmt: skip
def test_a_condition_names_a_tag(condition: str) -> None:
    """Among others, weakened by whoever compressed the answer, or as "anything"."""
    assert names(condition, '"a"')
    assert names(condition, 'W/"a"')


@pytest.mark.parametrize("condition", ["", "a", '"A"', '"ab"', "'a'", '"a', 'w/"b"', '"*"', '"b, a"', "**"])
def test_what_is_another_tag_or_none_names_nothing(condition: str) -> None:
    """Never a part of one, and never what is no tag."""
    assert not names(condition, '"a"')


def test_tags_are_read_without_their_weakness() -> None:
    """In their order."""
    assert listed('W/"a", "b" , W/""') == ["a", "b", ""]
    assert opaque('W/"7"') == opaque('"7"') == "7"


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_a_digest_is_of_its_parts_alone(one: list[bytes], other: list[bytes]) -> None:
    """However the same bytes are cut, other parts have another one."""
    assert (digest_of_parts(*one) == digest_of_parts(*other)) == (one == other)


def test_a_digest_is_of_the_content() -> None:
    """The same in every process, and short enough for a header of many."""
    assert digest_of(b"{}") == "44136fa355b3678a1146ad16"
    assert digest_of(b"{} ") != digest_of(b"{}")
