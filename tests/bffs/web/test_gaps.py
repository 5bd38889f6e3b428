"""The partial-result contract on the web surface: every reason, every source, and never an ``errors`` entry for it."""

from datetime import timedelta

import pytest

from bffs.web.backends import ALERTS, ORDERS, USERS
from shared.errors import Reason, Source
from shared.testing.calls import BackendCalls
from shared.testing.clock import ManualClock
from shared.testing.faults import down, flaky, invalid, silent, status
from shared.testing.playing import Fault
from shared.testing.sockets import SocketBackends
from tests.bffs.web.web import DASHBOARD, Web

# What every attempt meets. A hanging backend is a timeout while a second attempt still has time of its own; with less
# time than one attempt's, it is the deadline.
MEETS: dict[Reason, Fault] = {
    Reason.TIMEOUT: silent(),
    Reason.DEADLINE: silent(),
    Reason.UNREACHABLE: down(),
    Reason.FAULTED: status(500),
    Reason.REFUSED: status(403),
    Reason.INVALID: invalid(),
    Reason.REJECTED: silent(),
}
HINTS = {reason: None if reason in {Reason.REFUSED, Reason.INVALID} else 2 for reason in Reason}
BACKENDS = {"profile": USERS, "recentOrders": ORDERS, "alerts": ALERTS}
WITHOUT = {"profile": ("User", "Free"), "recentOrders": [], "alerts": None}


def fill(web: Web, section: str) -> None:
    """Take every permit of a section's backend."""
    backend = BACKENDS[section]
    for _ in range(backend.policy.bulkhead.max_concurrent):
        web.app.state.backends.state(backend).bulkhead.acquire()


def shown(dashboard: dict, section: str) -> object:
    return (dashboard["displayName"], dashboard["tier"]) if section == "profile" else dashboard[section]


async def ask(web: Web, section: str, reason: Reason) -> dict:
    """Ask so that the section goes missing for this reason; check what holds for every declared gap."""
    if reason is Reason.REJECTED:
        fill(web, section)
    headers = {"x-deadline-ms": "300"} if reason is Reason.DEADLINE else {}
    answer = await web.query(DASHBOARD, headers=headers)
    assert answer.status_code == 200
    assert answer.json().keys() == {"data", "extensions"}, "a declared gap is no error"
    assert answer.headers.get_list("cache-control") == ["no-store"]
    dashboard = answer.json()["data"]["dashboard"]
    for other in BACKENDS.keys() - {section}:
        assert shown(dashboard, other) not in (WITHOUT[other], []), "a sibling suffered"
    return dashboard


@pytest.mark.parametrize("section", BACKENDS)
@pytest.mark.parametrize("reason", Reason)
async def test_a_missing_section_is_named_with_its_reason(
    manual_clock: ManualClock, web: Web, backends: SocketBackends, reason: Reason, section: str
) -> None:
    """Profile and orders by their defaults, alerts by null; the rest of the page is whole."""
    backends[BACKENDS[section]].fault(MEETS[reason])
    dashboard = await ask(web, section, reason)

    source = Source.NONE if section == "alerts" else Source.DEFAULT
    gap = {"section": section, "reason": reason, "source": source, "ageSeconds": None}
    assert dashboard["degraded"] == [gap | {"retryAfterSeconds": HINTS[reason]}]
    assert shown(dashboard, section) == WITHOUT[section]


@pytest.mark.parametrize("reason", [one for one in Reason if one is not Reason.REFUSED])
async def test_orders_seen_a_moment_ago_stand_in(
    manual_clock: ManualClock, web: Web, backends: SocketBackends, reason: Reason
) -> None:
    """The one section that may be stale is, with its age, for whatever reason it is missing but a refusal."""
    fresh = (await web.data(DASHBOARD))["dashboard"]
    backends[ORDERS].fault(MEETS[reason])
    await manual_clock.advance(12)
    dashboard = await ask(web, "recentOrders", reason)

    (gap,) = dashboard["degraded"]
    assert (gap["section"], gap["reason"], gap["source"]) == ("recentOrders", reason, Source.STALE)
    assert gap["ageSeconds"] in {12, 13}, "the second or so that attempts took is part of the age"
    assert gap["retryAfterSeconds"] == HINTS[reason]
    assert dashboard["recentOrders"] == fresh["recentOrders"]


def test_the_table_has_every_reason() -> None:
    """A reason that is added to the closed list is added here."""
    assert MEETS.keys() == set(Reason)


async def test_orders_older_than_five_minutes_do_not_stand_in(
    manual_clock: ManualClock, web: Web, backends: SocketBackends
) -> None:
    """What is too old to be useful is not shown: the default is."""
    await web.data(DASHBOARD)
    backends[ORDERS].fault(status(500))
    await manual_clock.advance(timedelta(minutes=5, seconds=1).total_seconds())
    dashboard = (await web.data(DASHBOARD))["dashboard"]

    assert dashboard["recentOrders"] == []
    assert [gap["source"] for gap in dashboard["degraded"]] == [Source.DEFAULT]


async def test_the_backends_word_on_when_to_ask_again_is_passed_on(
    manual_clock: ManualClock, web: Web, backends: SocketBackends
) -> None:
    """Retry-After of a backend becomes ``retryAfterSeconds``."""
    backends[ALERTS].fault(status(503, retry_after=17))
    dashboard = (await web.data(DASHBOARD))["dashboard"]

    assert [gap["retryAfterSeconds"] for gap in dashboard["degraded"]] == [17]


async def test_everything_may_be_missing(manual_clock: ManualClock, web: Web, backends: SocketBackends) -> None:
    """All three silent: a page of defaults by the deadline, each gap named in the order of the declaration."""
    for backend in BACKENDS.values():
        backends[backend].fault(silent())
    before = manual_clock.now_s()
    dashboard = (await web.data(DASHBOARD, headers={"x-deadline-ms": "500"}))["dashboard"]

    assert manual_clock.now_s() - before <= 0.5
    assert [gap["section"] for gap in dashboard["degraded"]] == ["profile", "recentOrders", "alerts"]
    assert {gap["reason"] for gap in dashboard["degraded"]} == {"deadline"}
    assert dashboard["userId"] == "u-1"


async def test_a_retry_that_succeeds_leaves_no_gap(
    manual_clock: ManualClock, web: Web, backends: SocketBackends, backend_calls: BackendCalls
) -> None:
    """One 503, then an answer: whole, and nobody is told."""
    backends[ALERTS].fault(flaky(1))
    with backend_calls.exactly({USERS: 1, ORDERS: 1, ALERTS: 2}):
        dashboard = (await web.data(DASHBOARD))["dashboard"]

    assert dashboard["degraded"] == []


async def test_two_dashboards_in_one_operation_keep_their_gaps_apart(web: Web, backends: SocketBackends) -> None:
    """``degraded`` is a field of the type that has the sections: each object speaks of its own."""
    text = "{ a: dashboard { tier degraded { section } } b: dashboard { alerts { id } degraded { section } } }"
    backends[ALERTS].fault(status(500))
    data = await web.data(text)

    assert data["a"] == {"tier": "Gold", "degraded": []}
    assert data["b"] == {"alerts": None, "degraded": [{"section": "alerts"}]}


@pytest.mark.parametrize("code", [401, 403, 404, 410])
async def test_orders_that_were_withdrawn_do_not_stand_in(web: Web, backends: SocketBackends, code: int) -> None:
    """Neither now nor when the backend then fails: gone, or not to be seen by this user any more."""
    await web.data(DASHBOARD)
    for fault, reason in ((status(code), Reason.REFUSED), (status(500), Reason.FAULTED)):
        backends[ORDERS].fault(fault)
        dashboard = (await web.data(DASHBOARD))["dashboard"]
        assert dashboard["recentOrders"] == []
        assert [(gap["reason"], gap["source"]) for gap in dashboard["degraded"]] == [(reason, Source.DEFAULT)]
