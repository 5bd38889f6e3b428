"""What holds for every screen: odd backends are a problem or a gap and never a 500, and moments are UTC."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from bffs.mobile.backends import ALERT_PAGE, MY_PROFILE, ORDER, ORDER_PAGE
from bffs.mobile.changes import ALERT_CHANGES, ORDER_CHANGES, PROFILE_CHANGES
from shared.backends.backend import AnyCall
from shared.testing.bff import Bff
from shared.testing.clock import ManualClock
from shared.testing.faults import invalid, reset, silent, status
from shared.testing.playing import Fault
from shared.testing.sockets import SocketBackends
from tests.bffs.mobile.sample import ALERT, ALERTS_SCREEN, LINES, ME, ORDERS_SCREEN, PROFILE
from tests.bffs.mobile.sample import ORDER as AN_ORDER

SYNC = "/mobile/v1/sync"
NOTHING_NEW = {"items": [], "next": "e.1", "more": False, "reset": False}
AN_ALERT = {**ALERT, "readAt": None}
GOOD: dict[AnyCall, Any] = {
    ORDER_PAGE: {"items": [AN_ORDER], "next": None},
    ORDER: {**AN_ORDER, "lines": LINES, "version": "1"},
    ALERT_PAGE: {"items": [AN_ALERT], "next": None},
    MY_PROFILE: ME,
    PROFILE_CHANGES: NOTHING_NEW,
    ORDER_CHANGES: {**NOTHING_NEW, "items": [{"id": 1, "value": AN_ORDER}, {"id": 2, "value": None}]},
    ALERT_CHANGES: {**NOTHING_NEW, "items": [{"id": "1", "value": AN_ALERT}]},
}
# Of each screen the call that is odd, and the section that is missing then.
SCREENS: dict[str, tuple[str, AnyCall, str]] = {
    "orders": (ORDERS_SCREEN, ORDER_PAGE, "page"),
    "order": (f"{ORDERS_SCREEN}/1", ORDER, "order"),
    "alerts": (ALERTS_SCREEN, ALERT_PAGE, "page"),
    "profile": (PROFILE, MY_PROFILE, "profile"),
    "sync": (SYNC, ORDER_CHANGES, "orders"),
}


def odd_of(good: Any) -> dict[str, tuple[Fault, str]]:
    """Return what a backend can do to a good body, and the reason that it is."""
    text = json.dumps(good)
    return {
        "nothing": (invalid(b""), "invalid"), "an object without members": (invalid({}), "invalid"),
        "null": (invalid(None), "invalid"), "a list": (invalid([]), "invalid"), "a word": (invalid("x"), "invalid"),
        "NaN": (invalid(AN_ID.sub(r"\1NaN", text).encode()), "invalid"),
        "1e999": (invalid(AN_ID.sub(r"\g<1>1e999", text).encode()), "invalid"),
        "-Infinity": (invalid(AN_ID.sub(r"\1-Infinity", text).encode()), "invalid"),
        "half of it": (invalid(text[: len(text) // 2].encode()), "invalid"),
        "a wrong moment": (invalid(text.replace("2026-11-24T", "yesterday ").replace('"eu"', "7").encode()), "invalid"),
        "500": (status(500), "faulted"), "403": (status(403), "refused"),
        "reset": (reset(), "unreachable"), "silent": (silent(), "timeout"),
    }  # fmt: skip


AN_ID = re.compile(r'("(?:id|userId)": )("?[\w-]+"?)')
ODD = list(odd_of({}))
CODES = {
    "invalid": (502, "backend_invalid"), "faulted": (502, "backend_faulted"), "refused": (502, "backend_refused"),
    "unreachable": (503, "backend_unreachable"), "timeout": (504, "deadline_exceeded"),
}  # fmt: skip


@pytest.fixture
def shop(mobile: Bff, backends: SocketBackends) -> Bff:
    """The BFF over backends that answer every call well."""
    for call, body in GOOD.items():
        backends.answers(call, body)
    return mobile


def strictly(text: str) -> Any:
    """Parse as a strict parser does."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("screen", SCREENS)
async def test_case_m1_m4_an_odd_backend_is_told_and_never_a_500(
    manual_clock: ManualClock, shop: Bff, backends: SocketBackends, screen: str
) -> None:
    """A required section is a problem with the status of its reason, the sync's a gap; afterwards all is well."""
    path, call, section = SCREENS[screen]
    for kind in ODD:
        fault, reason = odd_of(GOOD[call])[kind]
        backends[call.backend].fault(fault, on=call)
        answer = await shop.get(path)
        body = strictly(answer.text)
        if screen == "sync":
            assert answer.status_code == 200, kind
            assert [(gap["section"], gap["reason"]) for gap in body["degraded"]] == [(section, reason)], kind
            assert body["orders"] == {"reset": False, "changed": [], "removed": []}, kind
        else:
            assert (answer.status_code, body["code"], body["section"]) == (*CODES[reason], section), kind
        backends[call.backend].well()
        await manual_clock.run(manual_clock.sleep(60))  # the breaker of a backend that was odd so often
    assert (await shop.get(path)).status_code == 200


async def test_case_m1_nothing_at_all(shop: Bff, backends: SocketBackends) -> None:
    """204: a required section cannot be empty; a section of the sync has nothing new, and stays where it is."""
    for path, call, section in SCREENS.values():
        backends[call.backend].fault(status(204), on=call)
        answer = await shop.get(path)
        backends[call.backend].well()
        if path != SYNC:
            assert (answer.status_code, answer.json()["code"], answer.json()["section"]) == (
                502, "backend_invalid", section,
            )  # fmt: skip
        else:
            assert (answer.status_code, answer.json()["degraded"]) == (200, [])
            assert answer.json()["orders"] == {"reset": False, "changed": [], "removed": []}


MOMENTS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    ORDERS_SCREEN: lambda body: [one["placedAt"] for one in body["items"]],
    f"{ORDERS_SCREEN}/1": lambda body: [body["placedAt"]],
    ALERTS_SCREEN: lambda body: [body["items"][0]["createdAt"], body["items"][0]["readAt"]],
    SYNC: lambda body: [body["orders"]["changed"][0]["placedAt"]],
}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("2026-11-24T23:59:59+02:00", "2026-11-24T21:59:59Z"), ("2026-11-24T21:59:59Z", "2026-11-24T21:59:59Z"),
        ("2026-11-24T16:29:59.25-05:30", "2026-11-24T21:59:59.250000Z"),
    ],
)  # fmt: skip
async def test_moments_are_utc_whatever_the_backend_writes(
    shop: Bff, backends: SocketBackends, said: str, shown: str
) -> None:
    """RFC 3339 with Z: the same moment, on every screen."""
    order, alert = {**AN_ORDER, "placedAt": said}, {**AN_ALERT, "createdAt": said, "readAt": said}
    backends.answers(ORDER_PAGE, {"items": [order], "next": None})
    backends.answers(ORDER, {**order, "lines": LINES, "version": "1"})
    backends.answers(ALERT_PAGE, {"items": [alert], "next": None})
    backends.answers(ORDER_CHANGES, {**NOTHING_NEW, "items": [{"id": 1, "value": order}]})
    for path, read in MOMENTS.items():
        assert set(read((await shop.get(path)).json())) == {shown}, path


async def test_members_come_in_the_order_of_the_contract(shop: Bff) -> None:
    """Whatever order a backend writes them in."""
    assert list((await shop.get(f"{ORDERS_SCREEN}/1")).json()) == [
        "id", "status", "amount", "currency", "placedAt", "lines", "customer", "degraded",
    ]  # fmt: skip
    assert list((await shop.get(SYNC)).json()) == ["profile", "orders", "alerts", "more", "next", "degraded"]


async def test_answers_are_compact(shop: Bff) -> None:
    """Not one byte of white space between what is said, letters as they are, in parts too."""
    for path, _, _ in SCREENS.values():
        for query in ({}, {"fields": ",".join((await shop.get(path)).json())}):
            answer = await shop.get(path, params=query)
            compact = json.dumps(answer.json(), ensure_ascii=False, separators=(",", ":"))
            assert answer.text == compact, (path, query)
