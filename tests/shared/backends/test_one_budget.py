"""One request is one budget, however many fan-outs it starts: retries, hedges and branches are counted together."""

import asyncio
from datetime import timedelta

import pytest

from shared.backends.fanout import fan_out
from shared.backends.sections import Sections, declared_screens, nullable, optional, refuse_too_wide, required
from shared.errors import ProblemCode, Reason, SectionUnavailable
from shared.resilience.budget import RequestBudget
from shared.resilience.deadline import Deadline
from shared.resilience.hedge import HedgePolicy
from shared.resilience.retry import RetryPolicy
from shared.testing.scripted import Scripted, hang, status
from tests.shared.backends.screen import ALICE, Item, World, backend
from tests.shared.backends.wide import OK, THREE, reasons, screen

EAGER = RetryPolicy(max_attempts=5, first_wait=timedelta(0))
ZERO = Item(id=0)


class Request:
    """Fan-outs of one request in a world: one deadline, one budget, one ledger."""

    def __init__(self, world: World, budget: RequestBudget, budget_s: float = 3.0) -> None:
        self.world = world
        self.budget = budget
        self.deadline = Deadline(world.clock.now_s() + budget_s)

    async def fetch(self, sections: type[Sections]) -> Sections:
        return await fan_out(
            sections, backends=self.world.backends, deadline=self.deadline, caller=ALICE, ledger=self.world.ledger,
            parameters={}, budget=self.budget,
        )  # fmt: skip


def sent(world: World) -> int:
    return sum(len(channel.requests) for channel in world.channels.values())


@pytest.mark.parametrize("at_once", [True, False])
async def test_fan_outs_of_one_request_share_its_retries(at_once: bool) -> None:
    """Three fan-outs over three broken backends, side by side or one inside the other: two retries, not six."""
    broken = [backend(str(n), retry=EAGER) for n in range(3)]
    world = World({one: Scripted(status(503)) for one in broken})
    request = Request(world, RequestBudget())

    async def nested() -> None:
        if at_once:
            await asyncio.gather(*(request.fetch(screen(one)) for one in broken))
        else:
            for one in broken:
                await request.fetch(screen(one))

    await world.clock.run(nested())

    assert (sent(world), request.budget.retries) == (3 + 2, 0)
    world.assert_nothing_left()


async def test_hedges_of_one_request_are_paid_from_the_same_budget() -> None:
    """Four slow calls in four fan-outs: two hedges."""
    slow = [backend(str(n), hedge=HedgePolicy(after=timedelta(milliseconds=50))) for n in range(4)]
    world = World({one: Scripted(OK.after(0.3)) for one in slow})
    request = Request(world, RequestBudget())

    await world.clock.run(asyncio.gather(*(request.fetch(screen(one)) for one in slow)))

    assert (sent(world), request.budget.retries) == (4 + 2, 0)


async def test_requests_do_not_share_a_budget() -> None:
    """What one has spent is not taken from the next."""
    down = backend("down", retry=EAGER)
    world = World({down: Scripted(status(503))})

    for _ in range(2):
        await world.clock.run(Request(world, RequestBudget()).fetch(screen(down)))

    assert sent(world) == 2 * (1 + 2)


async def test_a_fan_out_inside_another_has_the_same_deadline() -> None:
    """Half a second was left when the second began: it ends with the first one's time, not with one of its own."""
    world = World({THREE[0]: Scripted(OK.after(0.5)), THREE[1]: Scripted(hang())})
    request = Request(world, RequestBudget(), budget_s=1.0)

    async def nested() -> Sections:
        await request.fetch(screen(THREE[0]))
        return await request.fetch(screen(THREE[1]))

    got = await world.clock.run(nested())

    assert world.clock.now_s() == pytest.approx(1000.975)
    assert reasons(got) == {"one": Reason.DEADLINE}


async def test_branches_beyond_the_cap_are_rejected_over_all_fan_outs() -> None:
    """Room for four: the second screen of three gets one, and says of the others that they were rejected for good."""
    world = World({one: Scripted(OK) for one in THREE})
    request = Request(world, RequestBudget(branches=4))

    first = await world.clock.run(request.fetch(screen(*THREE)))
    second = await world.clock.run(request.fetch(screen(*THREE)))

    assert first.degraded == ()
    assert reasons(second) == {"two": Reason.REJECTED, "three": Reason.REJECTED}
    assert {gap.retry_after_seconds for gap in second.degraded} == {None}, "asking again gives the same"
    assert (sent(world), world.ledger.left_out) == (4, 2)
    world.assert_nothing_left()


async def test_what_an_answer_can_do_without_is_left_out_first() -> None:
    """The required section stands last in the declaration and is served all the same."""
    world = World({one: Scripted(OK) for one in THREE})

    class Page(Sections):
        one = nullable(THREE[0].get("/x", into=Item))
        two = optional(THREE[1].get("/x", into=Item), default=ZERO)
        three = required(THREE[2].get("/x", into=Item))

    got = await world.clock.run(Request(world, RequestBudget(branches=2)).fetch(Page))

    assert isinstance(got, Page)
    assert (got.one, got.two, got.three) == (Item(id=1), ZERO, Item(id=1))


async def test_a_required_section_without_room_is_a_problem() -> None:
    """``overloaded``, nothing sent, and no hint to come back: the same request would meet the same cap."""
    world = World({one: Scripted(OK) for one in THREE})
    request = Request(world, RequestBudget(branches=0))

    with pytest.raises(SectionUnavailable) as raised:
        await world.clock.run(request.fetch(screen(*THREE, declare=required)))

    assert (raised.value.code, raised.value.retry_after) == (ProblemCode.OVERLOADED, None)
    assert sent(world) == 0
    world.assert_nothing_left()


async def test_what_depends_on_a_section_without_room_misses_with_it() -> None:
    """And a section that depends on one that was served waits for it as ever."""
    world = World({one: Scripted(OK) for one in THREE})

    class Page(Sections):
        one = nullable(THREE[0].get("/x", into=Item))
        two = nullable(THREE[1].get("/x/{of}", into=Item), given={"of": one.of(lambda it: str(it.id))})
        three = nullable(THREE[2].get("/x/{of}", into=Item), given={"of": two.of(lambda it: str(it.id))})

    got = await world.clock.run(Request(world, RequestBudget(branches=1)).fetch(Page))
    assert reasons(got) == {"two": Reason.REJECTED, "three": Reason.REJECTED}

    got = await world.clock.run(Request(world, RequestBudget(branches=2)).fetch(Page))
    assert reasons(got) == {"three": Reason.REJECTED}
    world.assert_nothing_left()


def test_a_screen_that_is_too_wide_by_itself_is_refused() -> None:
    """With its name, both numbers, the variable and what to do; one that just fits is not."""
    wide = type("Wide", (Sections,), {f"s{n}": nullable(THREE[0].get("/x", into=Item)) for n in range(61)})

    refuse_too_wide([wide], 61)
    with pytest.raises(ValueError, match=r"^FRONTAGE_MAX_BRANCHES=60, but .*\.Wide has 61 sections; split the screen"):
        refuse_too_wide([wide], 60)


def test_every_screen_of_the_process_is_known() -> None:
    """Also one that inherits; so that the check at start misses none."""
    parent = screen(*THREE)
    child = type("Child", (parent,), {})

    assert {parent, child} <= set(declared_screens())
