"""Dependent sections: sent the moment what they need is there, missing when it is, under the same deadline."""

import asyncio
from datetime import timedelta

import pytest
from pydantic import BaseModel

from shared.backends.explain import explain
from shared.backends.sections import Sections, nullable, optional, required
from shared.errors import ProblemError, Reason, SectionUnavailable
from shared.resilience.retry import RetryPolicy
from shared.testing.clock import settle
from shared.testing.scripted import Scripted, hang, reply, status
from tests.shared.backends.screen import Item, World, backend

ONCE = RetryPolicy(max_attempts=1)
USERS, ORDERS, ALERTS = (backend(name, retry=ONCE, attempt_timeout=timedelta(seconds=1)) for name in ("u", "o", "a"))


class Profile(BaseModel):
    id: int
    region: str


class Page(Sections):
    profile = optional(USERS.get("/users/{user}", into=Profile), default=Profile(id=0, region="nowhere"), subject=True)
    orders = nullable(
        ORDERS.get("/orders/{region}?user={user}", into=Item), given={"region": profile.of(lambda it: it.region)}
    )
    alerts = nullable(ALERTS.get("/alerts?user={user}", into=Item))


ADA = reply({"id": 1, "region": "eu/1"})
ONE = reply({"id": 1})


def world(users: Scripted, orders: Scripted | None = None) -> World:
    return World({USERS: users, ORDERS: orders or Scripted(ONE), ALERTS: Scripted(ONE)})


def targets(here: World) -> list[str]:
    return [one.target for one in here.channels[ORDERS].requests]


def gaps(got: Sections) -> dict[str, Reason]:
    return {gap.section: gap.reason for gap in got.degraded}


async def test_it_begins_the_moment_what_it_needs_is_there() -> None:
    """Not when all others are: profile after 0.1 s, orders sent at 0.1 s; its parameter is escaped like any other."""
    here = World({USERS: Scripted(ADA.after(0.1)), ORDERS: Scripted(ONE.after(0.1)), ALERTS: Scripted(ONE.after(0.15))})

    got = await here.run(Page, user="u-1")

    assert (got.orders, got.degraded) == (Item(id=1), ())
    assert targets(here) == ["/orders/eu%2F1?user=u-1"]
    assert here.clock.now_s() == pytest.approx(1000.2)
    here.assert_nothing_left()


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (status(500), Reason.FAULTED),
        (status(204), Reason.INVALID),
        (reply({"id": 1}), Reason.INVALID),
        (hang(), Reason.TIMEOUT),
    ],
)
async def test_without_what_it_needs_it_is_missing_for_the_same_reason(step: object, reason: Reason) -> None:
    """Nothing is built on a stand-in: no call goes to a region that is only a default."""
    here = world(Scripted(step))

    got = await here.run(Page, user="u-1")

    assert gaps(got)["orders"] is reason
    assert targets(here) == []
    here.assert_nothing_left()


async def test_a_value_that_cannot_be_a_parameter_costs_its_section() -> None:
    """A region that would leave its place in the path is a problem of the request, as ever; nothing is sent."""
    here = world(Scripted(reply({"id": 1, "region": ".."})))

    got = await here.run(Page, user="u-1")

    assert gaps(got) == {"orders": Reason.INVALID}
    assert targets(here) == []
    here.assert_nothing_left()


async def test_a_reader_that_crashes_costs_its_section() -> None:
    """Not the answer."""

    class Broken(Sections):
        profile = required(USERS.get("/users/{user}", into=Profile))
        orders = nullable(
            ORDERS.get("/orders/{region}", into=Item), given={"region": profile.of(lambda it: it.nothing)}
        )

    got = await world(Scripted(ADA)).run(Broken, user="u-1")

    assert gaps(got) == {"orders": Reason.INVALID}


async def test_the_deadline_is_the_same_for_all() -> None:
    """What begins late has what is left; what never began is missing by the deadline."""
    here = world(Scripted(ADA.after(0.5)), Scripted(hang()))
    assert gaps(await here.run(Page, user="u-1", budget_s=0.8)) == {"orders": Reason.DEADLINE}
    assert here.clock.now_s() <= 1000.8
    assert int(dict(here.channels[ORDERS].requests[0].headers)["x-deadline-ms"]) == pytest.approx(275, abs=1)

    here = world(Scripted(hang()))
    assert gaps(await here.run(Page, user="u-1", budget_s=0.8)) == {
        "profile": Reason.DEADLINE,
        "orders": Reason.DEADLINE,
    }
    here.assert_nothing_left()


async def test_a_missing_subject_ends_it_before_anything_depends_on_it() -> None:
    """404, and nothing more is sent."""
    here = world(Scripted(status(404)))
    with pytest.raises(ProblemError):
        await here.run(Page, user="u-1")

    assert targets(here) == []


async def test_asking_for_the_dependent_section_asks_for_what_it_needs() -> None:
    """And for nothing else."""
    here = world(Scripted(ADA))

    got = await here.run(Page, user="u-1", only={"orders"})

    assert got.orders == Item(id=1)
    assert [len(channel.requests) for channel in here.channels.values()] == [1, 1, 0]


async def test_a_chain_and_a_join_of_sections() -> None:
    """Each link as soon as its own needs are there; a section may need two others, and each only once."""

    class Chain(Sections):
        one = required(USERS.get("/one", into=Profile))
        two = required(ORDERS.get("/two/{region}", into=Profile), given={"region": one.of(lambda it: it.region)})
        both = required(
            ALERTS.get("/both/{a}/{b}", into=Item),
            given={"a": one.of(lambda it: it.region), "b": two.of(lambda it: it.region)},
        )

    here = World({
        USERS: Scripted(reply({"id": 1, "region": "x"}).after(0.1)),
        ORDERS: Scripted(reply({"id": 1, "region": "y"}).after(0.1)),
        ALERTS: Scripted(ONE.after(0.1)),
    })  # fmt: skip
    got = await here.run(Chain)

    assert got.both == Item(id=1)
    assert here.channels[ALERTS].requests[0].target == "/both/x/y"
    assert here.clock.now_s() == pytest.approx(1000.3)


async def test_a_required_section_that_never_began_fails_by_the_reason_of_what_it_needs() -> None:
    """504, 503 or 502 as if it had been asked itself."""

    class Strict(Sections):
        one = nullable(USERS.get("/one", into=Profile))
        two = required(ORDERS.get("/two/{region}", into=Item), given={"region": one.of(lambda it: it.region)})

    with pytest.raises(SectionUnavailable) as missing:
        await world(Scripted(status(500))).run(Strict)

    assert (missing.value.section, missing.value.status) == ("two", 502)


async def test_a_client_that_leaves_in_between_leaves_nothing() -> None:
    """Neither what was sent nor what waits."""
    here = world(Scripted(ADA.after(0.2)))
    work = asyncio.ensure_future(here.fetch(Page, user="u-1"))
    await here.clock.advance(0.1)
    work.cancel()
    await settle()
    await here.clock.advance(1)

    assert targets(here) == []
    here.assert_nothing_left()


def test_the_worst_case_of_a_chain_is_its_sum() -> None:
    """So a deadline that holds for each section alone may be too short for both."""
    assert explain(Page, timedelta(seconds=3)).longest == timedelta(milliseconds=2125)
    (problem,) = explain(Page, timedelta(seconds=2)).problems
    assert "Page.orders: 1 attempts at o after 1,050 ms may take 2,100 ms" in problem


def test_a_declaration_that_cannot_hold_is_refused() -> None:
    """An unknown parameter, a section of another screen."""
    with pytest.raises(TypeError, match="no parameter planet"):
        nullable(ORDERS.get("/x/{region}", into=Item), given={"planet": Page.profile.of(lambda it: it.region)})
    stray = nullable(ORDERS.get("/x/{region}", into=Item), given={"region": Page.profile.of(lambda it: it.region)})
    with pytest.raises(TypeError, match="not in it"):
        type("Other", (Sections,), {"stray": stray})
