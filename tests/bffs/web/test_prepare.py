"""Prepared once, remembered within a bound."""

import pytest

from bffs.web.prepare import LEAST, Preparer, Refused
from bffs.web.schema import schema


@pytest.fixture
def preparer() -> Preparer:
    return Preparer(schema, open_schema=False, plans=False)


def test_a_document_is_prepared_once(preparer: Preparer) -> None:
    """The same text and name give the same thing; another name of the same text another."""
    text = "query A { viewer { tier } } query B { viewer { id } }"

    assert preparer.prepare(text, "A") is preparer.prepare(text, "A")
    assert preparer.prepare(text, "A") is not preparer.prepare(text, "B")
    assert [preparer.prepare(text, name).name for name in "AB"] == ["A", "B"]


def test_a_refusal_is_not_remembered(preparer: Preparer) -> None:
    """What is wrong costs its sender, and no memory."""
    for _ in range(3):
        with pytest.raises(Refused):
            preparer.prepare("{ nothing }")

    assert len(preparer) == 0


def test_what_is_remembered_has_a_bound() -> None:
    """However many are sent; what was used last stays."""
    preparer = Preparer(schema, open_schema=False, plans=False, most_remembered=5_000)
    used = preparer.prepare("query Used { viewer { tier } }")
    for number in range(100):
        preparer.prepare(f"query Once{number} {{ viewer {{ tier }} }}")
        assert preparer.prepare("query Used { viewer { tier } }") is used

    assert 10 < len(preparer) < 5_000 / LEAST
