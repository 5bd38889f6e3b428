"""Goldens: what is kept, what stands in for what is different in every run, and what is a difference."""

import json
from pathlib import Path

import httpx
import pytest

from shared.testing.golden import compare, kept_form

BODY = {
    "id": "o-1",
    "placedAt": "2026-11-24T21:59:59Z",
    "aggregatedAt": "2026-11-24T22:00:00Z",
    "traceId": "a" * 32,
    "degraded": [{"section": "orders", "source": "stale", "ageSeconds": 12, "retryAfterSeconds": 2}],
}


def answer(status: int = 200, body: object = BODY, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers=named)


def test_what_a_client_acts_on_is_kept() -> None:
    """Status, the headers that say how to treat it, the body; ids and moments of the test's own data as they are."""
    kept = json.loads(kept_form(answer(503, retry_after="2", cache_control="no-store", date="now", x_trace_id="b")))

    assert kept["status"] == 503
    assert kept["headers"] == {"content-type": "application/json", "cache-control": "no-store", "retry-after": "2"}
    assert (kept["body"]["id"], kept["body"]["placedAt"]) == ("o-1", "2026-11-24T21:59:59Z")
    assert kept["body"]["degraded"][0]["retryAfterSeconds"] == 2


def test_what_differs_in_every_run_has_a_stand_in() -> None:
    """At any depth, by its name; null stays null, and two runs have one form."""
    kept = json.loads(kept_form(answer()))["body"]
    later = BODY | {"aggregatedAt": "2027-01-01T00:00:00.5+01:00", "traceId": "b" * 32}

    assert (kept["aggregatedAt"], kept["traceId"], kept["degraded"][0]["ageSeconds"]) == (
        "<instant>",
        "<id>",
        "<seconds>",
    )
    assert kept_form(answer(body=later)) == kept_form(answer())
    assert json.loads(kept_form(answer(body={"ageSeconds": None})))["body"] == {"ageSeconds": None}
    assert json.loads(kept_form(answer(body={"id": "o-1"}), {"id": "id"}))["body"] == {"id": "<id>"}


@pytest.mark.parametrize(
    "body",
    [
        {"ageSeconds": -1},
        {"ageSeconds": "12"},
        {"ageSeconds": True},
        {"traceId": ""},
        {"traceId": 7},
        {"aggregatedAt": "2026-11-24T22:00:00"},
        {"aggregatedAt": "2026-13-24T22:00:00Z"},
        {"aggregatedAt": 1795000000},
    ],
    ids=str,
)
def test_what_is_not_of_its_kind_is_a_failure(body: dict[str, object]) -> None:
    """A stand-in says what stood there: it does not hide a fault."""
    with pytest.raises(AssertionError, match="is no"):
        kept_form(answer(body=body))


def test_a_difference_is_shown_with_the_remedy(tmp_path: Path) -> None:
    """As a diff; a missing golden is a failure with the text that it would get; an update writes it."""
    path = tmp_path / "golden" / "orders-down.json"
    with pytest.raises(AssertionError, match=r"no golden orders-down\.json(.|\n)*--update-goldens(.|\n)*o-1"):
        compare(kept_form(answer()), path, update=False)

    compare(kept_form(answer()), path, update=True)
    compare(kept_form(answer()), path, update=False)
    with pytest.raises(AssertionError, match=r'--update-goldens(.|\n)*-    "id": "o-1"(.|\n)*\+    "id": "o-2"'):
        compare(kept_form(answer(body=BODY | {"id": "o-2"})), path, update=False)
