"""The profile: changed by who has seen what it is, and by nobody else."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from bffs.mobile.backends import CHANGE_PROFILE, MY_PROFILE, USERS
from shared.testing.bff import Bff
from shared.testing.calls import BackendCalls
from shared.testing.clock import ManualClock
from shared.testing.faults import flaky, silent, status
from shared.testing.sockets import SocketBackends
from tests.bffs.mobile.sample import ADA, ME, PROFILE

TYPE = "application/merge-patch+json"


async def change(mobile: Bff, patch: Any, version: str | None = "*", **options: Any) -> httpx.Response:
    """Send a merge patch."""
    headers = {"content-type": TYPE, **({} if version is None else {"if-match": version})}
    return await mobile.request("PATCH", PROFILE, content=json.dumps(patch), headers=headers, **options)


async def test_a_change_end_to_end(sampled: Bff) -> None:
    """Over the sample backends: the tag that was read allows one change, the tag of that the next."""
    read = await sampled.get(PROFILE)
    assert read.json()["email"] == "u-1@example.com"
    first = await change(sampled, {"displayName": "Ada L."}, read.headers["etag"])
    assert (first.status_code, first.json()) == (200, {**read.json(), "displayName": "Ada L."})

    late = await change(sampled, {"displayName": "Grace"}, read.headers["etag"])
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    now = await sampled.get(PROFILE)
    assert now.headers["etag"] == first.headers["etag"]
    assert now.json()["displayName"] == "Ada L."
    weak = await change(sampled, {"email": None}, f"W/{now.headers['etag']}")  # as the edge hands it out, compressed
    assert (weak.status_code, weak.json()["email"], weak.json()["displayName"]) == (200, None, "Ada L.")
    assert (await change(sampled, {}, weak.headers["etag"])).headers["etag"] == weak.headers["etag"]


async def test_of_many_changes_at_once_one_is_made(sampled: Bff) -> None:
    """Ten phones that saw the same: one changes it, nine are told."""
    seen = (await sampled.get(PROFILE)).headers["etag"]
    answers = await asyncio.gather(*(change(sampled, {"displayName": f"No. {one}"}, seen) for one in range(10)))

    assert sorted(one.status_code for one in answers) == [200, *[412] * 9]
    (won,) = (one for one in answers if one.status_code == 200)
    assert (await sampled.get(PROFILE)).json() == won.json()


async def test_what_is_sent_on(mobile: Bff, backends: SocketBackends) -> None:
    """The patch as it is, the versions of our tags and no more of them, as one conditional PATCH."""
    backends.answers(CHANGE_PROFILE, {**ME, "displayName": "Ada", "version": "2.x"})
    answer = await change(mobile, {"displayName": "Ada", "email": None}, '"1-abc", W/"2.f0-def", "odd"')

    (seen,) = backends[USERS].requests
    assert (seen.method, json.loads(seen.body)) == ("PATCH", {"displayName": "Ada", "email": None})
    headers = dict(seen.headers)
    assert headers["if-match"] == '"1", "2.f0"'
    assert headers["content-type"] == TYPE
    assert answer.headers["etag"].startswith('"2.x-')


@pytest.mark.parametrize(
    ("condition", "code"), [(None, 428), ("", 428), ("garbage", 412), ('"no-version', 412), ('"x"', 412)]
)
async def test_a_change_without_a_version_is_refused(
    mobile: Bff, backend_calls: BackendCalls, condition: str | None, code: int
) -> None:
    """428 when none is named, 412 when it can be none of ours; nobody is asked."""
    with backend_calls.exactly({}):
        answer = await change(mobile, {"displayName": "Ada"}, condition)

    assert answer.status_code == code
    assert answer.json()["code"] == {428: "precondition_required", 412: "precondition_failed"}[code]


@pytest.mark.parametrize(
    "patch",
    [{"displayName": 7}, {"displayName": None}, {"displayName": ""}, {"displayName": "x" * 101}, {"displayName": ["a"]},
     {"displayName": {}}, {"email": "nobody"}, {"email": 1}, {"email": "a@b\nc"}, {"tier": "Gold"}, {"userId": "u-2"},
     {"version": "9"}, [], None, "x", 7, True, {"displayName": float("nan")}, {"displayName": "\ud800"}],
    ids=lambda patch: json.dumps(patch)[:30],
)  # fmt: skip
async def test_a_patch_of_the_wrong_kind_is_refused(mobile: Bff, backend_calls: BackendCalls, patch: object) -> None:
    """400: wrong types, members that are not his to change, no object; nobody is asked, nothing is quoted."""
    with backend_calls.exactly({}):
        answer = await change(mobile, patch)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert "Gold" not in answer.text
    assert (await mobile.get(PROFILE)).status_code == 200


@pytest.mark.parametrize("said", ["application/json", "text/plain", "application/json-patch+json", ""])
async def test_a_patch_of_another_type_is_none(mobile: Bff, backend_calls: BackendCalls, said: str) -> None:
    """415: what null means differs between them."""
    with backend_calls.exactly({}):
        answer = await mobile.request(
            "PATCH", PROFILE, content=b"{}", headers={"if-match": "*", **({"content-type": said} if said else {})}
        )

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


async def test_a_change_is_not_tried_again(
    manual_clock: ManualClock, mobile: Bff, backends: SocketBackends, backend_calls: BackendCalls
) -> None:
    """What may have been done is not done twice: a problem, and the phone reads again before it decides."""
    backends.answers(CHANGE_PROFILE, ME)
    for fault, code in ((silent(), "deadline_exceeded"), (flaky("x."), "backend_faulted")):
        backends[USERS].fault(fault)
        with backend_calls.exactly({CHANGE_PROFILE: 1}):
            answer = await change(mobile, {"displayName": "Ada"})
        assert answer.json()["code"] == code


async def test_what_the_backend_refuses_is_told(mobile: Bff, backends: SocketBackends) -> None:
    """Its 412 and 400 are the client's, its 404 too; any other is ours."""
    backends.answers(CHANGE_PROFILE, ME)
    for answered, code in ((412, 412), (400, 400), (404, 404), (403, 502), (422, 502)):
        backends[USERS].fault(status(answered))
        assert (await change(mobile, {"displayName": "Ada"})).status_code == code


async def test_what_was_changed_is_read(mobile: Bff, backends: SocketBackends, backend_calls: BackendCalls) -> None:
    """A read after the change never joins one from before it: every read is a call."""
    assert ADA["displayName"] == (await mobile.get(PROFILE)).json()["displayName"]
    with backend_calls.exactly({MY_PROFILE: 3}):
        await asyncio.gather(*(mobile.get(PROFILE) for _ in range(3)))
