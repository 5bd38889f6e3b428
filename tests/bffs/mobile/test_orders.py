"""Orders: pages that do not shift, cursors that are nobody else's, and one order in full."""

import base64
from decimal import Decimal
from typing import Any

import httpx
import pytest

from bffs.mobile.backends import ORDER as ORDER_CALL
from bffs.mobile.backends import ORDER_PAGE, ORDERS, USERS
from shared.cursors import SEAL_BYTES
from shared.testing.bff import Bff
from shared.testing.calls import BackendCalls
from shared.testing.clock import ManualClock
from shared.testing.faults import silent, status
from shared.testing.sockets import SocketBackends
from tests.bffs.mobile.conftest import OpenMobile
from tests.bffs.mobile.sample import ALERTS_SCREEN, DASHBOARD, LINES, ORDER, ORDERS_SCREEN

FULL = {**ORDER, "lines": LINES, "version": "3.ab12"}


async def page(mobile: Bff, **query: object) -> dict[str, Any]:
    """Return a page of orders."""
    answer = await mobile.get(ORDERS_SCREEN, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_every_order_comes_once_whatever_is_ordered_meanwhile(sampled: Bff) -> None:
    """Over the sample backends: no order twice, none left out, new ones only at the beginning, no next at the end."""
    shown = (await page(sampled, limit=50))["items"]
    assert len(shown) > 7
    seen, body = [], await page(sampled, limit=3)
    while True:
        seen += [one["id"] for one in body["items"]]
        if "next" not in body:
            break
        await order_again(sampled, seen[0])
        body = await page(sampled, limit=3, cursor=body["next"])

    assert seen == [one["id"] for one in shown]
    assert len((await page(sampled, limit=50))["items"]) > len(shown)


async def order_again(mobile: Bff, order: str) -> None:
    """Order the same once more, at the backend itself."""
    url = mobile.app.state.sample_urls["orders_url"]
    async with httpx.AsyncClient() as client:
        made = await client.post(
            f"{url}/api/internal/users/u-1/orders", json={"repeats": order}, headers={"idempotency-key": "k"}
        )
    assert made.status_code == 201


async def test_a_page_is_what_was_asked_for(mobile: Bff, backends: SocketBackends) -> None:
    """The size travels on, ids are text beyond 2^53, amounts are text, and the last page has no ``next`` at all."""
    backends.answers(ORDER_PAGE, {"items": [ORDER], "next": None})
    body = await page(mobile, limit=7)

    assert "limit=7&after=" in backends[ORDERS].requests[0].target
    assert body == {
        "items": [
            {"id": "9007199254740993", "status": "shipped", "amount": "12.30", "currency": "EUR",
             "placedAt": "2026-11-24T21:59:59Z"},
        ],
        "degraded": [],
    }  # fmt: skip


async def test_a_cursor_says_where_the_backend_goes_on(mobile: Bff, backends: SocketBackends) -> None:
    """Word for word what the backend said, and nothing of it can be read or changed on the way by accident."""
    place = "2026-11-24T21:59:59Z,9007199254740993"
    backends.answers(ORDER_PAGE, {"items": [ORDER], "next": place})
    cursor = (await page(mobile))["next"]
    await page(mobile, cursor=cursor)

    assert backends[ORDERS].requests[1].target.endswith("after=2026-11-24T21%3A59%3A59Z%2C9007199254740993")


def tampered(cursor: str) -> dict[str, str]:
    """Return cursors that were made of a good one."""
    raw = base64.urlsafe_b64decode(cursor + "==")
    forged = raw[:SEAL_BYTES] + raw[SEAL_BYTES:].replace(b"2026", b"2020")
    return {
        "another place": base64.urlsafe_b64encode(forged).decode().rstrip("="),
        "cut": cursor[:-1], "longer": f"{cursor}A", "no seal": base64.urlsafe_b64encode(raw[SEAL_BYTES:]).decode(),
        "a flipped seal": base64.urlsafe_b64encode(bytes([raw[0] ^ 1]) + raw[1:]).decode(),
        "nothing we make": "not a cursor", "padding": "====", "bytes": "\x00", "letters beyond ASCII": "é" * 9,
        "a place itself": "2026-11-24T21:59:59Z,9007199254740993", "JSON": '["x"]', "long": "A" * 5_000,
    }  # fmt: skip


KINDS = list(tampered(base64.urlsafe_b64encode(b"x" * SEAL_BYTES + b'["2026"]').decode()))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_forged_cursor_is_refused(
    mobile: Bff, backends: SocketBackends, backend_calls: BackendCalls, kind: str
) -> None:
    """400, and no backend ever hears of it; the next good request is answered."""
    backends.answers(ORDER_PAGE, {"items": [ORDER], "next": "2026-11-24T21:59:59Z,9007199254740993"})
    cursor = (await page(mobile))["next"]
    with backend_calls.exactly({}):
        refused = await mobile.get(ORDERS_SCREEN, params={"cursor": tampered(cursor)[kind]})

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    assert tampered(cursor)[kind] not in refused.text
    assert (await page(mobile, cursor=cursor))["items"]


async def test_a_cursor_of_another_user_or_list_is_refused(
    mobile: Bff, backends: SocketBackends, backend_calls: BackendCalls
) -> None:
    """It is bound to both: neither tells whether it was good for somebody."""
    backends.answers(ORDER_PAGE, {"items": [ORDER], "next": "2026-11-24T21:59:59Z,9007199254740993"})
    cursor = (await page(mobile))["next"]
    with backend_calls.exactly({}):
        bobs = await mobile.get(ORDERS_SCREEN, user="bob", params={"cursor": cursor})
        alerts = await mobile.get(ALERTS_SCREEN, params={"cursor": cursor})
        forged = await mobile.get(ORDERS_SCREEN, params={"cursor": "AAAA"})

    assert bobs.status_code == alerts.status_code == 400
    assert bobs.json()["detail"] == alerts.json()["detail"] == forged.json()["detail"]


async def test_a_cursor_outlives_its_key_as_long_as_the_key_is_known(
    open_mobile: OpenMobile, backends: SocketBackends
) -> None:
    """One key seals, all open; replicas with the same keys are one, and a process without any keeps to itself."""
    old, new = "o" * 32, "n" * 32
    first, second = await open_mobile(cursor_keys=old), await open_mobile(cursor_keys=f"{new},{old}")
    backends.answers(ORDER_PAGE, {"items": [ORDER], "next": "x,1"})
    cursor = (await page(first))["next"]

    assert (await page(second, cursor=cursor))["items"]
    third = await open_mobile(cursor_keys=new)
    assert (await third.get(ORDERS_SCREEN, params={"cursor": cursor})).status_code == 400
    with pytest.raises(ValueError, match="32 characters") as refused:
        await open_mobile(cursor_keys="short-secret")
    assert "short-secret" not in str(refused.value)


@pytest.mark.parametrize("limit", ["0", "-1", "51", "1e9", "9" * 30, "x", "", "1.5", "\u0661", "NaN"])
async def test_a_size_that_is_none_is_refused(mobile: Bff, backend_calls: BackendCalls, limit: str) -> None:
    """400 for negative, huge, and what is no number; nobody is asked."""
    with backend_calls.exactly({}):
        answer = await mobile.get(ORDERS_SCREEN, params={"limit": limit})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert answer.json()["detail"] == "Check query.limit."


async def test_one_order_in_full(mobile: Bff, backends: SocketBackends, backend_calls: BackendCalls) -> None:
    """Its lines, who it is for, in two calls; and a tag that begins with its version."""
    backends.answers(ORDER_CALL, FULL)
    with backend_calls.at_most(2):
        answer = await mobile.get(f"{ORDERS_SCREEN}/{ORDER['id']}")

    body = answer.json()
    assert (body["id"], body["lines"], body["degraded"]) == (str(ORDER["id"]), LINES, [])
    assert body["customer"] == {"userId": "u-1", "displayName": "Ada Łovelace 🌻", "tier": "Gold"}
    assert answer.headers["etag"].startswith('"3.ab12-')
    again = await mobile.get(f"{ORDERS_SCREEN}/{ORDER['id']}", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_an_order_without_its_customer(manual_clock: ManualClock, mobile: Bff, backends: SocketBackends) -> None:
    """The lines are there, the gap is named; without the order there is a problem."""
    backends.answers(ORDER_CALL, FULL)
    backends[USERS].fault(silent())
    body = (await mobile.get(f"{ORDERS_SCREEN}/1")).json()
    assert (body["customer"], [gap["section"] for gap in body["degraded"]]) == (None, ["customer"])

    backends[ORDERS].fault(silent())
    answer = await mobile.get(f"{ORDERS_SCREEN}/1")
    assert (answer.status_code, answer.json()["section"]) == (504, "order")


async def test_an_order_that_is_not_there(mobile: Bff, backends: SocketBackends) -> None:
    """404: none such, or another user's; nothing tells which."""
    backends.answers(ORDER_CALL, FULL)
    backends[ORDERS].fault(status(404))
    answer = await mobile.get(f"{ORDERS_SCREEN}/7")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("order", ["%2e%2e", "..%2f..%2fusers%2fu-2", "1%3Fuser=2", "1%23", "%00", "é"])
async def test_an_id_never_leaves_its_place(mobile: Bff, backends: SocketBackends, order: str) -> None:
    """A path, a query or a control character in it is part of an id that nobody has, or refused."""
    backends.answers(ORDER_CALL, FULL)
    await mobile.get(f"{ORDERS_SCREEN}/{order}")

    asked = [one.target for one in backends[ORDERS].requests]
    assert all(one.startswith("/api/internal/users/u-1/orders/") and one.count("/") == 6 for one in asked)


async def test_a_value_that_this_version_does_not_know_is_other(mobile: Bff, backends: SocketBackends) -> None:
    """The documented ``OTHER``, on every screen, and no gap; a number is no value at all."""
    beamed = {**ORDER, "status": "beamed"}
    backends.answers(ORDER_PAGE, {"items": [beamed, {**ORDER, "status": "OTHER"}], "next": None})
    assert [one["status"] for one in (await page(mobile))["items"]] == ["OTHER", "OTHER"]

    backends["orders"].answers("GET /api/internal/orders", [beamed])
    backends["alerts"].answers("GET /api/internal/alerts", [{"id": 1, "severity": "apocalyptic", "message": "!",
                                                             "createdAt": "2026-11-24T08:00:00Z"}])  # fmt: skip
    backends["users"].answers("GET /api/internal/users/{id}/profile",
                              {"userId": "u-1", "displayName": "Ada", "accountTier": "Platinum"})  # fmt: skip
    body = (await mobile.get(DASHBOARD)).json()
    assert (body["tier"], body["recentOrders"][0]["status"], body["alerts"][0]["severity"]) == ("OTHER",) * 3
    assert body["degraded"] == []


async def test_lines_over_the_sample_are_the_order(sampled: Bff) -> None:
    """Money is decimal text of its currency, to the last digit."""
    for one in (await page(sampled, limit=50))["items"]:
        order = (await sampled.get(f"{ORDERS_SCREEN}/{one['id']}")).json()

        assert sum(Decimal(line["amount"]) for line in order["lines"]) == Decimal(one["amount"])
        assert {line["currency"] for line in order["lines"]} == {one["currency"]}
