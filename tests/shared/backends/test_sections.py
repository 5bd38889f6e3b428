"""Sections: what can be declared, what is refused before any request, and what comes back."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from shared.backends.backend import Backend, Call
from shared.backends.sections import Degraded, Section, Sections, nullable, optional, required
from shared.errors import Reason, Source
from shared.testing.scripted import Scripted, hang, reply
from tests.shared.backends.screen import Item, World

ITEMS_BACKEND = Backend("items")
ITEMS = ITEMS_BACKEND.get("/users/{user_id}/items?limit={limit}", into=tuple[Item, ...])
ONE = ITEMS_BACKEND.get("/one", into=Item)


class Screen(Sections):
    """One of each kind."""

    one = required(ONE)
    recent_items = optional(ITEMS, default=())
    other = nullable(ONE, stale_for=timedelta(minutes=1))


def test_what_a_screen_is_made_of_can_be_listed() -> None:
    """In order, by attribute and by the answer's name, with what stands in and which parameters are needed."""
    assert [(one.attribute, one.name, one.fallback) for one in Screen.declared] == [
        ("one", "one", None),
        ("recent_items", "recentItems", Source.DEFAULT),
        ("other", "other", Source.NONE),
    ]
    assert Screen.parameters == {"user_id", "limit"}
    assert Screen.recent_items is Screen.declared[1]


async def test_what_came_back_has_one_typed_attribute_a_section() -> None:
    """Declarations on the class, values on the instance; two sections of one call share it."""
    world = World({ITEMS_BACKEND: Scripted(reply({"id": 1}), reply([{"id": 2}]))})

    got = await world.run(Screen, user_id="u-1", limit="5")

    assert (got.one, got.recent_items, got.other) == (Item(id=1), (Item(id=2),), Item(id=1))
    assert got.degraded == ()


def declare(**sections: Any) -> type[Sections]:
    try:
        return type("Declared", (Sections,), sections)
    except RuntimeError as wrapped:  # Python 3.11 wraps what __set_name__ raises
        raise wrapped.__cause__ or wrapped from None


def test_two_sections_for_one_field_are_refused() -> None:
    """``recent_items`` and ``recentItems`` would be one field of the answer (field case M2)."""
    with pytest.raises(TypeError, match="recentItems"):
        declare(recent_items=optional(ITEMS, default=()), recentItems=optional(ITEMS, default=()))


def test_one_section_cannot_fill_two_fields() -> None:
    """A declaration knows its one name."""
    shared = nullable(ONE)
    with pytest.raises(TypeError, match="two fields"):
        declare(first=shared, second=shared)


@pytest.mark.parametrize("name", ["degraded", "values", "declared", "parameters"])
def test_a_section_cannot_take_a_name_of_the_answer_itself(name: str) -> None:
    """It would hide what the class needs, at import and not at the first request."""
    with pytest.raises(TypeError, match=name):
        declare(**{name: nullable(ONE)})


def test_a_screen_may_build_on_another() -> None:
    """What the parent declared is part of the child; what the child declares anew replaces it."""

    class Larger(Screen):
        recent_items = nullable(ITEMS)
        more = optional(ITEMS, default=())

    assert [one.attribute for one in Larger.declared] == ["one", "recent_items", "other", "more"]
    assert [one.fallback for one in Larger.declared] == [None, Source.NONE, Source.NONE, Source.DEFAULT]


async def test_only_the_sections_asked_for_are_fetched() -> None:
    """The others have their default and no gap; a required one that was not asked for has no value at all."""
    channel = Scripted(reply([{"id": 2}]))
    world = World({ITEMS_BACKEND: channel})

    got = await world.run(Screen, only={"recent_items"}, user_id="u-1", limit="5")

    assert [sent.target for sent in channel.requests] == ["/users/u-1/items?limit=5"]
    assert (got.recent_items, got.other, got.degraded) == ((Item(id=2),), None, ())
    with pytest.raises(KeyError):
        _ = got.one


async def test_asking_for_nothing_asks_nobody() -> None:
    """And is answered at once."""
    channel = Scripted(hang())
    world = World({ITEMS_BACKEND: channel})

    got = await world.run(Screen, only=())

    assert (channel.requests, got.recent_items) == ([], ())


async def test_asking_for_a_section_that_does_not_exist_is_a_mistake() -> None:
    """A misspelt name must not silently fetch nothing."""
    world = World({ITEMS_BACKEND: Scripted(hang())})

    with pytest.raises(TypeError, match="recent_item"):
        await world.run(Screen, only={"recent_item"}, user_id="u", limit="5")


async def test_a_parameter_left_out_is_a_mistake_that_keeps_no_permit() -> None:
    """Said by name, before anything is sent."""
    world = World({ITEMS_BACKEND: Scripted(hang())})

    with pytest.raises(TypeError, match="limit"):
        await world.run(Screen, user_id="u-1")

    world.assert_nothing_left()


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("u-1", "u-1"),
        ("a/b", "a%2Fb"),
        ("a?b=c&d#e", "a%3Fb%3Dc%26d%23e"),
        ("a b+c%2F", "a%20b%2Bc%252F"),
        ("...", "..."),
        ("Zoë", "Zo%C3%AB"),
        ("a\r\nx: y", "a%0D%0Ax%3A%20y"),
    ],
)
def test_a_parameter_stays_in_its_place(value: str, place: str) -> None:
    """Whatever it holds, it is one path segment or one query value."""
    assert ITEMS.target({"user_id": value, "limit": value}) == f"/users/{place}/items?limit={place}"


@pytest.mark.parametrize("value", ["", ".", "..", "\ud800"], ids=ascii)
async def test_what_no_escape_keeps_in_its_place_is_an_invalid_request(value: str) -> None:
    """A dot segment moves the path, an empty one changes its route, half a surrogate has no bytes: 400, no permit."""
    world = World({ITEMS_BACKEND: Scripted(hang())})

    with pytest.raises(Exception, match="user_id") as refused:
        await world.run(Screen, only={"recent_items"}, user_id=value, limit="5")

    assert getattr(refused.value, "status", None) == 400
    world.assert_nothing_left()


def test_in_a_query_dots_and_nothing_are_values_like_others() -> None:
    """Only a path has segments."""
    assert ITEMS.target({"user_id": "u", "limit": ".."}) == "/users/u/items?limit=.."
    assert ITEMS.target({"user_id": "u", "limit": ""}) == "/users/u/items?limit="


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "POST", "PATCH"])
def test_which_calls_may_be_made_twice(method: str) -> None:
    """Those whose second time changes nothing more (RFC 9110 §9.2.2)."""
    assert Call(ITEMS_BACKEND, method, "/x", bytes).idempotent is (method not in {"POST", "PATCH"})


def test_a_gap_says_what_a_client_needs() -> None:
    """camelCase, closed lists, whole seconds, null where nothing is known."""
    gap = Degraded(section="offers", reason=Reason.TIMEOUT, source=Source.STALE, age_seconds=12, retry_after_seconds=2)

    assert msgspec.to_builtins(gap) == {
        "section": "offers", "reason": "timeout", "source": "stale", "ageSeconds": 12, "retryAfterSeconds": 2,
    }  # fmt: skip


def test_a_section_is_named_as_its_field_is() -> None:
    """Attribute and answer differ only in their spelling."""
    assert isinstance(Screen.recent_items, Section)
    assert (Screen.recent_items.attribute, Screen.recent_items.name) == ("recent_items", "recentItems")
