"""The mobile surface through the real edge: validators, writes done once, changes told, and bad input."""

import gzip
import json
import time
from typing import Any

import httpx
import pytest

from tests.system.running import Running
from tests.system.test_bad_input import assert_problem
from tests.system.test_request_life import trace_of

pytestmark = pytest.mark.system

DASHBOARD, ORDERS, ALERTS = "/mobile/v1/dashboard", "/mobile/v1/orders", "/mobile/v1/alerts"
PROFILE, SYNC = "/mobile/v1/profile", "/mobile/v1/sync"
MERGE_PATCH = {"content-type": "application/merge-patch+json"}
GZIP, PLAIN = {"accept-encoding": "gzip"}, {"accept-encoding": "identity"}


def raw(http: httpx.Client, path: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """Return an answer and its bytes as they came."""
    with http.stream("GET", path, headers=headers) as answer:
        return answer, b"".join(answer.iter_raw())


def test_case_e8_a_compressed_screen_keeps_its_validator(running: Running) -> None:
    """Weak for a phone that unpacks, and 304 for its repeat; strong for one that does not; whole for a third one."""
    with running.client("u-1") as http:
        packed, body = raw(http, DASHBOARD, **GZIP)
        assert (packed.status_code, packed.headers["content-encoding"]) == (200, "gzip")
        weak = packed.headers["etag"]
        assert weak.startswith('W/"')
        whole = json.loads(gzip.decompress(body))

        again, nothing = raw(http, DASHBOARD, **GZIP, **{"if-none-match": weak})
        assert (again.status_code, nothing) == (304, b"")
        plain, text = raw(http, DASHBOARD, **PLAIN)
        assert plain.headers["etag"] == weak.removeprefix("W/")
        assert "content-encoding" not in plain.headers
        assert {**json.loads(text), "aggregatedAt": ""} == {**whole, "aggregatedAt": ""}
        assert raw(http, DASHBOARD, **PLAIN, **{"if-none-match": plain.headers["etag"]})[0].status_code == 304
        assert raw(http, DASHBOARD, **GZIP, **{"if-none-match": plain.headers["etag"]})[0].status_code == 304
        third, body = raw(http, DASHBOARD, **GZIP)
        assert (third.status_code, json.loads(gzip.decompress(body))["userId"]) == (200, "u-1")

        part, body = raw(http, f"{DASHBOARD}?sections=recentOrders,alerts", **GZIP)
        assert part.headers["content-type"] == "application/vnd.frontage.part+json"
        assert part.headers["content-encoding"] == "gzip"
        tags = json.loads(gzip.decompress(body))["tags"]
        held = ", ".join(f'{name}="{tag}"' for name, tag in tags.items())
        _, body = raw(http, f"{DASHBOARD}?sections=recentOrders,alerts", **PLAIN, **{"if-section-match": held})
        assert json.loads(body)["unchanged"] == ["recentOrders", "alerts"]
        assert len(body) * 4 < len(text)


def test_case_a7_a_tag_opens_nothing(running: Running) -> None:
    """Ada's tag with Bob's token is Bob's answer; with none, or a bad one, 401, also right after Ada's 304."""
    with running.client("u-1") as ada, running.client("u-2") as bob, running.client(None) as nobody:
        tag = {"if-none-match": ada.get(DASHBOARD).headers["etag"]}
        assert ada.get(DASHBOARD, headers=tag).status_code == 304
        assert bob.get(DASHBOARD, headers=tag).json()["userId"] == "u-2"
        assert_problem(nobody.get(DASHBOARD, headers=tag), 401, "unauthenticated")
        bad = {"authorization": f"Bearer {running.token(expires_in=-3600)}"}
        assert_problem(nobody.get(DASHBOARD, headers={**tag, **bad}), 401, "unauthenticated")
        assert "public" not in ada.get(DASHBOARD).headers["cache-control"]


def test_a_day_of_a_phone(running: Running) -> None:
    """It syncs, orders again over a bad network, reads its alerts, changes its name, and syncs what came of that."""
    with running.client("u-11") as http:
        first = http.get(SYNC, params={"limit": 100}).json()
        orders = http.get(ORDERS).json()["items"]
        assert {one["id"] for one in orders} <= {one["id"] for one in first["orders"]["changed"]}

        key = {"idempotency-key": f"day-{time.monotonic_ns()}"}
        made = http.post(ORDERS, json={"repeats": orders[0]["id"]}, headers=key)
        again = http.post(ORDERS, json={"repeats": orders[0]["id"]}, headers=key)
        assert (made.status_code, again.status_code) == (201, 201)
        assert (again.content, again.headers["idempotency-replayed"]) == (made.content, "true")
        order = made.json()["order"]["id"]
        assert http.get(made.headers["location"]).json()["amount"] == orders[0]["amount"]

        alert = f"order-{order}"
        assert http.put(f"{ALERTS}/{alert}/read").json()["readAt"]
        assert http.put(f"{ALERTS}/read", json={"ids": [alert]}).json() == {"read": [alert], "missing": []}
        seen = http.get(PROFILE).headers["etag"]
        name = {"displayName": "Eleven"}
        changed = http.patch(PROFILE, json=name, headers={**MERGE_PATCH, "if-match": f"W/{seen.removeprefix('W/')}"})
        assert changed.json()["displayName"] == "Eleven"
        late = http.patch(PROFILE, json=name, headers={**MERGE_PATCH, "if-match": seen})
        assert_problem(late, 412, "precondition_failed")

        news = http.get(SYNC, params={"since": first["next"]}).json()
        assert [one["id"] for one in news["orders"]["changed"]] == [order]
        assert [(one["id"], one["readAt"] is not None) for one in news["alerts"]["changed"]] == [(alert, True)]
        assert [one["displayName"] for one in news["profile"]["changed"]] == ["Eleven"]
        assert http.get(DASHBOARD).json()["displayName"] == "Eleven"


def test_an_app_that_is_too_old_is_told_so(running: Running) -> None:
    """426 in the one format, through the edge; the versions that shipped are served."""
    with running.client("u-1", headers={"x-app-platform": "ios"}) as http:
        assert_problem(http.get(DASHBOARD, headers={"x-app-version": "0.9"}), 426, "upgrade_required")
        assert http.get(DASHBOARD, headers={"x-app-version": "1.0"}).status_code == 200


BAD: dict[str, tuple[int, str, str, str, dict[str, Any]]] = {
    "no key": (400, "invalid_request", "POST", ORDERS, {"json": {"repeats": "7"}}),
    "no version": (428, "precondition_required", "PATCH", PROFILE, {"json": {}, "headers": MERGE_PATCH}),
    "a wrong type": (
        400, "invalid_request", "PATCH", PROFILE,
        {"json": {"displayName": 7}, "headers": {**MERGE_PATCH, "if-match": "*"}},
    ),
    "no merge patch": (415, "unsupported_media_type", "PATCH", PROFILE, {"json": {}, "headers": {"if-match": "*"}}),
    "a forged cursor": (400, "invalid_request", "GET", f"{ORDERS}?cursor=AAAA", {}),
    "a forged place": (400, "invalid_request", "GET", f"{SYNC}?since=AAAA", {}),
    "a negative size": (400, "invalid_request", "GET", f"{ORDERS}?limit=-1", {}),
    "a huge size": (400, "invalid_request", "GET", f"{ORDERS}?limit={'9' * 300}", {}),
    "no such field": (400, "invalid_request", "GET", f"{DASHBOARD}?fields=password", {}),
    "no such section": (400, "invalid_request", "GET", f"{DASHBOARD}?sections=secrets", {}),
    "a large body": (413, "payload_too_large", "PUT", f"{ALERTS}/read", {"json": {"ids": ["a" * 20_000]}}),
    "a deep body": (
        400, "invalid_request", "PUT", f"{ALERTS}/read",
        {"content": b"[" * 10_000, "headers": {"content-type": "application/json"}},
    ),
    "no method of ours": (405, "method_not_allowed", "DELETE", PROFILE, {}),
    "another's order": (404, "not_found", "GET", f"{ORDERS}/9007199254740993", {}),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_a_documented_problem(running: Running, kind: str) -> None:
    """The one format, nothing from inside, and the next good request is served."""
    status, code, method, path, options = BAD[kind]
    with running.client("u-12") as http:
        answer = http.request(method, path, **options)
        assert_problem(answer, status, code)
        assert http.get(DASHBOARD).status_code == 200


def test_case_t1_a_write_over_two_backends_is_one_trace(running: Running) -> None:
    """Both steps under one server span that is named by its route; so is a 404 on a path with an id."""
    with running.client("u-13") as http:
        order = http.get(ORDERS).json()["items"][0]["id"]
        key = {"idempotency-key": f"trace-{time.monotonic_ns()}"}
        made = http.post(ORDERS, json={"repeats": order}, headers=key)
        lost = http.get(f"{ORDERS}/7")
    assert (made.status_code, lost.status_code) == (201, 404)

    spans = trace_of(running, made.headers["x-trace-id"], 7, ("edge", "mobile", "orders", "alerts"))
    by_id = {span["spanID"]: span for span in spans}
    (server,) = [
        one for one in spans if one["operationName"] == "POST /mobile/v1/orders" and one["service"] == "mobile"
    ]
    for backend in ("orders", "alerts"):
        (served,) = [one for one in spans if one["service"] == backend]
        attempt = by_id[served["references"][0]["spanID"]]
        step = by_id[attempt["references"][0]["spanID"]]
        assert step["references"][0]["spanID"] == server["spanID"]
    names = {one["operationName"] for one in trace_of(running, lost.headers["x-trace-id"], 3, ("edge", "mobile"))}
    assert "GET /mobile/v1/orders/{orderId}" in names
