"""The dashboard and the profile, as a phone gets them (architecture §4)."""

import pytest

from bffs.mobile.backends import ACTIVE_ALERTS, ALERTS, MY_PROFILE, ORDERS, PROFILE, RECENT_ORDERS, USERS
from shared.testing.bff import Bff
from shared.testing.calls import BackendCalls
from shared.testing.clock import ManualClock
from shared.testing.faults import flaky, silent, status
from shared.testing.sockets import SocketBackends
from tests.bffs.mobile.conftest import OpenMobile
from tests.bffs.mobile.sample import DASHBOARD, ORDER, WHOLE, without_time
from tests.bffs.mobile.sample import PROFILE as PROFILE_SCREEN


async def test_everything_in_one_answer(manual_clock: ManualClock, open_mobile: OpenMobile, route: str) -> None:
    """The shape of the contract, in its order; ids as text, money as text, only what was declared."""
    answer = await (await open_mobile(route=route)).get(DASHBOARD)

    body = answer.json()
    assert list(body) == ["userId", "displayName", "tier", "recentOrders", "alerts", "aggregatedAt", "degraded"]
    assert body["aggregatedAt"] == "2026-11-18T11:06:40Z"
    assert without_time(answer) == WHOLE
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["etag"].startswith('"')
    assert "email" not in answer.text


async def test_the_profile_is_one_section(mobile: Bff, backend_calls: BackendCalls) -> None:
    """Who is signed in, for one call."""
    with backend_calls.exactly({MY_PROFILE: 1}):
        answer = await mobile.get(PROFILE_SCREEN)

    assert answer.json() == {
        "userId": "u-1", "displayName": "Ada Łovelace 🌻", "tier": "Gold", "degraded": [], "email": "ada@example.test",
        "region": "eu",
    }  # fmt: skip


async def test_the_backends_are_asked_for_the_tokens_subject(
    mobile: Bff, backends: SocketBackends, backend_calls: BackendCalls
) -> None:
    """Once each, without the caller's token: they did not ask for it; with what is left of its time."""
    with backend_calls.exactly({PROFILE: 1, RECENT_ORDERS: 1, ACTIVE_ALERTS: 1}):
        await mobile.get(DASHBOARD, user="u/1 ?")

    assert {one.target for one in backends.requests} == {
        "/api/internal/users/u%2F1%20%3F/profile",
        "/api/internal/orders?userId=u%2F1%20%3F&limit=5",
        "/api/internal/alerts?userId=u%2F1%20%3F",
    }
    for seen in backends.requests:
        assert seen.header("authorization") is None
        assert seen.time_left is not None
        assert seen.time_left.total_seconds() <= 0.7


async def test_a_long_list_costs_no_more_calls(
    mobile: Bff, backends: SocketBackends, backend_calls: BackendCalls
) -> None:
    """Two orders or twenty: three calls."""

    async def show(size: int) -> None:
        backends.answers(RECENT_ORDERS, [ORDER] * size)
        assert len((await mobile.get(DASHBOARD)).json()["recentOrders"]) == size

    await backend_calls.do_not_grow(show)


@pytest.mark.parametrize("subject", [".", ".."])
async def test_a_subject_that_would_move_the_path_is_an_invalid_request(
    mobile: Bff, backends: SocketBackends, subject: str
) -> None:
    """400, and the backend whose path it would move is not asked."""
    answer = await mobile.get(DASHBOARD, user=subject)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert backends[USERS].requests == []


@pytest.mark.parametrize("path", [DASHBOARD, PROFILE_SCREEN])
async def test_an_unknown_subject_is_not_found(
    manual_clock: ManualClock, mobile: Bff, backends: SocketBackends, path: str
) -> None:
    """404 of the subject itself is the answer, at once, whatever the other backends say."""
    backends[USERS].fault(status(404))
    backends[ORDERS].fault(silent())
    answer = await mobile.get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert manual_clock.now_s() == 1000.0


async def test_orders_of_a_moment_ago_stand_in_with_their_age(
    manual_clock: ManualClock, mobile: Bff, backends: SocketBackends
) -> None:
    """For up to five minutes, and only for their own user."""
    await mobile.get(DASHBOARD)
    backends[ORDERS].fault(status(500))
    await manual_clock.advance(12)

    mine = without_time(await mobile.get(DASHBOARD))
    others = without_time(await mobile.get(DASHBOARD, user="u-2"))
    await manual_clock.advance(300)
    later = without_time(await mobile.get(DASHBOARD))

    assert mine["recentOrders"] == WHOLE["recentOrders"]
    assert mine["degraded"] == [
        {"section": "recentOrders", "reason": "faulted", "source": "stale", "ageSeconds": 12, "retryAfterSeconds": 2}
    ]
    assert (others["recentOrders"], others["degraded"][0]["source"]) == ([], "default")
    assert (later["recentOrders"], later["degraded"][0]["source"]) == ([], "default")


async def test_everything_missing_is_still_a_dashboard(
    manual_clock: ManualClock, mobile: Bff, backends: SocketBackends
) -> None:
    """All backends silent: answered by the deadline, every section named, in the order of the declaration."""
    for backend in (USERS, ORDERS, ALERTS):
        backends[backend].fault(silent())
    answer = await mobile.get(DASHBOARD, headers={"x-deadline-ms": "1000"})

    body = without_time(answer)
    assert [gap["section"] for gap in body["degraded"]] == ["profile", "recentOrders", "alerts"]
    assert (body["userId"], body["displayName"], body["tier"]) == ("u-1", "User", "Free")
    assert manual_clock.now_s() <= 1001.0


@pytest.mark.parametrize(("asked", "most"), [("200", 0.2), ("60000", 3.0)])
async def test_the_clients_own_deadline_is_kept(
    manual_clock: ManualClock, mobile: Bff, backends: SocketBackends, asked: str, most: float
) -> None:
    """200 ms is what it gets; 60 s it does not."""
    backends[ORDERS].fault(silent())
    await mobile.get(DASHBOARD, headers={"x-deadline-ms": asked})

    assert 0.0 < manual_clock.now_s() - 1000.0 <= most


async def test_a_flaky_backend_is_asked_again_and_nobody_notices(
    manual_clock: ManualClock, mobile: Bff, backends: SocketBackends, backend_calls: BackendCalls
) -> None:
    """One 503, one retry, a whole answer."""
    backends[ORDERS].fault(flaky(1))
    with backend_calls.exactly({USERS: 1, ORDERS: 2, ALERTS: 1}):
        assert without_time(await mobile.get(DASHBOARD)) == WHOLE
