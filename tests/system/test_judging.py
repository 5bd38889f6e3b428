"""The judges of the chaos test find what is wrong: a judge that finds nothing would prove nothing."""

from typing import Any

import httpx
import pytest

from tests.system.chaos import ALERTS, VIEWER
from tests.system.judging import mobile_misfits, strangers, web_misfits

VIEWED = {"userId": "u-1", "displayName": "Ada", "tier": "Gold", "degraded": []}
FAILED = {"message": "x", "path": ["viewer"], "extensions": {"code": "backend_faulted"}}
PROBLEM = {
    "type": "t", "title": "t", "status": 504, "code": "deadline_exceeded", "detail": "d", "instance": "/",
    "traceId": "a", "retryable": True,
}  # fmt: skip


def said(body: Any, status: int = 200, media: str = "application/json") -> httpx.Response:
    return httpx.Response(status, json=body, headers={"content-type": media})


def test_right_answers_pass() -> None:
    """Whole, failed with an error at the path, null where the contract lets it, a problem."""
    assert web_misfits(VIEWER, said({"data": {"viewer": VIEWED}})) == []
    assert web_misfits(VIEWER, said({"data": {"viewer": None}, "errors": [FAILED]})) == []
    assert web_misfits(ALERTS, said({"data": {"mine": {"alerts": None, "degraded": []}}})) == []
    assert web_misfits(VIEWER, said(PROBLEM, 504, "application/problem+json")) == []
    assert mobile_misfits("/mobile/v1/profile", said({**VIEWED, "email": None, "region": "eu"})) == []


@pytest.mark.parametrize(
    "answer",
    [
        said({"data": {"viewer": None}}),
        said({"data": {"viewer": None}, "errors": [FAILED | {"path": ["other"]}]}),
        said({"data": {"viewer": None}, "errors": [FAILED | {"extensions": {"code": "boom"}}]}),
        said({"data": {"viewer": VIEWED | {"tier": None}}}),
        said({"data": {"viewer": VIEWED | {"tier": 7}}}),
        said({"data": {"viewer": VIEWED | {"more": 7}}}),
        said({"data": {"viewer": VIEWED | {"degraded": [{"section": "x"}]}}}),
        said({"data": {"viewer": VIEWED | {"degraded": {}}}}),
        said({"data": {"viewer": {"tier": "Gold"}}}),
        said({"data": {}}),
        said({"errors": [FAILED]}),
        said({"data": {"viewer": VIEWED}, "extensions": {"debug": {}}}),
        said({"data": {"viewer": VIEWED}}, 500),
        said(PROBLEM, 503, "application/problem+json"),
        said(PROBLEM | {"code": "boom"}, 504, "application/problem+json"),
    ],
)
def test_wrong_ones_do_not(answer: httpx.Response) -> None:
    """Null without a reason, an unknown code, a wrong type or shape, a status that does not fit."""
    assert web_misfits(VIEWER, answer)


def test_a_strangers_data_is_seen() -> None:
    """Wherever it stands in an answer."""
    assert strangers(said({"a": ["x of:u-ada", {"of:u-bob": 1}]}), "u-ada") == {"u-bob"}
    assert strangers(said({"a": "of:u-ada"}), "u-ada") == set()
