"""What backends answer when they are not well, over real sockets (field cases M1, M4, W5)."""

import json
from typing import Any

import pytest

from bffs.web.backends import ALERTS_OF, ORDERS_OF
from shared.testing.faults import answer, down, invalid, raw, status
from shared.testing.playing import Fault
from shared.testing.sockets import SocketBackends
from tests.bffs.web.web import ALERT, DASHBOARD, ORDER, PROFILE, Web

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

GARBAGE: dict[str, tuple[Fault, str]] = {
    "html": (invalid(), "invalid"),
    "cut_json": (invalid(b'[{"id": 1, "crea'), "invalid"),
    "empty_body": (invalid(b""), "invalid"),
    "an_object_for_a_list": (invalid({}), "invalid"),
    "null_for_a_list": (invalid(b"null"), "invalid"),
    "text_for_a_list": (invalid("none"), "invalid"),
    "nan": (invalid(b"NaN"), "invalid"),
    "list_of_other_things": (invalid([{"score": 1}, {"score": 2}]), "invalid"),
    "not_utf_8": (invalid(b'[{"id": "\xff"}]'), "invalid"),
    "nested_for_ever": (invalid(b"[" * 100_000), "invalid"),
    "ten_megabytes": (invalid(b'"' + b"x" * 10_000_000 + b'"'), "invalid"),
    "redirect": (answer(302, location="http://127.0.0.1:1/"), "invalid"),
    "not_http": (raw(b"SSH-2.0-OpenSSH_9.6\r\n", "close"), "invalid"),
    "nothing": (raw(b"", "close"), "unreachable"),
    "cut_in_the_body": (raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n[", "close"), "unreachable"),
    "cut_in_a_chunk": (raw(CHUNKED + b"5\r\n[", "close"), "unreachable"),
    "bad_request": (status(400), "refused"),
    "not_found": (status(404), "refused"),
    "server_error": (status(500), "faulted"),
}


@pytest.mark.parametrize(("fault", "reason"), GARBAGE.values(), ids=GARBAGE)
async def test_garbage_is_a_gap_of_its_own_section(
    web: Web, backends: SocketBackends, fault: Fault, reason: str
) -> None:
    """Alerts are null and named with their reason; profile and orders are whole; nothing is an error."""
    backends["alerts"].fault(fault)

    dashboard = (await web.data(DASHBOARD))["dashboard"]

    assert dashboard["alerts"] is None
    assert [(gap["section"], gap["reason"], gap["source"]) for gap in dashboard["degraded"]] == [
        ("alerts", reason, "none")
    ]
    assert (dashboard["tier"], len(dashboard["recentOrders"])) == ("Gold", 1)


async def test_a_refused_connection_is_a_gap(web: Web, backends: SocketBackends) -> None:
    """A port where nobody listens."""
    backends["alerts"].fault(down())
    dashboard = (await web.data(DASHBOARD))["dashboard"]

    assert [(gap["section"], gap["reason"]) for gap in dashboard["degraded"]] == [("alerts", "unreachable")]


async def test_case_m1_no_content_is_an_empty_section(web: Web, backends: SocketBackends) -> None:
    """204 says that there is nothing: empty by the schema, and not a failure."""
    for name in ("users", "orders", "alerts"):
        backends[name].fault(status(204))

    dashboard = (await web.data(DASHBOARD))["dashboard"]

    assert dashboard["degraded"] == []
    assert (dashboard["displayName"], dashboard["recentOrders"], dashboard["alerts"]) == ("User", [], None)


async def test_an_empty_list_is_whole(web: Web, backends: SocketBackends) -> None:
    """No orders and no alerts is an answer like any other."""
    backends.answers(ORDERS_OF, [])
    backends.answers(ALERTS_OF, [])

    dashboard = (await web.data(DASHBOARD))["dashboard"]

    assert (dashboard["recentOrders"], dashboard["alerts"], dashboard["degraded"]) == ([], [], [])


PROFILES: dict[str, Any] = {
    "nan": b'{"userId": "u-1", "displayName": NaN, "accountTier": "Gold"}',
    "infinity": b'{"userId": "u-1", "displayName": "Ada", "accountTier": -Infinity}',
    "beyond_double": b'{"userId": 1e999, "displayName": "Ada", "accountTier": "Gold"}',
    "a_fraction_as_id": PROFILE | {"userId": 1.5},
    "true_as_id": PROFILE | {"userId": True},
    "a_number_as_name": PROFILE | {"displayName": 7},
    "null_as_name": PROFILE | {"displayName": None},
    "half_a_surrogate_pair": b'{"userId": "u-1", "displayName": "\\ud83d", "accountTier": "Gold"}',
}


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
async def test_case_m4_what_is_no_text_never_reaches_a_client(web: Web, backends: SocketBackends, profile: Any) -> None:
    """NaN, infinities and wrong types: the section failed, the answer is strict JSON and 200."""
    backends["users"].fault(invalid(profile))

    response = await web.query(DASHBOARD)

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is not JSON")

    dashboard = json.loads(response.content, parse_constant=refuse)["data"]["dashboard"]
    assert dashboard["displayName"] == "User"
    assert [(gap["section"], gap["reason"]) for gap in dashboard["degraded"]] == [("profile", "invalid")]


async def test_case_m4_nan_in_a_field_that_nobody_reads_does_no_harm(web: Web, backends: SocketBackends) -> None:
    """What the page does not show cannot break it."""
    body = json.dumps(PROFILE)[:-1] + ', "score": NaN, "limit": 1e999}'
    backends["users"].fault(answer(200, body.encode()))

    dashboard = (await web.data(DASHBOARD))["dashboard"]

    assert (dashboard["displayName"], dashboard["degraded"]) == (PROFILE["displayName"], [])


BAD_ORDERS: dict[str, Any] = {
    "null": None,
    "a_number": 7,
    "empty": {},
    "no_id": {name: value for name, value in ORDER.items() if name != "id"},
    "money_as_a_float": ORDER | {"amount": 12.3},
    "money_as_a_number": ORDER | {"amount": 12},
    "money_nan": ORDER | {"amount": "NaN"},
    "money_with_an_exponent": ORDER | {"amount": "1E+2"},
    "money_with_a_comma": ORDER | {"amount": "12,30"},
    "money_in_other_digits": ORDER | {"amount": "١٢"},
    "money_with_a_newline": ORDER | {"amount": "12.30\n"},
    "a_moment_without_offset": ORDER | {"placedAt": "2026-11-20T10:00:00"},
    "no_moment": ORDER | {"placedAt": "yesterday"},
    "an_endless_moment": ORDER | {"placedAt": 1e300},
}


@pytest.mark.parametrize("bad", BAD_ORDERS.values(), ids=BAD_ORDERS)
async def test_case_w5_one_bad_order_nulls_only_itself(web: Web, backends: SocketBackends, bad: Any) -> None:
    """Its place in the list stays, its neighbours stay, no error and no gap speaks of it."""
    backends.answers(ORDERS_OF, [ORDER, bad, ORDER])

    dashboard = (await web.data(DASHBOARD))["dashboard"]

    first, second, third = dashboard["recentOrders"]
    assert second is None
    assert first == third != second
    assert dashboard["degraded"] == []


async def test_case_w5_one_bad_alert_nulls_only_itself(web: Web, backends: SocketBackends) -> None:
    """The same in the nullable section."""
    backends.answers(ALERTS_OF, [ALERT, {"id": "a-2"}])

    dashboard = (await web.data(DASHBOARD))["dashboard"]

    assert [alert and alert["id"] for alert in dashboard["alerts"]] == ["a-1", None]
    assert dashboard["degraded"] == []


@pytest.mark.parametrize("fault", [status(500), invalid([None]), raw(b"", "close")], ids=["500", "null", "gone"])
async def test_case_w5_one_failing_leg_leaves_the_others(web: Web, backends: SocketBackends, fault: Fault) -> None:
    """A leg that fails or has a null item takes neither its siblings nor the whole answer with it."""
    backends["alerts"].fault(fault)

    response = await web.query(DASHBOARD)

    assert response.status_code == 200
    assert response.json().keys() == {"data", "extensions"}
    dashboard = response.json()["data"]["dashboard"]
    assert (dashboard["displayName"], len(dashboard["recentOrders"])) == (PROFILE["displayName"], 1)
    assert dashboard["alerts"] in (None, [None])
