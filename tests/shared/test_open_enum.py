"""Enums over lists that backends extend: unknown text is OTHER, and what is no text does not fit."""

import json
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.open_enum import OpenEnum
from shared.shape import Called, Shape, decoder, described, encode


class Size(OpenEnum):
    SMALL = "small"
    OTHER = "OTHER"


class Shirt(Shape, frozen=True):
    """One shirt, whose backend calls a size a fit."""

    size: Size
    other: Annotated[Size | None, Called("fit")] = None


read = decoder(Shirt)


@given(st.text(max_size=20))
def test_any_text_is_a_value(text: str) -> None:
    """A known one itself, every other one OTHER, under both names."""
    shirt = read(json.dumps({"size": text, "fit": text}).encode("utf-8", "surrogatepass"))
    wanted = text if text in set(Size) else "OTHER"

    assert json.loads(encode(shirt)) == {"size": wanted, "other": wanted}


@pytest.mark.parametrize("value", [7, None, True, ["small"], {"small": 1}, 1.5])
def test_what_is_no_text_does_not_fit(value: Any) -> None:
    """A payload of another shape is no unknown value."""
    with pytest.raises(ValueError, match="size"):
        read(json.dumps({"size": value}).encode())


def test_the_contract_says_other() -> None:
    """From the first day, so that clients are built for it."""
    assert described(Shirt).model_json_schema()["$defs"]["Size"]["enum"] == ["small", "OTHER"]
