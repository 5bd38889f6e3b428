"""A required section that fails is an ``errors`` entry with its path; what did not need it is served."""

import pytest

from shared.errors import PROBLEM_KINDS, PROBLEM_OF_REASON, Reason
from shared.testing.clock import ManualClock
from shared.testing.faults import status
from shared.testing.sockets import SocketBackends
from tests.bffs.web.test_gaps import HINTS, MEETS, fill
from tests.bffs.web.web import BOTH, DASHBOARD, VIEWER, Web


@pytest.mark.parametrize("reason", Reason)
async def test_a_failed_viewer_is_an_error_beside_a_dashboard(
    manual_clock: ManualClock, web: Web, backends: SocketBackends, reason: Reason
) -> None:
    """Path, a code of the closed list, whether and when to ask again, the trace; and the sibling with its gap."""
    backends["users"].fault(MEETS[reason])
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


async def test_the_backends_retry_after_is_in_the_extensions(
    manual_clock: ManualClock, web: Web, backends: SocketBackends
) -> None:
    """What the backend asked for reaches the client."""
    backends["users"].fault(status(503, retry_after=9))
    (error,) = (await web.query(VIEWER)).json()["errors"]

    assert error["extensions"]["retryAfterSeconds"] == 9


@pytest.mark.parametrize(
    ("text", "field"), [(DASHBOARD, "dashboard"), (VIEWER, "viewer")], ids=["optional", "required"]
)
async def test_a_subject_that_does_not_exist_is_not_found(
    web: Web, backends: SocketBackends, text: str, field: str
) -> None:
    """404 of the profile means that there is no such user: no dashboard of a stranger, no viewer."""
    backends["users"].fault(status(404))
    answer = await web.query(text)

    assert answer.status_code == 200
    assert answer.json()["data"] == {field: None}
    (error,) = answer.json()["errors"]
    assert (error["path"], error["extensions"]["code"]) == ([field], "not_found")
    assert error["extensions"]["retryable"] is False


async def test_aliased_viewers_fail_together_and_apart_from_the_dashboard(web: Web, backends: SocketBackends) -> None:
    """They share one call and its failure; each path is the client's own name for the field."""
    backends["users"].fault(status(500))
    body = (await web.query("{ first: viewer { tier } second: viewer { tier } dashboard { tier } }")).json()

    assert body["data"] == {"first": None, "second": None, "dashboard": {"tier": "Free"}}
    assert sorted(error["path"] for error in body["errors"]) == [["first"], ["second"]]
    assert len(backends["users"].requests) == 1


async def test_a_required_section_that_answers_204_is_missing(web: Web, backends: SocketBackends) -> None:
    """Nothing is no profile."""
    backends["users"].fault(status(204))
    (error,) = (await web.query(VIEWER)).json()["errors"]

    assert error["extensions"]["code"] == "backend_invalid"
