"""Alerts: pages, and marking as read, one or many, once or often."""

import json
from typing import Any

import httpx
import pytest

from bffs.mobile.backends import ALERT_PAGE, ALERTS, MARK_READ, MARK_SEVERAL
from shared.testing.bff import Bff
from shared.testing.calls import BackendCalls
from shared.testing.clock import ManualClock
from shared.testing.faults import flaky, silent, status
from shared.testing.sockets import SocketBackends
from tests.bffs.mobile.sample import ALERT, ALERTS_SCREEN, DASHBOARD

UNREAD = {**ALERT, "readAt": None, "version": "1"}
READ = {**ALERT, "readAt": "2026-11-24T09:00:00Z", "version": "2.ab"}


async def put(mobile: Bff, path: str, **options: Any) -> httpx.Response:
    return await mobile.request("PUT", f"{ALERTS_SCREEN}/{path}", **options)


async def test_reading_alerts_end_to_end(sampled: Bff) -> None:
    """Over the sample backends: marked ones leave the dashboard and the unread list, and stay in the list of all."""
    ids = [one["id"] for one in (await sampled.get(DASHBOARD)).json()["alerts"]]
    assert len(ids) > 3
    first = await put(sampled, f"{ids[0]}/read")
    assert (first.status_code, first.json()["id"]) == (200, ids[0])
    assert first.json()["readAt"].endswith("Z")
    assert (await put(sampled, f"{ids[0]}/read")).json() == first.json()

    bulk = await put(sampled, "read", json={"ids": [*ids[:3], "a-nobodys"]})
    assert bulk.json() == {"read": ids[:3], "missing": ["a-nobodys"]}
    assert (await put(sampled, "read", json={"ids": [*ids[:3], "a-nobodys"]})).json() == bulk.json()

    assert [one["id"] for one in (await sampled.get(DASHBOARD)).json()["alerts"]] == ids[3:]
    every = (await sampled.get(ALERTS_SCREEN, params={"limit": 50})).json()["items"]
    assert [one["id"] for one in every if one["readAt"]] == ids[:3]
    unread = (await sampled.get(ALERTS_SCREEN, params={"only": "unread", "limit": 2})).json()
    assert [one["id"] for one in unread["items"]] == ids[3:5]
    assert (await sampled.get(ALERTS_SCREEN, params={"cursor": unread["next"]})).status_code == 400  # of another list


async def test_alerts_of_another_user_are_none(sampled: Bff) -> None:
    """404 for one, missing among several, and nothing has changed."""
    (theirs, *_) = (await sampled.get(DASHBOARD)).json()["alerts"]

    assert (await put(sampled, f"{theirs['id']}/read", user="u-2")).json()["code"] == "not_found"
    marked = await put(sampled, "read", user="u-2", json={"ids": [theirs["id"]]})
    assert marked.json() == {"read": [], "missing": [theirs["id"]]}
    assert (await sampled.get(DASHBOARD)).json()["alerts"][0] == theirs


async def test_what_is_nobodys_id_is_missing(sampled: Bff) -> None:
    """A backend refuses a list with such an id in it as a whole; that is no reason to mark nothing (schemathesis)."""
    (first, *_) = (await sampled.get(DASHBOARD)).json()["alerts"]

    marked = await put(sampled, "read", json={"ids": ["é, 🌻", first["id"], "a b"]})
    assert marked.json() == {"read": [first["id"]], "missing": ["é, 🌻", "a b"]}
    assert (await put(sampled, "read", json={"ids": ["/"]})).json() == {"read": [], "missing": ["/"]}


async def test_marking_is_tried_again(mobile: Bff, backends: SocketBackends, backend_calls: BackendCalls) -> None:
    """Twice is once, so one failed attempt costs the phone nothing."""
    backends.answers(MARK_READ, READ)
    backends[ALERTS].fault(flaky("x."))
    with backend_calls.exactly({MARK_READ: 2}):
        answer = await put(mobile, "1/read")

    assert (answer.status_code, answer.json()["readAt"]) == (200, "2026-11-24T09:00:00Z")


async def test_marking_that_cannot_be_done_now(
    manual_clock: ManualClock, mobile: Bff, backends: SocketBackends
) -> None:
    """A problem that says to try again."""
    backends.answers(MARK_SEVERAL, {"read": ["1"], "missing": []})
    backends[ALERTS].fault(silent())
    answer = await put(mobile, "read", json={"ids": ["1"]})

    assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (504, "deadline_exceeded", True)


@pytest.mark.parametrize(
    "body",
    [{}, {"ids": []}, {"ids": ["a"] * 51}, {"ids": "a"}, {"ids": [7]}, {"ids": [None]}, {"ids": [""]}, [], "ids",
     {"ids": ["a" * 65]}, {"ids": {"a": 1}}],
    ids=lambda body: json.dumps(body)[:30],
)  # fmt: skip
async def test_a_body_of_the_wrong_kind_is_refused(mobile: Bff, backend_calls: BackendCalls, body: object) -> None:
    """400 that names the place; nobody is asked."""
    with backend_calls.exactly({}):
        answer = await put(mobile, "read", json=body)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert "body" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b'{"ids": ["a"]}', "text/plain"), (b'{"ids": ["a"]}', ""), (b"ids=a", "application/x-www-form-urlencoded"),
        (b'{"ids": ["a"]}', "application/merge-patch+json"),
    ],
)  # fmt: skip
async def test_a_body_of_another_type_is_not_read(
    mobile: Bff, backend_calls: BackendCalls, raw: bytes, said: str
) -> None:
    """415: what is no JSON is not taken for it."""
    with backend_calls.exactly({}):
        answer = await put(mobile, "read", content=raw, headers={"content-type": said} if said else {})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("raw", [b"{", b"", b"\xff", b"[" * 100_000, b'{"ids": ["\xed\xa0\x80"]}', b'{"ids": NaN}'])
async def test_what_is_no_json_is_refused(mobile: Bff, backend_calls: BackendCalls, raw: bytes) -> None:
    """400, whatever is wrong with it, and the next good request is answered."""
    with backend_calls.exactly({}):
        answer = await put(mobile, "read", content=raw, headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert (await mobile.get(DASHBOARD)).status_code == 200


async def test_what_can_be_no_id_is_missing(mobile: Bff, backends: SocketBackends, backend_calls: BackendCalls) -> None:
    """It is none of the user's, takes no other down with it, and alone it costs no call."""
    backends.answers(MARK_SEVERAL, {"read": ["1"], "missing": []})
    body = (await put(mobile, "read", json={"ids": ["a/../b", "1", "é", "a\n"]})).json()
    assert body == {"read": ["1"], "missing": ["a/../b", "é", "a\n"]}
    assert json.loads(backends[ALERTS].requests[0].body) == {"ids": ["1"]}

    with backend_calls.exactly({}):
        assert (await put(mobile, "read", json={"ids": ["!"]})).json() == {"read": [], "missing": ["!"]}


async def test_half_a_surrogate_is_refused(mobile: Bff, backend_calls: BackendCalls) -> None:
    """JSON can hold what UTF-8 cannot: 400, not a crash on the way out."""
    with backend_calls.exactly({}):
        answer = await put(
            mobile, "read", content=b'{"ids": ["\\ud800"]}', headers={"content-type": "application/json"}
        )

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


async def test_a_page_of_alerts(mobile: Bff, backends: SocketBackends) -> None:
    """When each was read, or null; a backend that answers something else is named."""
    backends.answers(ALERT_PAGE, {"items": [UNREAD, READ], "next": None})
    body = (await mobile.get(ALERTS_SCREEN)).json()
    assert [one["readAt"] for one in body["items"]] == [None, "2026-11-24T09:00:00Z"]
    assert set(body) == {"items", "degraded"}

    backends[ALERTS].fault(status(404))
    assert (await mobile.get(ALERTS_SCREEN)).json()["code"] == "backend_refused"
