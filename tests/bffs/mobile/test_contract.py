"""The committed contract is what the code does."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.errors import PROBLEM_KINDS, ProblemCode, Reason, Source
from shared.testing.bff import Bff
from shared.testing.clock import ManualClock
from shared.testing.faults import silent, status
from shared.testing.openapi import Contract
from shared.testing.playing import Fault
from shared.testing.sockets import SocketBackends
from tests.bffs.mobile.sample import ALERTS_SCREEN, DASHBOARD, ORDERS_SCREEN, PROFILE

COMMITTED = Path("bffs/mobile/openapi.json")


def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(COMMITTED.read_text())
    return loaded


def test_the_committed_openapi_is_current() -> None:
    """``make contracts`` was run after the last change to the surface: byte for byte, from a process of its own."""
    printed = subprocess.run(
        [sys.executable, "-m", "bffs.mobile", "contract"], capture_output=True, check=True, timeout=60
    )

    assert printed.stdout.decode() == COMMITTED.read_text()


def test_an_unknown_command_is_refused() -> None:
    """With usage, exit code 2, and nothing started."""
    refused = subprocess.run(
        [sys.executable, "-m", "bffs.mobile", "contrat"], capture_output=True, check=False, timeout=60
    )

    assert refused.returncode == 2
    assert b"usage" in refused.stderr


def test_the_closed_lists_are_in_the_contract() -> None:
    """Reasons, sources and codes are typed for every client."""
    schemas = document()["components"]["schemas"]

    assert schemas["Reason"]["enum"] == [one.value for one in Reason]
    assert schemas["Source"]["enum"] == [one.value for one in Source]
    assert schemas["ProblemCode"]["enum"] == [one.value for one in ProblemCode]


# A whole answer and a part of it; nothing; and everything else is a problem.
MEDIA_OF = {"200": ["application/json", "application/vnd.frontage.part+json"], "304": []}


@pytest.mark.parametrize("path", [DASHBOARD, PROFILE])
def test_every_status_is_declared_and_problems_are_problems(path: str) -> None:
    """All that a route may answer, each with its media type; and nothing under another."""
    responses = document()["paths"][path]["get"]["responses"]

    assert set(responses) == {"200", "304", "400", "401", "404", "426", "429", "502", "503", "504"}
    assert {kind.status for kind in PROBLEM_KINDS.values()} >= {int(one) for one in responses if int(one) >= 400}
    for code, response in responses.items():
        media = MEDIA_OF.get(code, ["application/problem+json"])
        assert list(response.get("content", ())) == media


def test_the_operators_routes_are_not_in_it() -> None:
    """Nobody outside may rely on them."""
    assert set(document()["paths"]) == {
        DASHBOARD, PROFILE, ORDERS_SCREEN, f"{ORDERS_SCREEN}/{{orderId}}", ALERTS_SCREEN, f"{ALERTS_SCREEN}/read",
        f"{ALERTS_SCREEN}/{{alertId}}/read", "/mobile/v1/sync",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "faults"),
    [
        (DASHBOARD, {}),
        (DASHBOARD, {"orders": silent(), "alerts": status(500)}),
        (DASHBOARD, {"users": silent(), "alerts": silent()}),
        (DASHBOARD, {"users": status(404)}),
        (PROFILE, {}),
        (PROFILE, {"users": silent()}),
        (PROFILE, {"users": status(500)}),
        (PROFILE, {"users": status(404)}),
    ],
)
async def test_what_is_answered_fits_the_contract(
    manual_clock: ManualClock, mobile: Bff, backends: SocketBackends, path: str, faults: dict[str, Fault]
) -> None:
    """Whole, degraded or a problem: valid by the committed document."""
    for backend, fault in faults.items():
        backends[backend].fault(fault)
    answer = await mobile.get(path)

    assert Contract.read(COMMITTED).misfits("GET", path, answer) == []


async def test_every_screen_over_the_sample_fits_the_contract(sampled: Bff) -> None:
    """Lists, one of them, changes and their answers, parts and problems: valid by the committed document."""
    contract = Contract.read(COMMITTED)
    order = (await sampled.get(ORDERS_SCREEN)).json()["items"][0]["id"]
    alert = (await sampled.get(ALERTS_SCREEN)).json()["items"][0]["id"]
    patch = {"content-type": "application/merge-patch+json", "if-match": "*"}
    asked: list[tuple[str, str, str, dict[str, Any]]] = [
        ("GET", DASHBOARD, "", {"params": {"sections": "alerts,profile"}}),
        ("GET", DASHBOARD, "", {"params": {"fields": "displayName,alerts.id"}}),
        ("GET", DASHBOARD, "", {"params": {"fields": "nothing"}}),
        ("GET", ORDERS_SCREEN, "", {"params": {"limit": 2}}),
        ("GET", ORDERS_SCREEN, "", {"params": {"limit": 50}}),
        ("GET", f"{ORDERS_SCREEN}/{{orderId}}", order, {}),
        ("GET", f"{ORDERS_SCREEN}/{{orderId}}", order, {"params": {"fields": "lines.amount,customer"}}),
        ("GET", f"{ORDERS_SCREEN}/{{orderId}}", "7", {}),
        ("POST", ORDERS_SCREEN, "", {"json": {"repeats": order}, "headers": {"idempotency-key": "k"}}),
        ("GET", ALERTS_SCREEN, "", {"params": {"only": "unread"}}),
        ("PUT", f"{ALERTS_SCREEN}/{{alertId}}/read", alert, {}),
        ("PUT", f"{ALERTS_SCREEN}/read", "", {"json": {"ids": [alert, "a-none"]}}),
        ("PATCH", PROFILE, "", {"content": b'{"displayName": "A"}', "headers": patch}),
        ("PATCH", PROFILE, "", {"content": b"{}", "headers": {**patch, "if-match": ""}}),
        ("GET", "/mobile/v1/sync", "", {"params": {"limit": 2}}),
    ]
    for method, template, id_, options in asked:
        path = template.replace("{orderId}", id_).replace("{alertId}", id_)
        answer = await sampled.request(method, path, **options)
        assert contract.misfits(method, template, answer) == [], (method, path, answer.status_code)
