"""A required section that fails is an ``errors`` entry with its path; what did not need it is served."""

import pytest

from shared.errors import PROBLEM_KINDS, PROBLEM_OF_REASON, Reason
from shared.testing.scripted import Scripted, status
from tests.bffs.web.test_gaps import HINTS, MEETS, fill
from tests.bffs.web.web import BOTH, DASHBOARD, VIEWER, scripted


@pytest.mark.parametrize("reason", Reason)
async def test_a_failed_viewer_is_an_error_beside_a_dashboard(reason: Reason) -> None:
    """Path, a code of the closed list, whether and when to ask again, the trace; and the sibling with its gap."""
    async with scripted(users=Scripted(MEETS[reason])) as web:
        if reason is Reason.REJECTED:
            fill(web, "profile")
        headers = {"x-deadline-ms": "300"} if reason is Reason.DEADLINE else {}
        answer = await web.query(BOTH, headers=headers)

    assert answer.status_code == 200
    body = answer.json()
    assert body["data"]["viewer"] is None
    assert body["data"]["dashboard"]["displayName"] == "User"
    assert [(gap["section"], gap["reason"]) for gap in body["data"]["dashboard"]["degraded"]] == [("profile", reason)]
    (error,) = body["errors"]
    assert error["path"] == ["viewer"]
    code = PROBLEM_OF_REASON[reason]
    expected = {"code": code, "retryable": PROBLEM_KINDS[code].retryable, "section": "profile"}
    if HINTS[reason] is not None:
        expected["retryAfterSeconds"] = HINTS[reason]
    assert error["extensions"] == {**expected, "traceId": answer.headers["x-trace-id"]}


async def test_the_backends_retry_after_is_in_the_extensions() -> None:
    """What the backend asked for reaches the client."""
    async with scripted(users=Scripted(status(503, (("retry-after", "9"),)))) as web:
        (error,) = (await web.query(VIEWER)).json()["errors"]

    assert error["extensions"]["retryAfterSeconds"] == 9


@pytest.mark.parametrize(
    ("text", "field"), [(DASHBOARD, "dashboard"), (VIEWER, "viewer")], ids=["optional", "required"]
)
async def test_a_subject_that_does_not_exist_is_not_found(text: str, field: str) -> None:
    """404 of the profile means that there is no such user: no dashboard of a stranger, no viewer."""
    async with scripted(users=Scripted(status(404))) as web:
        answer = await web.query(text)

    assert answer.status_code == 200
    assert answer.json()["data"] == {field: None}
    (error,) = answer.json()["errors"]
    assert (error["path"], error["extensions"]["code"]) == ([field], "not_found")
    assert error["extensions"]["retryable"] is False


async def test_aliased_viewers_fail_together_and_apart_from_the_dashboard() -> None:
    """They share one call and its failure; each path is the client's own name for the field."""
    users = Scripted(status(500))
    async with scripted(users=users) as web:
        body = (await web.query("{ first: viewer { tier } second: viewer { tier } dashboard { tier } }")).json()

    assert body["data"] == {"first": None, "second": None, "dashboard": {"tier": "Free"}}
    assert sorted(error["path"] for error in body["errors"]) == [["first"], ["second"]]
    assert len(users.requests) == 1


async def test_a_required_section_that_answers_204_is_missing() -> None:
    """Nothing is no profile."""
    async with scripted(users=Scripted(status(204))) as web:
        (error,) = (await web.query(VIEWER)).json()["errors"]

    assert error["extensions"]["code"] == "backend_invalid"
