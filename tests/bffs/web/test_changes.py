"""What a page can change, and what it is told when that does not go through."""

import json
from typing import Any

import pytest

from bffs.web.backends import ALERTS_AMONG, CHANGE_USER, MARK_READ, PROFILE, USER
from shared.testing.calls import BackendCalls
from shared.testing.faults import down, status
from shared.testing.sockets import SocketBackends
from tests.bffs.web.shop import Shop
from tests.bffs.web.web import PATH, Web
from tests.bffs.web.web import PROFILE as ADA

UPDATE = """mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) {
  viewer { displayName email region version nodeId } userErrors { code message path }
} }"""
MARK = "mutation ($ids: [ID!]!) { markAlertsRead(ids: $ids) { alerts { id readAt } userErrors { code path } } }"


@pytest.fixture
def shop(web: Web, backends: SocketBackends) -> Shop:
    shop = Shop(backends)
    backends.answers(CHANGE_USER, lambda user_id: shop.user(user_id) | {"displayName": "Augusta", "version": "8"})
    return shop


async def changed(web: Web, **wanted: Any) -> dict[str, Any]:
    return (await web.data(UPDATE, {"input": {"version": "7", **wanted}}))["updateProfile"]


# The profile


async def test_what_is_given_is_changed(web: Web, shop: Shop, backends: SocketBackends) -> None:
    """A merge patch of exactly that, on the version that was read; the answer is the viewer as he is now."""
    found = await changed(web, displayName="Augusta", email=None)

    (call,) = backends.requests
    assert (call.method, call.target) == ("PATCH", "/api/internal/users/u-1")
    assert json.loads(call.body) == {"displayName": "Augusta", "email": None}
    assert call.header("if-match") == '"7"'
    assert call.header("content-type") == "application/merge-patch+json"
    assert (found["viewer"]["displayName"], found["viewer"]["version"], found["userErrors"]) == ("Augusta", "8", [])


async def test_a_change_of_nothing_is_asked_for_all_the_same(web: Web, shop: Shop, backends: SocketBackends) -> None:
    """The backend says whether that version is still there."""
    assert (await changed(web))["userErrors"] == []
    assert json.loads(backends.requests[0].body) == {}


WRONG: dict[str, tuple[dict[str, Any], list[list[str]]]] = {
    "an_empty_name": ({"displayName": ""}, [["displayName"]]),
    "a_blank_name": ({"displayName": "  "}, [["displayName"]]),
    "no_name": ({"displayName": None}, [["displayName"]]),
    "a_long_name": ({"displayName": "x" * 101}, [["displayName"]]),
    "a_name_with_a_line_break": ({"displayName": "Ada\r\nX-Admin: 1"}, [["displayName"]]),
    "half_a_surrogate_pair": ({"displayName": "\ud83d"}, [["displayName"]]),
    "no_address": ({"email": "ada"}, [["email"]]),
    "two_addresses": ({"email": "a@b.test c@d.test"}, [["email"]]),
    "no_region": ({"region": None}, [["region"]]),
    "a_region_in_capitals": ({"region": "EU"}, [["region"]]),
    "a_version_with_a_quote": ({"version": '7", "8'}, [["version"]]),
    "a_version_with_a_line_break": ({"version": "7\r\nx: 1"}, [["version"]]),
    "an_empty_version": ({"version": ""}, [["version"]]),
    "all_at_once": ({"displayName": "", "email": "x", "region": "x"}, [["displayName"], ["email"], ["region"]]),
}


@pytest.mark.parametrize(("wanted", "paths"), WRONG.values(), ids=WRONG)
async def test_what_the_user_can_mend_is_a_user_error(
    web: Web, shop: Shop, backends: SocketBackends, wanted: dict, paths: list
) -> None:
    """Typed, with its place in the input; nothing is sent, and nothing of it comes back."""
    body = {"query": UPDATE, "variables": {"input": {"version": "7", **wanted}}}
    answer = await web.post(json.dumps(body).encode(), headers={"content-type": "application/json"})

    found = answer.json()["data"]["updateProfile"]
    assert found["viewer"] is None
    assert [(one["code"], one["path"]) for one in found["userErrors"]] == [("invalid", path) for path in paths]
    assert "X-Admin" not in answer.text
    assert backends.counts() == {}


async def test_a_profile_that_was_changed_meanwhile_is_not_overwritten(
    web: Web, shop: Shop, backends: SocketBackends
) -> None:
    """The other change stays; the page is told to read again, and to whom that belongs."""
    backends["users"].fault(status(412), on=CHANGE_USER)

    found = await changed(web, displayName="Augusta")

    assert found["viewer"] is None
    assert [(one["code"], one["path"]) for one in found["userErrors"]] == [("changed_meanwhile", ["version"])]


FAILING = {
    "faulted": (status(500), "backend_faulted"),
    "refused": (status(422), "backend_refused"),
    "gone": (status(404), "not_found"),
    "down": (down(), "backend_unreachable"),
}


@pytest.mark.parametrize(("fault", "code"), FAILING.values(), ids=FAILING)
async def test_what_nobody_at_the_page_can_mend_is_an_error(
    web: Web, shop: Shop, backends: SocketBackends, fault: Any, code: str
) -> None:
    """With its path and code, and null for the field."""
    backends["users"].fault(fault)

    body = (await web.query(UPDATE, {"input": {"version": "7"}})).json()

    assert body["data"] == {"updateProfile": None}
    assert [(one["path"], one["extensions"]["code"]) for one in body["errors"]] == [(["updateProfile"], code)]


async def test_the_next_page_greets_by_the_new_name(web: Web, shop: Shop, backends: SocketBackends) -> None:
    """What was remembered of the profile is asked for anew, by this caller's own key and nobody else's."""
    backends.answers(PROFILE, ADA, cache_control="max-age=60")
    text = "{ viewer { displayName } }"
    assert (await web.data(text))["viewer"]["displayName"] == ADA["displayName"]
    backends.answers(PROFILE, ADA | {"displayName": "Augusta"}, cache_control="max-age=60")
    assert (await web.data(text))["viewer"]["displayName"] == ADA["displayName"], "it is remembered"

    await changed(web, displayName="Augusta")

    assert (await web.data(text))["viewer"]["displayName"] == "Augusta"


async def test_changes_happen_one_after_the_other(web: Web, shop: Shop, backends: SocketBackends) -> None:
    """In the order of the document; a failed one does not undo the others, nor stop them."""
    backends.answers(MARK_READ, {"read": ["a-1"], "missing": []})
    backends["users"].fault(status(500), on=CHANGE_USER)
    text = """mutation { first: markAlertsRead(ids: ["a-1"]) { userErrors { code } }
      second: updateProfile(input: {version: "7"}) { userErrors { code } }
      third: markAlertsRead(ids: ["a-1"]) { userErrors { code } } }"""

    body = (await web.query(text)).json()

    assert [name for name, value in body["data"].items() if value] == ["first", "third"]
    assert [one.method for one in backends.requests] == ["PUT", "PATCH", "PUT"]


# Alerts


async def test_alerts_are_marked_together(
    web: Web, shop: Shop, backends: SocketBackends, backend_calls: BackendCalls
) -> None:
    """One call however many; those that are not the user's are named by their place, the others are marked."""
    shop.alerts[0]["readAt"] = "2026-11-25T10:00:00Z"
    backends.answers(MARK_READ, {"read": ["a-5"], "missing": ["a-99"]})

    with backend_calls.exactly({MARK_READ: 1, ALERTS_AMONG: 1}):
        found = (await web.data(MARK, {"ids": ["a-5", "a-99", "a-5", "../x", "a,b"]}))["markAlertsRead"]

    assert json.loads(backends.requests[0].body) == {"ids": ["a-5", "a-99"]}
    assert found["alerts"] == [{"id": "a-5", "readAt": "2026-11-25T10:00:00Z"}]
    assert [(one["code"], one["path"]) for one in found["userErrors"]] == [
        ("not_found", ["ids", str(place)]) for place in (1, 3, 4)
    ]


async def test_the_alerts_are_read_only_when_they_are_shown(
    web: Web, shop: Shop, backends: SocketBackends, backend_calls: BackendCalls
) -> None:
    """A page that only wants it done costs one call; nothing to mark costs none."""
    backends.answers(MARK_READ, {"read": ["a-1"], "missing": []})
    text = "mutation ($ids: [ID!]!) { markAlertsRead(ids: $ids) { userErrors { code } } }"

    with backend_calls.exactly({MARK_READ: 1}):
        await web.data(text, {"ids": ["a-1"]})
    with backend_calls.exactly({}):
        assert (await web.data(MARK, {"ids": []}))["markAlertsRead"] == {"alerts": [], "userErrors": []}


async def test_what_was_loaded_before_a_change_is_loaded_anew(web: Web, shop: Shop, backends: SocketBackends) -> None:
    """The same alert before and after, in one operation."""
    backends.answers(MARK_READ, {"read": ["a-1"], "missing": []})
    text = """mutation { one: markAlertsRead(ids: ["a-1"]) { alerts { readAt } }
      two: markAlertsRead(ids: ["a-1"]) { alerts { readAt } } }"""

    await web.data(text)

    assert [one.call for one in backends.requests].count(f"GET {ALERTS_AMONG.template}") == 2


async def test_too_many_alerts_at_once_are_refused(web: Web, shop: Shop, backends: SocketBackends) -> None:
    """An error that says how many; nothing is marked."""
    body = (await web.query(MARK, {"ids": [f"a-{n}" for n in range(101)]})).json()

    assert body["errors"][0]["extensions"]["code"] == "invalid_request"
    assert backends.counts() == {}


KINDS = [None, [None], [["a"]], [{"a": 1}], [1.5], [True], {}]


INPUTS = [
    None, "x", [], {}, {"version": None}, {"version": ["7"]}, {"version": "7", "admin": True},
    {"version": "7", "displayName": 7}, {"version": "7", "email": ["a@b.test"]}, {"version": "7", "region": {"a": 1}},
]  # fmt: skip


@pytest.mark.parametrize("wanted", INPUTS, ids=json.dumps)
async def test_an_input_of_the_wrong_kind_is_a_request_error(web: Web, backends: SocketBackends, wanted: Any) -> None:
    """Unknown fields, too: 400 with a code, and no backend is asked."""
    answer = await web.query(UPDATE, {"input": wanted})

    assert answer.status_code == 400
    assert {one["extensions"]["code"] for one in answer.json()["errors"]} == {"invalid_request"}
    assert backends.counts() == {}


@pytest.mark.parametrize("ids", KINDS)
async def test_ids_of_the_wrong_kind_are_a_request_error(web: Web, backends: SocketBackends, ids: Any) -> None:
    """400 before anything is done."""
    answer = await web.query(MARK, {"ids": ids})

    assert answer.status_code == 400
    assert {one["extensions"]["code"] for one in answer.json()["errors"]} == {"invalid_request"}
    assert backends.counts() == {}


@pytest.mark.parametrize(
    "text", ["mutation { __typename }", 'mutation { markAlertsRead(ids: ["a-1"]) { __typename } }']
)
async def test_case_w7_get_changes_nothing(web: Web, shop: Shop, backends: SocketBackends, text: str) -> None:
    """405 with the method that may, and no call at all; the same by POST goes through."""
    backends.answers(MARK_READ, {"read": ["a-1"], "missing": []})

    answer = await web.http.get(PATH, params={"query": text})

    assert (answer.status_code, answer.headers["allow"], answer.json()["code"]) == (405, "POST", "method_not_allowed")
    assert answer.headers["cache-control"] == "no-store"
    assert backends.counts() == {}
    await web.data(text)


async def test_a_record_is_as_it_is_now(web: Web, shop: Shop, backends: SocketBackends) -> None:
    """The version to change is never a remembered one."""
    for version in ("7", "8"):
        shop.version = version
        assert (await web.data("{ viewer { version } }"))["viewer"]["version"] == version
    assert [one.call for one in backends.requests] == [f"GET {USER.template}"] * 2
