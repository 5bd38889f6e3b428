"""The web team's surface through the real edge, with real backends, store and limiter: a page's trusted documents."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.system.running import Running

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = json.loads((ROOT / "bffs/web/documents.json").read_text())
PATH = "/web/graphql"


def id_of(name: str) -> str:
    """The id of a page's operation, as its build put it there."""
    return next(key for key, text in MANIFEST.items() if f" {name}" in text.split("{")[0] and "__typename" not in text)


def asked(http: httpx.Client, name: str, **variables: Any) -> dict[str, Any]:
    answer = http.post(PATH, json={"documentId": id_of(name), "variables": variables})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert "errors" not in body, body
    assert 0 < body["extensions"]["cost"]["operation"] <= body["extensions"]["cost"]["most"]
    return body["data"]


def test_a_page_reads_all_orders_by_id(running: Running) -> None:
    """Pages of a trusted document, each order once; one of them with its lines, from three calls."""
    with running.client("u-11") as http:
        ids: list[str] = []
        after = None
        while True:
            page = asked(http, "Orders", first=5, after=after)["orders"]
            ids += [edge["node"]["id"] for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        order = asked(http, "OrderDetail", id=ids[0])["order"]

    assert len(ids) == len(set(ids)) > 10
    assert order["customer"]["displayName"]
    total = sum(float(line["amount"]) for line in order["lines"])
    assert total == pytest.approx(float(order["amount"]))
    assert all(line["product"]["category"] for line in order["lines"])


def test_an_order_of_another_is_not_there(running: Running) -> None:
    """Nor by its node id, nor does his cursor open my list."""
    with running.client("u-11") as his, running.client("u-12") as mine:
        page = asked(his, "Orders", first=1)["orders"]
        node = page["edges"][0]["node"]

        assert asked(mine, "OrderDetail", id=node["id"])["order"] is None
        found = "query ($id: ID!) { node(nodeId: $id) { nodeId } }"
        assert mine.post(PATH, json={"query": found, "variables": {"id": node["nodeId"]}}).json()["data"] == {
            "node": None
        }
        body = {"documentId": id_of("Orders"), "variables": {"after": page["pageInfo"]["endCursor"]}}
        (error,) = mine.post(PATH, json=body).json()["errors"]
    assert error["extensions"]["code"] == "invalid_request"


def test_alerts_are_marked_and_stay_marked(running: Running) -> None:
    """What was unread is not; again is no change; the dashboard does not show it any more."""
    with running.client("u-16") as http:
        unread = asked(http, "Alerts", unread=True)["alerts"]["nodes"]
        for _ in range(2):
            got = asked(http, "MarkAlertsRead", ids=[unread[0]["id"], "a-nobody's"])["markAlertsRead"]
            assert [(one["id"], one["readAt"] is not None) for one in got["alerts"]] == [(unread[0]["id"], True)]
            assert [(one["code"], one["path"]) for one in got["userErrors"]] == [("not_found", ["ids", "1"])]
        left = asked(http, "Alerts", unread=True)["alerts"]["nodes"]
        shown = asked(http, "Dashboard")["dashboard"]["alerts"]

    assert [one["id"] for one in left] == [one["id"] for one in unread[1:]]
    assert unread[0]["id"] not in [one["id"] for one in shown]


def test_a_profile_is_changed_once(running: Running) -> None:
    """On the version that was read; a second page with the old one is told, and the phone's view is the new one."""
    with running.client("u-13") as http:
        before = asked(http, "Profile")["viewer"]
        change = {"version": before["version"], "displayName": "Augusta 🚀"}
        first = asked(http, "UpdateProfile", input=change)["updateProfile"]
        second = asked(http, "UpdateProfile", input=change | {"displayName": "Ada"})["updateProfile"]
        after = asked(http, "Profile")["viewer"]
        greeted = asked(http, "Viewer")["viewer"]["displayName"]

    assert (first["userErrors"], first["viewer"]["displayName"]) == ([], "Augusta 🚀")
    assert [one["code"] for one in second["userErrors"]] == ["changed_meanwhile"]
    assert after == first["viewer"]
    assert greeted == "Augusta 🚀"


def test_a_browser_keeps_what_it_got_by_get(running: Running) -> None:
    """Compressed by the edge, under a validator that still counts; a mutation by GET is 405."""
    with running.client("u-14", headers={"accept-encoding": "gzip"}) as http:
        first = http.get(PATH, params={"documentId": id_of("Orders"), "variables": '{"first": 20}'})
        known = {"if-none-match": first.headers["etag"]}
        again = http.get(PATH, params={"documentId": id_of("Orders"), "variables": '{"first": 20}'}, headers=known)
        changing = http.get(PATH, params={"documentId": id_of("MarkAlertsRead"), "variables": '{"ids": []}'})

    assert (first.status_code, first.headers["content-encoding"]) == (200, "gzip")
    assert first.headers["cache-control"] == "private, no-cache"
    assert "Authorization" in first.headers["vary"]
    assert (again.status_code, again.content) == (304, b"")
    assert (changing.status_code, changing.json()["code"]) == (405, "method_not_allowed")


def test_the_limiter_was_charged_by_cost(running: Running) -> None:
    """Each of these operations stands in its counts, under the class of its caller."""
    with running.client("u-15") as http:
        asked(http, "Viewer")
    metrics = httpx.get(f"{running.address('limits')}/metrics", trust_env=False).text

    line = next(one for one in metrics.splitlines() if 'limit="web-cost.page",outcome="fits"' in one)
    assert float(line.rpartition(" ")[2]) >= 1
