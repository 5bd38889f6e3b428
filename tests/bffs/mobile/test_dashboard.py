"""The dashboard and the profile, as a phone gets them (architecture §4)."""

import json
import re
from random import Random
from typing import Any

import pytest

from bffs.mobile.backends import ALERTS, ORDERS, USERS
from shared.errors import Reason
from shared.resilience.bulkhead import Bulkhead
from shared.testing.scripted import Scripted, Step, broken, hang, reply, scripted_backends, status
from tests.bffs.mobile.phone import ADA, ALERT, DASHBOARD, ORDER, PROFILE, WHOLE, Phone, scripted_phone, without_time


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


# Every reason, by name

TROUBLE: dict[Reason, Step] = {
    Reason.TIMEOUT: hang(),
    Reason.DEADLINE: hang(),
    Reason.UNREACHABLE: broken(),
    Reason.FAULTED: status(500),
    Reason.REFUSED: status(403),
    Reason.INVALID: reply(b"<html>"),
    Reason.REJECTED: reply([]),
}
# With less time than one attempt may take, the whole ends first.
BUDGET_MS = {Reason.DEADLINE: "500"}
FALLBACKS: dict[str, tuple[str, dict[str, Any]]] = {
    "users": ("profile", {"displayName": "User", "tier": "Free"}),
    "orders": ("recentOrders", {"recentOrders": []}),
    "alerts": ("alerts", {"alerts": None}),
}
SOURCES = {"profile": "default", "recentOrders": "default", "alerts": "none"}
STATUS = {
    Reason.TIMEOUT: 504,
    Reason.DEADLINE: 504,
    Reason.UNREACHABLE: 503,
    Reason.REJECTED: 503,
    Reason.FAULTED: 502,
    Reason.REFUSED: 502,
    Reason.INVALID: 502,
}


async def meet(phone: Phone, backend: str, reason: Reason, path: str) -> Any:
    """Ask while that backend is in that trouble."""
    if reason is Reason.REJECTED:
        bulkhead: Bulkhead = phone.app.state.backends._states[backend].bulkhead
        bulkhead.in_flight = bulkhead._limit
    return await phone.get(path, x_deadline_ms=BUDGET_MS.get(reason, "3000"))


@pytest.mark.parametrize("backend", list(FALLBACKS))
@pytest.mark.parametrize("reason", list(Reason), ids=str)
async def test_a_missing_section_is_named_with_its_reason(reason: Reason, backend: str) -> None:
    """200; the others are whole; the declared fallback stands in; ``degraded`` says why and when to come back."""
    section, stands_in = FALLBACKS[backend]
    async with scripted_phone(**{backend: Scripted(TROUBLE[reason])}) as phone:
        answer = await meet(phone, backend, reason, DASHBOARD)

    lasting = reason in {Reason.REFUSED, Reason.INVALID}
    gap = {
        "section": section, "reason": reason, "source": SOURCES[section], "ageSeconds": None,
        "retryAfterSeconds": None if lasting else 2,
    }  # fmt: skip
    assert without_time(answer) == {**WHOLE, **stands_in, "degraded": [gap]}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("reason", list(Reason), ids=str)
async def test_a_missing_required_section_decides_the_status(reason: Reason, route: str) -> None:
    """A problem that names the section and the status of its reason; 503 says when to come back; never 500."""
    async with scripted_phone(Scripted(TROUBLE[reason]), route=route) as phone:
        answer = await meet(phone, "users", reason, PROFILE)

    assert answer.status_code == STATUS[reason]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["section"] == "profile"
    assert reason in answer.json()["detail"]
    if answer.status_code == 503:
        assert answer.headers["retry-after"] == "2"


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


# Field cases M1, M2, M4


@pytest.mark.parametrize(
    ("backend", "step", "gap"),
    [
        ("orders", status(204), None),
        ("alerts", status(204), None),
        ("users", status(204), None),
        ("orders", reply(b""), "recentOrders"),
        ("orders", reply({}), "recentOrders"),
        ("orders", reply(None), "recentOrders"),
        ("alerts", reply(b""), "alerts"),
        ("alerts", reply({}), "alerts"),
        ("alerts", reply(None), "alerts"),
        ("users", reply([]), "profile"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_case_m1_nothing_is_an_empty_section_and_a_wrong_shape_a_gap(
    backend: str, step: Step, gap: str | None
) -> None:
    """204: empty by the declaration, not listed. Wrong shape: listed as invalid. The others intact, never 500."""
    section, stands_in = FALLBACKS[backend]
    async with scripted_phone(**{backend: Scripted(step)}) as phone:
        body = without_time(await phone.get())

    gaps = body.pop("degraded")
    whole = {name: value for name, value in WHOLE.items() if name != "degraded"}
    assert body == {**whole, **stands_in}
    assert [(one["section"], one["reason"]) for one in gaps] == ([(gap, "invalid")] if gap else [])
    assert gap in {None, section}


async def test_case_m2_two_hundred_runs_give_identical_bodies() -> None:
    """Legs with the same field names, random delays: each under its own key, field order stable."""
    random = Random(11)  # noqa: S311 - seeded, so that the test repeats itself
    same = {"status": "shipped", "items": [], "id": 7}
    answers = {USERS: {**same, **ADA}, ORDERS: [{**same, **ORDER}], ALERTS: [{**same, **ALERT}]}
    bodies = set()
    async with scripted_phone() as phone:
        assert phone.clock
        for _ in range(200):
            delayed = {one: Scripted(reply(body).after(random.random() / 20)) for one, body in answers.items()}
            phone.app.state.backends = scripted_backends(phone.clock, delayed)
            text = (await phone.get()).text
            bodies.add(re.sub(r'"aggregatedAt":"[^"]*"', "", text))

    assert len(bodies) == 1


NUMBERS = ["NaN", '"NaN"', "1e999", "-1e999", "Infinity", "-Infinity", '"Infinity"', "1e400", "12.3", "true", '"1E+2"']


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("field", ["amount", "id"])
async def test_case_m4_no_number_that_is_none_reaches_a_phone(field: str, number: str) -> None:
    """NaN and its kin, as number or as text: the section failed with a clear reason, or the text is an id's own."""
    raw = json.dumps([{**ORDER, field: "HERE"}]).replace('"HERE"', number).encode()
    async with scripted_phone(orders=Scripted(reply(raw))) as phone:
        answer = await phone.get()

    body = json.loads(answer.content, parse_constant=refuse)
    assert answer.status_code == 200
    if field == "id" and number.startswith('"'):
        assert body["recentOrders"][0]["id"] == json.loads(number)
    else:
        assert [(gap["section"], gap["reason"]) for gap in body["degraded"]] == [("recentOrders", "invalid")]


def refuse(constant: str) -> None:
    raise AssertionError(f"a strict parser would refuse {constant}")


@pytest.mark.parametrize("order_id", [9007199254740993, 2**63, 10**30, "o-1", "9007199254740993"])
async def test_an_id_is_text_to_the_last_digit(order_id: object) -> None:
    """JavaScript rounds whole numbers beyond 2^53."""
    async with scripted_phone(orders=Scripted(reply([{**ORDER, "id": order_id}]))) as phone:
        body = without_time(await phone.get())

    assert body["recentOrders"][0]["id"] == str(order_id)


@pytest.mark.parametrize("amount", ["0.00", "12.30", "-12.30", "1000000000.01", "0.1"])
async def test_money_is_passed_on_to_the_last_digit(amount: str) -> None:
    """A decimal string stays one: no float on the way."""
    async with scripted_phone(orders=Scripted(reply([{**ORDER, "amount": amount}]))) as phone:
        body = without_time(await phone.get())

    assert body["recentOrders"][0]["amount"] == amount


@pytest.mark.parametrize("field", ["displayName", "accountTier", "userId"])
@pytest.mark.parametrize("value", [b'"\\ud800"', b"NaN", b"7.5", b"null", b"{}"])
async def test_a_text_that_is_none_is_a_gap_and_never_a_500(field: str, value: bytes) -> None:
    """Half a surrogate pair could not even be written; a number is no name."""
    raw = json.dumps({**ADA, field: "HERE"}).encode().replace(b'"HERE"', value)
    async with scripted_phone(Scripted(reply(raw))) as phone:
        body = without_time(await phone.get())

    assert [(gap["section"], gap["reason"]) for gap in body["degraded"]] == [("profile", "invalid")]
