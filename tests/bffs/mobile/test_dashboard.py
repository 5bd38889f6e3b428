"""The dashboard and the profile, as a phone gets them (architecture §4)."""

import pytest

from shared.testing.scripted import Scripted, hang, reply, status
from tests.bffs.mobile.phone import ADA, DASHBOARD, ORDER, PROFILE, WHOLE, scripted_phone, without_time


async def test_everything_in_one_answer(route: str) -> None:
    """The shape of the contract, in its order; ids as text, money as text, only what was declared."""
    async with scripted_phone(route=route) as phone:
        answer = await phone.get()

    body = answer.json()
    assert list(body) == ["userId", "displayName", "tier", "recentOrders", "alerts", "aggregatedAt", "degraded"]
    assert body["aggregatedAt"] == "2026-11-18T11:06:40Z"
    assert without_time(answer) == WHOLE
    assert answer.headers["content-type"] == "application/json"
    assert "cache-control" not in answer.headers
    assert "email" not in answer.text


async def test_the_profile_is_one_section() -> None:
    """Who is signed in."""
    async with scripted_phone() as phone:
        answer = await phone.get(PROFILE)

    assert answer.json() == {"userId": "u-1", "displayName": "Ada Łovelace 🌻", "tier": "Gold", "degraded": []}


async def test_the_backends_are_asked_for_the_tokens_subject() -> None:
    """Once each, at once, without the caller's token: they did not ask for it."""
    users, orders, alerts = Scripted(reply(ADA)), Scripted(reply([])), Scripted(reply([]))
    async with scripted_phone(users, orders, alerts) as phone:
        await phone.get(subject="u/1 ?")

    targets = [channel.requests[0].target for channel in (users, orders, alerts)]
    assert targets == [
        "/api/internal/users/u%2F1%20%3F/profile",
        "/api/internal/orders?userId=u%2F1%20%3F&limit=5",
        "/api/internal/alerts?userId=u%2F1%20%3F",
    ]
    for channel in (users, orders, alerts):
        (sent,) = channel.requests
        assert "authorization" not in dict(sent.headers)
        assert int(dict(sent.headers)["x-deadline-ms"]) <= 700


@pytest.mark.parametrize("subject", [".", ".."])
async def test_a_subject_that_would_move_the_path_is_an_invalid_request(subject: str) -> None:
    """400, and no backend is asked."""
    users = Scripted(reply(ADA))
    async with scripted_phone(users) as phone:
        answer = await phone.get(subject=subject)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert users.requests == []


@pytest.mark.parametrize("path", [DASHBOARD, PROFILE])
async def test_an_unknown_subject_is_not_found(path: str) -> None:
    """404 of the subject itself is the answer, whatever the other backends say."""
    async with scripted_phone(Scripted(status(404)), Scripted(hang())) as phone:
        answer = await phone.get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert phone.clock
    assert phone.clock.now_s() == 1000.0


async def test_orders_of_a_moment_ago_stand_in_with_their_age() -> None:
    """For up to five minutes, and only for their own user."""
    async with scripted_phone(orders=Scripted(reply([ORDER]), status(500))) as phone:
        await phone.get()
        assert phone.clock
        await phone.clock.advance(12)

        mine = without_time(await phone.get())
        others = without_time(await phone.get(subject="u-2"))
        await phone.clock.advance(300)
        later = without_time(await phone.get())

    assert mine["recentOrders"] == WHOLE["recentOrders"]
    assert mine["degraded"] == [
        {"section": "recentOrders", "reason": "faulted", "source": "stale", "ageSeconds": 12, "retryAfterSeconds": 2}
    ]
    assert (others["recentOrders"], others["degraded"][0]["source"]) == ([], "default")
    assert (later["recentOrders"], later["degraded"][0]["source"]) == ([], "default")


async def test_everything_missing_is_still_a_dashboard() -> None:
    """All backends silent: answered by the deadline, every section named, in the order of the declaration."""
    async with scripted_phone(*(Scripted(hang()) for _ in range(3))) as phone:
        answer = await phone.get(x_deadline_ms="1000")

    body = without_time(answer)
    assert [gap["section"] for gap in body["degraded"]] == ["profile", "recentOrders", "alerts"]
    assert (body["userId"], body["displayName"], body["tier"]) == ("u-1", "User", "Free")
    assert phone.clock
    assert phone.clock.now_s() <= 1001.0


async def test_the_clients_own_deadline_is_kept() -> None:
    """200 ms is what it gets; 60 s it does not."""
    for asked, most in (("200", 0.2), ("60000", 3.0)):
        async with scripted_phone(orders=Scripted(hang())) as phone:
            await phone.get(x_deadline_ms=asked)
            assert phone.clock
            assert phone.clock.now_s() - 1000.0 <= most


async def test_a_flaky_backend_is_asked_again_and_nobody_notices() -> None:
    """One 503, one retry, a whole answer."""
    async with scripted_phone(orders=Scripted(status(503), reply([ORDER]))) as phone:
        assert without_time(await phone.get()) == WHOLE
