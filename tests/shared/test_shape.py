"""Shapes: read and written as a pydantic model of the same fields would be, which is what the contract describes."""

import json
from typing import Annotated, Any

import msgspec
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.backends.payload import Identifier, Money
from shared.backends.sections import Degraded
from shared.errors import Reason, Source
from shared.shape import Called, Moment, Shape, decoder, described, encode


class Item(Shape, frozen=True):
    """One thing."""

    id: Identifier
    price: Money
    placed_at: Moment
    note: str | None = None


class Page(Shape, frozen=True):
    """Things on a page."""

    owner: str = msgspec.field(name="ownerName")
    items: Annotated[tuple[Item, ...], msgspec.Meta(description="newest first")]
    gaps: tuple[Degraded, ...] = ()


GOOD: dict[str, Any] = {"id": "a-1", "price": "12.30", "placedAt": "2026-11-24T21:59:59Z"}
BOTH_TAKE: dict[str, Any] = {
    "all of it": GOOD | {"note": "gift"},
    "a default": GOOD,
    "null where null may be": GOOD | {"note": None},
    "what nobody declared": GOOD | {"secret": {"deep": [1, 2]}, "secret2": 1e99},
    "a number for an id": GOOD | {"id": 9007199254740993},
    "a number beyond 64 bits for an id": GOOD | {"id": 2**80},
    "another offset": GOOD | {"placedAt": "2026-11-24T21:59:59.123+02:00"},
    "letters of everywhere": GOOD | {"note": "Łódź 🌻 \u2028 \x00"},
    "a negative price": GOOD | {"price": "-0.1234"},
}
BOTH_REFUSE: dict[str, Any] = {
    "not an object": [],
    "null": None,
    "a field missing": {name: value for name, value in GOOD.items() if name != "price"},
    "null where it may not be": GOOD | {"price": None},
    "an empty price": GOOD | {"price": ""},
    "a price as a number": GOOD | {"price": 12.3},
    "a price with an exponent": GOOD | {"price": "1E+2"},
    "a price with a line break in it": GOOD | {"price": "1\n2"},
    "a price with a line break after it": GOOD | {"price": "12.30\n"},
    "a fraction for an id": GOOD | {"id": 1.5},
    "truth for an id": GOOD | {"id": True},
    "null for an id": GOOD | {"id": None},
    "a list for an id": GOOD | {"id": ["a"]},
    "a moment without an offset": GOOD | {"placedAt": "2026-11-24T21:59:59"},
    "a day": GOOD | {"placedAt": "2026-11-24"},
    "a moment that is no text": GOOD | {"placedAt": True},
    "a number for a text": GOOD | {"note": 1},
}
BROKEN = [
    b"", b"{", b"nonsense", b'{"id":"a","price":"1","placedAt":"2026-11-24T21:59:59Z"}x', b"\xff\xfe",
    b'{"id":"\xff","price":"1","placedAt":"2026-11-24T21:59:59Z"}', b"[" * 100_000,
    b'{"id":"\\ud800","price":"1","placedAt":"2026-11-24T21:59:59Z"}', b'{"id":NaN}',
]  # fmt: skip

model = TypeAdapter(described(Item)).validator.validate_json
shape = decoder(Item)


@pytest.mark.parametrize("case", BOTH_TAKE)
def test_what_fits_is_read_and_written_as_the_model_would(case: str) -> None:
    """The same JSON comes out of both, byte for byte."""
    raw = json.dumps(BOTH_TAKE[case]).encode()

    assert encode(shape(raw)) == model(raw).model_dump_json(by_alias=True).encode()


@pytest.mark.parametrize("case", BOTH_REFUSE)
def test_what_does_not_fit_is_refused_as_the_model_would(case: str) -> None:
    """Neither guesses."""
    raw = json.dumps(BOTH_REFUSE[case]).encode()

    with pytest.raises(ValidationError):
        model(raw)
    with pytest.raises(msgspec.ValidationError):
        shape(raw)


@pytest.mark.parametrize("raw", BROKEN, ids=lambda raw: repr(raw[:30]))
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    """Also what is JSON and no text: bytes that are not UTF-8, half of a surrogate pair, brackets by the thousand."""
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError, RecursionError)):
        shape(raw)


def test_only_these_are_read_in_two_ways() -> None:
    """A backend may not mean a moment by a number, nor leave out the seconds: RFC 3339 knows neither."""
    for odd in (1764042755, "2026-11-24T21:59Z"):
        raw = json.dumps(GOOD | {"placedAt": odd}).encode()
        assert model(raw)
        with pytest.raises(msgspec.ValidationError):
            shape(raw)


def test_shapes_within_shapes_and_models_within_shapes() -> None:
    """Each by its own names; a gap, which is a pydantic model, too."""
    gap = Degraded(section="items", reason=Reason.TIMEOUT, source=Source.STALE, age_seconds=3)
    page = Page(owner="Ada", items=(shape(json.dumps(GOOD).encode()),), gaps=(gap,))

    assert json.loads(encode(page)) == {
        "ownerName": "Ada", "items": [{**GOOD, "note": None}], "gaps": [msgspec.to_builtins(gap)],
    }  # fmt: skip


class Theirs(Shape, frozen=True):
    """Whose backend has other words."""

    id: Identifier
    expected_at: Annotated[Moment | None, Called("eta")] = None


def test_a_backend_may_have_its_own_name_for_a_field() -> None:
    """Read by theirs, written by ours; alone, in a list, left out; and a misfit is told by theirs."""
    raw = b'{"id": 7, "eta": "2026-11-24T21:59:59Z", "expectedAt": "nonsense"}'
    written = b'{"id":"7","expectedAt":"2026-11-24T21:59:59Z"}'

    assert encode(decoder(Theirs)(raw)) == written
    assert encode(decoder(tuple[Theirs, ...])(b"[%b, %b]" % (raw, raw))) == b"[%b,%b]" % (written, written)
    assert encode(decoder(Theirs)(b'{"id": "7"}')) == b'{"id":"7","expectedAt":null}'
    with pytest.raises(msgspec.ValidationError, match=r"\$\.eta"):
        decoder(Theirs)(b'{"id": "7", "eta": 1}')


def test_other_names_further_in_are_refused_at_the_declaration() -> None:
    """They would be read by the wrong name, in silence."""

    class Outer(Shape, frozen=True):
        """Holds some."""

        all_of_them: tuple[Theirs, ...] | None = None

    with pytest.raises(TypeError, match="Outer holds Theirs"):
        decoder(Outer)


def test_a_shape_is_frozen() -> None:
    """What is remembered for others must not change under them."""
    item = shape(json.dumps(GOOD).encode())

    with pytest.raises(AttributeError):
        item.note = "mine"  # type: ignore[misc]


def test_a_contract_cannot_tell_a_shape_from_the_model() -> None:
    """OpenAPI refers to it by name, with its text, its required fields and its descriptions."""
    app = FastAPI()

    @app.get("/page")
    async def page() -> Page:
        return Page(owner="Ada", items=())

    schemas = app.openapi()["components"]["schemas"]
    assert schemas["Page"]["required"] == ["ownerName", "items"]
    assert schemas["Page"]["description"] == "Things on a page."
    assert schemas["Page"]["properties"]["items"] == {
        "items": {"$ref": "#/components/schemas/Item"},
        "type": "array",
        "title": "Items",
        "description": "newest first",
    }
    assert schemas["Item"]["properties"]["id"] == {"type": "string", "title": "Id"}
    assert schemas["Item"]["properties"]["price"]["pattern"]


def test_a_model_may_hold_shapes() -> None:
    """A team that keeps pydantic for its answers can still read its backends quickly."""

    class Answer(BaseModel):
        item: Item

    item = shape(json.dumps(GOOD).encode())
    assert json.loads(Answer(item=item).model_dump_json())["item"] == {**GOOD, "note": None}
    with pytest.raises(ValidationError):
        Answer(item="no item")  # type: ignore[arg-type]


def test_what_is_no_shape_is_read_by_pydantic() -> None:
    """Every type that pydantic knows stays possible."""
    assert decoder(dict[str, int])(b'{"a": 1}') == {"a": 1}
    assert decoder(tuple[int, ...])(b"[1]") == (1,)
