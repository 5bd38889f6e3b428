"""The partial-result contract: every reason met by every kind of section (architecture §4)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from shared.backends.backend import Backend
from shared.backends.sections import Sections, nullable, optional, required
from shared.errors import (
    BackendUnreachable,
    ProblemCode,
    ProblemError,
    Reason,
    SectionUnavailable,
    Source,
)
from shared.resilience.bulkhead import BulkheadPolicy
from shared.resilience.retry import RetryPolicy
from shared.testing.clock import ManualClock
from shared.testing.scripted import Scripted, Step, broken, hang, reply, status
from tests.shared.backends.screen import ALICE, BOB, Item, World, backend

ONCE = RetryPolicy(max_attempts=1)
STALE_FOR = timedelta(minutes=5)
OLD, DEFAULT = Item(id=1), Item(id=0)


class Trouble(NamedTuple):
    """How a reason comes about: what the backend does, and the policy that makes it that reason."""

    step: Step
    policy: dict[str, Any]


TROUBLE: dict[Reason, Trouble] = {
    Reason.TIMEOUT: Trouble(hang(), {"attempt_timeout": timedelta(seconds=1)}),
    Reason.DEADLINE: Trouble(hang(), {"attempt_timeout": timedelta(seconds=60)}),
    Reason.UNREACHABLE: Trouble(broken(BackendUnreachable("items", "reset")), {}),
    Reason.FAULTED: Trouble(status(500), {}),
    Reason.REFUSED: Trouble(status(403), {}),
    Reason.INVALID: Trouble(reply(b"<html>"), {}),
    Reason.REJECTED: Trouble(reply({"id": 9}), {"bulkhead": BulkheadPolicy(max_concurrent=0)}),
}

# Architecture §4: timeouts 504, ours to shed 503 with Retry-After, theirs 502.
STATUS = {
    Reason.TIMEOUT: (504, ProblemCode.DEADLINE_EXCEEDED),
    Reason.DEADLINE: (504, ProblemCode.DEADLINE_EXCEEDED),
    Reason.UNREACHABLE: (503, ProblemCode.BACKEND_UNREACHABLE),
    Reason.REJECTED: (503, ProblemCode.OVERLOADED),
    Reason.FAULTED: (502, ProblemCode.BACKEND_FAULTED),
    Reason.INVALID: (502, ProblemCode.BACKEND_INVALID),
    Reason.REFUSED: (502, ProblemCode.BACKEND_REFUSED),
}
# What lasts longer than a client waits: it is not told to come back.
LASTING = {Reason.REFUSED, Reason.INVALID}

every_reason = pytest.mark.parametrize("reason", list(Reason))


def one_section(declare: Callable[[Any], Any], reason: Reason, *before: Step) -> tuple[type[Sections], World]:
    """Return a screen with the one section, and a world in which it meets that reason (after ``before``)."""
    trouble = TROUBLE[reason]
    items = backend("items", retry=ONCE, **trouble.policy)

    class Screen(Sections):
        main_item = declare(items.get("/items/{user}", into=Item))

    return Screen, World({items: Scripted(*before, trouble.step)})


def test_the_tables_here_are_whole() -> None:
    """A new reason must be added to every promise below."""
    assert set(TROUBLE) == set(STATUS) == set(Reason)


@every_reason
async def test_a_required_section_decides_the_status(reason: Reason) -> None:
    """By its reason; the problem names the section; 503 says when to come back."""
    screen, world = one_section(required, reason)

    with pytest.raises(SectionUnavailable) as missing:
        await world.run(screen, user="u")

    problem = missing.value
    assert (problem.status, problem.code) == STATUS[reason]
    assert (problem.section, problem.reason) == ("mainItem", reason)
    assert (problem.retry_after is None) == (reason in LASTING)
    if problem.status == 503:
        assert problem.retry_after
    assert [(one.outcome, one.reason) for one in world.ledger.sections] == [("failed", reason)]
    world.assert_nothing_left()


@every_reason
async def test_an_optional_section_has_its_default(reason: Reason) -> None:
    """And ``degraded`` says so, once."""
    screen, world = one_section(lambda call: optional(call, default=DEFAULT), reason)

    got = await world.run(screen, user="u")

    assert got.main_item == DEFAULT
    (gap,) = got.degraded
    assert (gap.section, gap.reason, gap.source, gap.age_seconds) == ("mainItem", reason, Source.DEFAULT, None)
    assert gap.retry_after_seconds == (None if reason in LASTING else 2)
    assert world.ledger.degraded == f"mainItem:{reason}:default"
    assert [(one.outcome, one.reason) for one in world.ledger.sections] == [("default", reason)]
    world.assert_nothing_left()


@every_reason
async def test_a_nullable_section_is_null(reason: Reason) -> None:
    """Where no honest default exists, nothing stands in."""
    screen, world = one_section(nullable, reason)

    got = await world.run(screen, user="u")

    assert got.main_item is None
    assert [(gap.section, gap.reason, gap.source) for gap in got.degraded] == [("mainItem", reason, Source.NONE)]
    world.assert_nothing_left()


def well_at_first(reason: Reason, declare: Callable[[Any], Any]) -> tuple[type[Sections], World, Callable[[], None]]:
    """Return a screen, a world that is well for one request, and what makes it meet that reason after it."""
    trouble = TROUBLE[reason]
    items = backend("items", retry=ONCE, attempt_timeout=trouble.policy.get("attempt_timeout", timedelta(seconds=60)))

    class Screen(Sections):
        main_item = declare(items.get("/items/{user}", into=Item))

    world = World({items: Scripted(reply({"id": 1}), trouble.step)})

    def break_it() -> None:
        if reason is Reason.REJECTED:
            world.backends.state(items).bulkhead._limit = 0

    return Screen, world, break_it


@every_reason
@pytest.mark.parametrize("kind", ["optional", "nullable"])
async def test_an_older_value_stands_in_while_it_is_young_enough(reason: Reason, kind: str) -> None:
    """Its age is told in whole seconds; once too old, the declared fallback has its turn."""

    def declare(call: Any) -> Any:
        if kind == "nullable":
            return nullable(call, stale_for=STALE_FOR)
        return optional(call, default=DEFAULT, stale_for=STALE_FOR)

    screen, world, break_it = well_at_first(reason, declare)
    assert (await world.run(screen, user="u")).degraded == ()
    break_it()
    await world.clock.advance(12.4)

    got = await world.run(screen, user="u")

    assert got.main_item == OLD
    (gap,) = got.degraded
    waited = {Reason.TIMEOUT: 1, Reason.DEADLINE: 2.975}.get(reason, 0)
    assert (gap.reason, gap.source, gap.age_seconds) == (reason, Source.STALE, int(12.4 + waited))

    await world.clock.advance(STALE_FOR.total_seconds())
    got = await world.run(screen, user="u")
    assert got.main_item == (None if kind == "nullable" else DEFAULT)
    assert [gap.source for gap in got.degraded] == [Source.NONE if kind == "nullable" else Source.DEFAULT]


async def test_an_older_value_never_answers_another_user() -> None:
    """Same target, same everything, another identity: Bob gets the default, not Alice's item."""
    items = backend("items", retry=ONCE)

    class Screen(Sections):
        mine = optional(items.get("/me", into=Item), default=DEFAULT, stale_for=STALE_FOR)

    world = World({items: Scripted(reply({"id": 1}), status(500))})
    assert (await world.run(Screen, ALICE)).mine == OLD

    assert (await world.run(Screen, BOB)).mine == DEFAULT
    assert (await world.run(Screen, ALICE)).mine == OLD


async def test_an_older_value_answers_only_its_own_target_and_type() -> None:
    """Another parameter, or another reading of the same target, is another value."""
    items = backend("items", retry=ONCE)

    class Screen(Sections):
        as_item = nullable(items.get("/items/{user}", into=Item), stale_for=STALE_FOR)

    class OtherReading(Sections):
        as_dict = nullable(items.get("/items/{user}", into=dict[str, int]), stale_for=STALE_FOR)

    world = World({items: Scripted(reply({"id": 1}), status(500))})
    await world.run(Screen, user="u")

    assert (await world.run(Screen, user="v")).as_item is None
    assert (await world.run(OtherReading, user="u")).as_dict is None
    assert (await world.run(Screen, user="u")).as_item == OLD


async def test_what_went_wrong_is_never_remembered() -> None:
    """Only fresh values stand in: not a default, not an older value with a new date."""
    items = backend("items", retry=ONCE)

    class Screen(Sections):
        item = optional(items.get("/x", into=Item), default=DEFAULT, stale_for=timedelta(seconds=10))

    world = World({items: Scripted(reply({"id": 1}), status(500))})
    for _ in range(3):
        got = await world.run(Screen)
        await world.clock.advance(4)

    assert got.degraded[0].age_seconds == 8
    assert (await world.run(Screen)).item == DEFAULT


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


# More than one section

A, B = backend("a", retry=ONCE), backend("b", retry=ONCE)


def screen_of(first: Any, second: Any) -> type[Sections]:
    class Screen(Sections):
        one = first
        two = second

    return Screen


def call_of(owner: Backend) -> Any:
    return owner.get("/x", into=Item)


@pytest.mark.parametrize("subject", [required, nullable])
async def test_a_missing_subject_is_not_found(subject: Callable[..., Any]) -> None:
    """404 of the thing asked for: not a gap, not a 502; nobody waits for the rest."""
    world = World({A: Scripted(status(404)), B: Scripted(hang())})
    screen = screen_of(subject(call_of(A), subject=True), nullable(call_of(B)))

    with pytest.raises(ProblemError) as missing:
        await world.run(screen)

    assert (missing.value.code, missing.value.status, missing.value.section) == (ProblemCode.NOT_FOUND, 404, None)
    assert world.clock.now_s() == 1000.0
    world.assert_nothing_left()


async def test_a_404_of_anything_else_is_refused() -> None:
    """Only the subject's absence is the client's business."""
    world = World({A: Scripted(reply({"id": 1})), B: Scripted(status(404))})

    got = await world.run(screen_of(nullable(call_of(A), subject=True), nullable(call_of(B))))

    assert [(gap.section, gap.reason) for gap in got.degraded] == [("two", Reason.REFUSED)]


@pytest.mark.parametrize("code", [400, 403, 410])
async def test_another_4xx_of_the_subject_is_refused(code: int) -> None:
    """Only 404 says that it does not exist."""
    world = World({A: Scripted(status(code)), B: Scripted(reply({"id": 1}))})

    got = await world.run(screen_of(nullable(call_of(A), subject=True), nullable(call_of(B))))

    assert [(gap.section, gap.reason) for gap in got.degraded] == [("one", Reason.REFUSED)]


async def test_the_subjects_404_speaks_before_a_required_section() -> None:
    """A user who does not exist has no orders either: that is 404, not a required section that nobody waited for."""
    world = World({A: Scripted(hang()), B: Scripted(status(404))})

    with pytest.raises(ProblemError) as missing:
        await world.run(screen_of(required(call_of(A)), nullable(call_of(B), subject=True)))

    assert missing.value.code is ProblemCode.NOT_FOUND
    assert world.channels[A].aborted == 1


@pytest.mark.parametrize("slow", [hang(), reply({"id": 1}).after(1)], ids=["hangs", "would answer later"])
@pytest.mark.parametrize("order", ["failed one last", "failed one first"])
async def test_the_required_section_that_failed_is_named_not_the_one_nobody_waited_for(slow: Step, order: str) -> None:
    """Its sibling was well, as far as anybody knows."""
    world = World({A: Scripted(slow), B: Scripted(status(500).after(0.1))})
    sections = [required(call_of(A)), required(call_of(B))]
    failed = "two" if order == "failed one last" else "one"

    with pytest.raises(SectionUnavailable) as missing:
        await world.run(screen_of(*sections if failed == "two" else reversed(sections)))

    assert (missing.value.section, missing.value.code) == (failed, ProblemCode.BACKEND_FAULTED)
    assert world.clock.now_s() == pytest.approx(1000.1)
    world.assert_nothing_left()


async def test_a_required_section_that_failed_ends_the_waiting() -> None:
    """There will be no answer: the others are given up at once, and marked as not used."""
    world = World({A: Scripted(hang()), B: Scripted(status(500).after(0.1))})

    with pytest.raises(SectionUnavailable):
        await world.run(screen_of(nullable(call_of(A)), required(call_of(B))))

    assert world.clock.now_s() == pytest.approx(1000.1)
    assert world.channels[A].aborted == 1
    assert {one.name: one.outcome for one in world.ledger.sections} == {"one": "unused", "two": "failed"}
    assert [one.cancelled for one in world.ledger.sections[0].attempts] == [True]
    world.assert_nothing_left()


async def test_after_a_required_section_was_rejected_nothing_is_sent() -> None:
    """Shedding load must not load the other backends with calls nobody will read."""
    full = backend("full", bulkhead=BulkheadPolicy(max_concurrent=0))
    world = World({full: Scripted(hang()), B: Scripted(hang())})

    with pytest.raises(SectionUnavailable) as missing:
        await world.run(screen_of(required(call_of(full)), nullable(call_of(B))))

    assert missing.value.code is ProblemCode.OVERLOADED
    assert world.channels[B].requests == []
    world.assert_nothing_left()


async def test_several_gaps_are_listed_in_the_order_of_the_declaration() -> None:
    """Not in the order in which they came about."""
    world = World({A: Scripted(status(500).after(0.2)), B: Scripted(status(403))})

    got = await world.run(screen_of(nullable(call_of(A)), optional(call_of(B), default=DEFAULT)))

    assert [gap.section for gap in got.degraded] == ["one", "two"]
    assert world.ledger.degraded == "one:faulted:none,two:refused:default"


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
