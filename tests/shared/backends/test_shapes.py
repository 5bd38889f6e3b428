"""What a backend says, and what a section makes of it."""

from typing import Any

import pytest

from shared.backends.sections import Sections, nullable, optional, required
from shared.errors import (
    ProblemCode,
    Reason,
    SectionUnavailable,
)
from shared.testing.clock import ManualClock
from shared.testing.scripted import Scripted, reply, status
from tests.shared.backends.screen import Item, World, backend
from tests.shared.backends.troubles import DEFAULT, ONCE, A, B, call_of, screen_of


@pytest.mark.parametrize("value", [b"", b"null", b"{}", b"[]", b'"x"', b"{", b'{"id": NaN}', b'{"id": 1e999}', b"\xff"])
async def test_an_answer_of_the_wrong_shape_is_invalid(value: bytes) -> None:
    """Whatever it is: the section is listed, the screen stands."""
    items = backend("items", retry=ONCE)

    class Screen(Sections):
        item = nullable(items.get("/x", into=Item))

    got = await World({items: Scripted(reply(value))}).run(Screen)

    assert [(gap.section, gap.reason) for gap in got.degraded] == [("item", Reason.INVALID)]


async def test_deep_nesting_is_invalid_and_not_a_crash() -> None:
    """A parser bomb costs its section only."""
    items = backend("items", retry=ONCE)

    class Screen(Sections):
        item = nullable(items.get("/x", into=Item))

    got = await World({items: Scripted(reply(b"[" * 500_000))}).run(Screen)

    assert [gap.reason for gap in got.degraded] == [Reason.INVALID]


async def test_a_decoder_that_crashes_is_invalid_and_keeps_nothing() -> None:
    """A bug in one model's validator degrades one section, at once, and holds no permit."""
    items = backend("items", retry=ONCE)

    def crashing(_: bytes) -> Item:
        raise KeyError("secret payload")

    call = items.get("/x", into=Item)
    object.__setattr__(call, "decode", crashing)

    class Screen(Sections):
        item = nullable(call)

    world = World({items: Scripted(reply({"id": 1}))})
    got = await world.run(Screen)

    assert [gap.reason for gap in got.degraded] == [Reason.INVALID]
    assert world.clock.now_s() == 1000.0
    world.assert_nothing_left()


@pytest.mark.parametrize("declared", ["optional", "nullable"])
async def test_case_m1_no_content_is_an_empty_section_and_not_a_gap(declared: str) -> None:
    """204 is an answer: default or null by the declaration, and nothing is listed."""
    items = backend("items", retry=ONCE)
    call = items.get("/x", into=Item)

    class Screen(Sections):
        item = optional(call, default=DEFAULT) if declared == "optional" else nullable(call)

    world = World({items: Scripted(status(204))})
    got = await world.run(Screen)

    assert got.item == (DEFAULT if declared == "optional" else None)
    assert got.degraded == ()
    assert [one.outcome for one in world.ledger.sections] == ["fresh"]


async def test_a_required_section_cannot_be_empty() -> None:
    """204 where there must be something does not fit."""
    items = backend("items", retry=ONCE)

    class Screen(Sections):
        item = required(items.get("/x", into=Item))

    with pytest.raises(SectionUnavailable) as missing:
        await World({items: Scripted(status(204))}).run(Screen)

    assert missing.value.code is ProblemCode.BACKEND_INVALID


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((("retry-after", "7"),), 7),
        ((("retry-after", "Mon, 01 Jan 2035 00:00:07 GMT"),), 7),
        ((("retry-after", "Mon, 01 Jan 2035 00:00:00 GMT"),), 2),
        ((("retry-after", "soon"),), 2),
        ((("retry-after", "-3"),), 2),
        ((("retry-after", "0"),), 2),
        ((("retry-after", "99999999999"),), 2),
        ((), 2),
    ],
)
async def test_the_backends_word_on_when_to_come_back_is_passed_on(headers: Any, seconds: int) -> None:
    """In seconds or as a date, on the clock's time; a guess stands in for garbage."""
    clock = ManualClock(wall_s=2_051_222_400.0)  # 2035-01-01T00:00:00Z
    world = World({A: Scripted(status(500, headers)), B: Scripted(reply({"id": 1}))}, clock)

    got = await world.run(screen_of(nullable(call_of(A)), nullable(call_of(B))))

    assert [gap.retry_after_seconds for gap in got.degraded] == [seconds]
