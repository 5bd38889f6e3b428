"""Writes: declared as reads are, sent with what the request says, and never twice by accident."""

import json
from typing import Any

import pytest

from shared.backends.backend import Backend, Call
from shared.backends.content import content
from shared.backends.sections import Sections, nullable, required
from shared.errors import ProblemCode, ProblemError, SectionUnavailable
from shared.testing.scripted import Scripted, broken, hang, reply, status
from tests.shared.backends.screen import Item, World

SHOP = Backend("shop")
DONE = reply({"id": 1})


def change(call: Call[Item]) -> type[Sections]:
    """Return a screen that is this write alone."""
    refusals = {412: ProblemCode.PRECONDITION_FAILED, 409: ProblemCode.CONFLICT}
    return type("Change", (Sections,), {"thing": required(call, subject=True, refusals=refusals)})


def write(method: str, **options: Any) -> type[Sections]:
    """Return a screen that is a write by this method."""
    return change(SHOP.write(method, "/things/{id_}", into=Item, **options))


async def test_what_it_sends_is_on_the_wire() -> None:
    """Method, body, type and condition, beside the trace and the deadline."""
    world = World({SHOP: Scripted(DONE)})
    patch = content({"name": "Ada"}, "application/merge-patch+json", if_match='"7"')

    got = await world.run(write("PATCH"), contents={"thing": patch}, id_="7")

    assert got.values["thing"] == Item(id=1)
    (sent,) = world.channels[SHOP].requests
    assert (sent.method, sent.target, json.loads(sent.body)) == ("PATCH", "/things/7", {"name": "Ada"})
    headers = dict(sent.headers)
    assert (headers["content-type"], headers["if-match"]) == ("application/merge-patch+json", '"7"')
    assert headers["traceparent"]
    assert headers["x-deadline-ms"]


async def test_only_the_section_that_is_named_gets_it() -> None:
    """Another section of the same answer sends nothing of it."""
    other = Backend("other")
    both = type("Both", (write("PUT"),), {"seen": nullable(other.get("/seen", into=Item))})
    world = World({SHOP: Scripted(DONE), other: Scripted(DONE)})

    await world.run(both, contents={"thing": content({"a": 1})}, id_="7")

    (read,) = world.channels[other].requests
    assert read.body == b""
    assert "content-type" not in dict(read.headers)


@pytest.mark.parametrize(
    ("method", "options", "times"),
    [("PATCH", {}, 1), ("POST", {}, 1), ("POST", {"repeatable": True}, 2), ("PUT", {}, 2), ("DELETE", {}, 2)],
)
@pytest.mark.parametrize("failure", [status(503), hang()], ids=["faulted", "silent"])
async def test_what_may_have_been_done_is_not_done_again(
    method: str, options: dict[str, bool], times: int, failure: Any
) -> None:
    """Unless twice is once: by its method, or by what its backend promises."""
    world = World({SHOP: Scripted(failure)})

    with pytest.raises(SectionUnavailable):
        await world.run(write(method, **options), contents={"thing": content({})}, id_="7")

    assert len(world.channels[SHOP].requests) == times
    world.assert_nothing_left()


async def test_what_never_left_us_is_sent_again() -> None:
    """A refused connection has done nothing, whatever the method."""
    world = World({SHOP: Scripted(broken(), DONE)})

    got = await world.run(write("POST"), contents={"thing": content({})}, id_="7")

    assert got.values["thing"] == Item(id=1)
    assert [json.loads(one.body) for one in world.channels[SHOP].requests] == [{}, {}]


@pytest.mark.parametrize(
    ("answered", "code"),
    [(412, "precondition_failed"), (409, "conflict"), (404, "not_found"), (400, "backend_refused")],
)
async def test_a_refusal_that_is_the_clients_is_told_as_such(answered: int, code: str) -> None:
    """Every other one is ours to fix."""
    world = World({SHOP: Scripted(status(answered))})

    with pytest.raises(ProblemError) as told:
        await world.run(write("PATCH"), contents={"thing": content({})}, id_="7")

    assert told.value.code == code


def test_only_a_read_can_be_remembered() -> None:
    """Refused where it is declared."""
    with pytest.raises(TypeError, match="only a GET"):
        Call(SHOP, "PUT", "/things", lambda raw: raw, coalesce=True)


@pytest.mark.parametrize(
    ("value", "headers"),
    [({"name": "\ud800"}, {}), ({}, {"if_match": "a\r\nx: y"}), ({}, {"if_match": "€"})],
    ids=["half a surrogate", "a line break", "beyond latin-1"],
)
def test_what_cannot_be_passed_on_is_the_clients_fault(value: object, headers: dict[str, str]) -> None:
    """400: nothing of the client's can break out of its place."""
    with pytest.raises(ProblemError) as told:
        content(value, **headers)

    assert told.value.code is ProblemCode.INVALID_REQUEST
