"""Field cases M1, M2, M4: what backends send, and what never reaches a phone."""

import json
import re
from random import Random

import pytest

from bffs.mobile.backends import ACTIVE_ALERTS, ALERTS, ORDERS, PROFILE, RECENT_ORDERS, USERS
from shared.testing.bff import Bff
from shared.testing.clock import ManualClock
from shared.testing.faults import invalid, slow, status
from shared.testing.playing import Fault
from shared.testing.sockets import SocketBackends
from tests.bffs.mobile.sample import ADA, ALERT, DASHBOARD, ORDER, PARTS, WHOLE, without_time


@pytest.mark.parametrize(
    ("backend", "fault", "gap"),
    [
        ("orders", status(204), None),
        ("alerts", status(204), None),
        ("users", status(204), None),
        ("orders", invalid(b""), "recentOrders"),
        ("orders", invalid({}), "recentOrders"),
        ("orders", invalid(None), "recentOrders"),
        ("alerts", invalid(b""), "alerts"),
        ("alerts", invalid({}), "alerts"),
        ("alerts", invalid(None), "alerts"),
        ("users", invalid([]), "profile"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_case_m1_nothing_is_an_empty_section_and_a_wrong_shape_a_gap(
    mobile: Bff, backends: SocketBackends, backend: str, fault: Fault, gap: str | None
) -> None:
    """204: empty by the declaration, not listed. Wrong shape: listed as invalid. The others intact, never 500."""
    part = PARTS[backend]
    backends[backend].fault(fault)
    body = without_time(await mobile.get(DASHBOARD))

    gaps = body.pop("degraded")
    whole = {name: value for name, value in WHOLE.items() if name != "degraded"}
    assert body == {**whole, **part.stands_in}
    assert [(one["section"], one["reason"]) for one in gaps] == ([(gap, "invalid")] if gap else [])
    assert gap in {None, part.section}


async def test_case_m2_two_hundred_runs_give_identical_bodies(
    manual_clock: ManualClock, mobile: Bff, backends: SocketBackends
) -> None:
    """Legs with the same field names, random delays: each under its own key, field order stable."""
    random = Random(11)
    same = {"status": "shipped", "items": [], "id": 7}
    backends.answers(PROFILE, {**same, **ADA})
    backends.answers(RECENT_ORDERS, [{**same, **ORDER}])
    backends.answers(ACTIVE_ALERTS, [{**same, **ALERT}])
    bodies = set()
    for _ in range(200):
        for backend in (USERS, ORDERS, ALERTS):
            backends[backend].fault(slow(random.random() / 20))
        text = (await mobile.get(DASHBOARD)).text
        bodies.add(re.sub(r'"aggregatedAt":"[^"]*"', "", text))

    assert len(bodies) == 1
    assert len(backends.requests) == 600


NUMBERS = ["NaN", '"NaN"', "1e999", "-1e999", "Infinity", "-Infinity", '"Infinity"', "1e400", "12.3", "true", '"1E+2"']


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("field", ["amount", "id"])
async def test_case_m4_no_number_that_is_none_reaches_a_phone(
    mobile: Bff, backends: SocketBackends, field: str, number: str
) -> None:
    """NaN and its kin, as number or as text: the section failed with a clear reason, or the text is an id's own."""
    raw = json.dumps([{**ORDER, field: "HERE"}]).replace('"HERE"', number).encode()
    backends[ORDERS].fault(invalid(raw))
    answer = await mobile.get(DASHBOARD)

    body = json.loads(answer.content, parse_constant=refuse)
    assert answer.status_code == 200
    if field == "id" and number.startswith('"'):
        assert body["recentOrders"][0]["id"] == json.loads(number)
    else:
        assert [(gap["section"], gap["reason"]) for gap in body["degraded"]] == [("recentOrders", "invalid")]


def refuse(constant: str) -> None:
    raise AssertionError(f"a strict parser would refuse {constant}")


@pytest.mark.parametrize("order_id", [9007199254740993, 2**63, 10**30, "o-1", "9007199254740993"])
async def test_an_id_is_text_to_the_last_digit(mobile: Bff, backends: SocketBackends, order_id: object) -> None:
    """JavaScript rounds whole numbers beyond 2^53."""
    backends.answers(RECENT_ORDERS, [{**ORDER, "id": order_id}])
    body = without_time(await mobile.get(DASHBOARD))

    assert body["recentOrders"][0]["id"] == str(order_id)


@pytest.mark.parametrize("amount", ["0.00", "12.30", "-12.30", "1000000000.01", "0.1"])
async def test_money_is_passed_on_to_the_last_digit(mobile: Bff, backends: SocketBackends, amount: str) -> None:
    """A decimal string stays one: no float on the way."""
    backends.answers(RECENT_ORDERS, [{**ORDER, "amount": amount}])
    body = without_time(await mobile.get(DASHBOARD))

    assert body["recentOrders"][0]["amount"] == amount


@pytest.mark.parametrize("field", ["displayName", "accountTier", "userId"])
@pytest.mark.parametrize("value", [b'"\\ud800"', b"NaN", b"7.5", b"null", b"{}"])
async def test_a_text_that_is_none_is_a_gap_and_never_a_500(
    mobile: Bff, backends: SocketBackends, field: str, value: bytes
) -> None:
    """Half a surrogate pair could not even be written; a number is no name."""
    raw = json.dumps({**ADA, field: "HERE"}).encode().replace(b'"HERE"', value)
    backends[USERS].fault(invalid(raw))
    body = without_time(await mobile.get(DASHBOARD))

    assert [(gap["section"], gap["reason"]) for gap in body["degraded"]] == [("profile", "invalid")]
