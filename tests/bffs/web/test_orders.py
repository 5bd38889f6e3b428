"""Lists in pages, and what stands behind each of their items: cursors that hold, calls that do not grow."""

import json
from pathlib import Path
from typing import Any

import pytest

from bffs.web.backends import (
    ALERTS_OF,
    ALERTS_PAGE,
    LINES_OF,
    ORDERS_AMONG,
    ORDERS_OF,
    ORDERS_PAGE,
    PRODUCTS_OF,
    USERS_OF,
)
from bffs.web.graph.node import pack
from bffs.web.graph.pages import MOST
from shared.testing.calls import BackendCalls
from shared.testing.faults import answer as answered
from shared.testing.faults import invalid, status
from shared.testing.issuer import Issuer
from shared.testing.sockets import SocketBackends
from tests.bffs.web.conftest import OpenWeb
from tests.bffs.web.shop import Shop, alert, order
from tests.bffs.web.web import EXPLORER, PROFILE, Web

PAGE = """query ($first: Int! = 3, $after: String) { orders(first: $first, after: $after) {
  edges { cursor node { id } } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
} }"""
ALERTS = """query ($after: String, $unread: Boolean!) { alerts(first: 2, after: $after, unread: $unread) {
  nodes { id readAt } pageInfo { endCursor }
} }"""
DETAIL = """query ($first: Int! = 50) { orders(first: $first) { nodes {
  id status amount currency placedAt customer { displayName }
  lines { name quantity unitAmount amount currency product { name category } }
} } }"""


@pytest.fixture
def shop(web: Web, backends: SocketBackends) -> Shop:
    return Shop(backends)


async def pages(web: Web, **variables: Any) -> list[dict]:
    """Read a list to its end."""
    found, after = [], None
    while True:
        found.append((await web.data(PAGE, {**variables, "after": after}))["orders"])
        after = found[-1]["pageInfo"]["endCursor"]
        if not found[-1]["pageInfo"]["hasNextPage"]:
            return found


def ids_of(found: list[dict]) -> list[str]:
    return [one["id"] for page in found for one in page["nodes"]]


async def test_a_list_is_read_page_by_page(web: Web, shop: Shop) -> None:
    """Every order once, in the backend's order; the last page says that it is the last."""
    found = await pages(web)

    assert [len(one["nodes"]) for one in found] == [3, 3, 1]
    assert ids_of(found) == [str(one["id"]) for one in shop.orders]
    assert [one["pageInfo"]["hasPreviousPage"] for one in found] == [False, True, True]
    for one in found:
        assert one["pageInfo"]["startCursor"] == one["edges"][0]["cursor"]
        assert [edge["node"]["id"] for edge in one["edges"]] == [node["id"] for node in one["nodes"]]


async def test_a_new_order_moves_nothing_after_a_cursor(web: Web, shop: Shop) -> None:
    """Between two pages two are ordered: no order is shown twice, none is missed."""
    first = (await web.data(PAGE))["orders"]
    old = [str(one["id"]) for one in shop.orders]
    shop.orders[:0] = [order(40), order(39)]

    second = (await web.data(PAGE, {"after": first["pageInfo"]["endCursor"]}))["orders"]

    assert ids_of([first, second]) == old[:6]


async def test_any_edge_is_a_place_to_go_on_from(web: Web, shop: Shop) -> None:
    """Not the last one of a page alone."""
    first = (await web.data(PAGE))["orders"]

    again = (await web.data(PAGE, {"after": first["edges"][0]["cursor"]}))["orders"]

    assert ids_of([again])[:2] == ids_of([first])[1:]


async def test_an_empty_list_is_a_page(web: Web, shop: Shop) -> None:
    """No cursor, and no more."""
    shop.orders.clear()

    assert (await web.data(PAGE))["orders"] == {
        "edges": [],
        "nodes": [],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
    }


async def test_case_w5_one_bad_order_of_a_page_nulls_only_itself(web: Web, shop: Shop) -> None:
    """Its place is that of the one before it, so that reading on from there misses nothing."""
    shop.orders[1] = None

    found = (await web.data(PAGE))["orders"]
    again = (await web.data(PAGE, {"after": found["edges"][1]["cursor"], "first": 2}))["orders"]

    assert [edge["node"] is None for edge in found["edges"]] == [False, True, False]
    assert again["nodes"] == [None, found["nodes"][2]]


SIZES = [0, -1, MOST + 1, -(2**31)]


@pytest.mark.parametrize("first", SIZES)
async def test_a_page_size_out_of_bounds_is_refused(web: Web, shop: Shop, backends: SocketBackends, first: int) -> None:
    """The field is null, its error says the bounds; no backend is asked."""
    answer = await web.query(PAGE, {"first": first})

    (error,) = answer.json()["errors"]
    assert (answer.status_code, answer.json()["data"]) == (200, {"orders": None})
    assert (error["message"], error["extensions"]["code"]) == (f"`first` is 1 to {MOST}.", "invalid_request")
    assert backends.counts() == {}


async def test_a_huge_page_is_too_dear_to_begin(web: Web, backends: SocketBackends) -> None:
    """Refused by what it would cost, before anything of it runs."""
    answer = await web.query(PAGE, {"first": 2**31 - 1})

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (400, "invalid_request")
    assert "may cost" in error["message"]
    assert backends.counts() == {}


@pytest.mark.parametrize("first", [-(2**40), 1.5, "3", True, None, [3], {"n": 3}])
async def test_a_page_size_of_the_wrong_kind_is_a_request_error(web: Web, backends: SocketBackends, first: Any) -> None:
    """Nothing is executed."""
    answer = await web.query(PAGE, {"first": first})

    assert answer.status_code == 400
    assert [one["extensions"]["code"] for one in answer.json()["errors"]] == ["invalid_request"]
    assert backends.counts() == {}


async def test_cursors_are_bound_to_their_user_and_list(web: Web, shop: Shop, issuer: Issuer) -> None:
    """Another user's, another list's, another filter's, a changed one, a made-up one: all the same error."""
    cursor = (await web.data(PAGE))["orders"]["pageInfo"]["endCursor"]
    unread = (await web.data(ALERTS, {"unread": True}))["alerts"]["pageInfo"]["endCursor"]
    other = issuer.signed_in("u-2", scope=EXPLORER)
    forged = [(PAGE, {"after": after}, {}) for after in (unread, cursor[:-2], "", "x", "=" * 600, "MjAyNi0xMS0wMQ")]
    asked = [
        (PAGE, {"after": cursor}, other),
        (ALERTS, {"after": cursor, "unread": True}, {}),
        (ALERTS, {"after": unread, "unread": False}, {}),
        *forged,
    ]

    for text, variables, headers in asked:
        answer = await web.query(text, variables, headers=headers)
        (error,) = answer.json()["errors"]
        assert error["message"] == "`after` is no cursor of this list: send one that you got from it, or none."
        assert error["extensions"]["code"] == "invalid_request"


async def test_a_cursor_survives_a_restart_under_the_same_key(open_web: OpenWeb, backends: SocketBackends) -> None:
    """And goes on at a replica; with another key it is none."""
    key = "one secret that all its replicas know"
    one, replica, stranger = [await open_web(cursor_keys=keys) for keys in (key, f"{'n' * 40},{key}", "x" * 40)]
    Shop(backends)
    cursor = (await one.data(PAGE))["orders"]["pageInfo"]["endCursor"]

    assert (await replica.data(PAGE, {"after": cursor}))["orders"]["pageInfo"]["hasPreviousPage"]
    assert (await stranger.query(PAGE, {"after": cursor})).json()["data"] == {"orders": None}


async def test_alerts_have_pages_too(web: Web, shop: Shop, backends: SocketBackends) -> None:
    """All of them or the unread; the filter goes to the backend."""
    shop.alerts[0]["readAt"] = "2026-11-23T10:00:00Z"
    found = (await web.data(ALERTS, {"unread": False}))["alerts"]
    await web.data(ALERTS, {"unread": True})

    assert found["nodes"] == [{"id": "a-5", "readAt": "2026-11-23T10:00:00Z"}, {"id": "a-4", "readAt": None}]
    assert [one.target.rpartition("only=")[2] for one in backends["alerts"].requests] == ["", "unread"]


# What stands behind each item


async def test_an_order_has_its_lines_and_its_customer(web: Web, shop: Shop) -> None:
    """Money as text, products by their own loader."""
    (first, *_) = (await web.data(DETAIL))["orders"]["nodes"]

    newest = shop.orders[0]
    assert first["customer"] == {"displayName": "Name of u-1"}
    assert first["lines"] == [
        {
            "name": "Kettle",
            "quantity": 2,
            "unitAmount": "1.00",
            "amount": "2.00",
            "currency": "EUR",
            "product": {"name": f"Kettle p-{newest['id'] % 5}", "category": "kitchen"},
        }
    ]


async def test_calls_do_not_grow_with_the_list(
    web: Web, shop: Shop, backend_calls: BackendCalls, backends: SocketBackends
) -> None:
    """Two orders or fifty: a page, their lines, their products, their customers, each asked for once (N+1)."""

    async def show(size: int) -> None:
        shop.orders = [order(number) for number in range(size, 0, -1)]
        assert len((await web.data(DETAIL, {"first": size}))["orders"]["nodes"]) == size

    await backend_calls.do_not_grow(show, sizes=(2, 50))
    with backend_calls.exactly({ORDERS_PAGE: 1, LINES_OF: 1, PRODUCTS_OF: 1, USERS_OF: 1}):
        await show(50)


async def test_ten_orders_by_id_are_one_call(web: Web, shop: Shop, backend_calls: BackendCalls) -> None:
    """Sibling root fields ask together; one that is not there is null, without an error."""
    text = (
        "{"
        + " ".join(f'o{at}: order(id: "{one["id"]}") {{ id }}' for at, one in enumerate(shop.orders))
        + (' gone: order(id: "1") { id } comma: order(id: "1,2") { id } }')
    )

    with backend_calls.exactly({ORDERS_AMONG: 1}):
        data = await web.data(text)

    assert (data.pop("gone"), data.pop("comma")) == (None, None)
    assert [one["id"] for one in data.values()] == [str(one["id"]) for one in shop.orders]


async def test_case_w5_a_failing_leg_is_an_error_of_its_own_fields(
    web: Web, shop: Shop, backends: SocketBackends
) -> None:
    """Lines cannot be had: every order is there, ``lines`` are null, each with its path and a code."""
    shop.orders = shop.orders[:2]
    backends["orders"].fault(status(500), on=LINES_OF)

    body = (await web.query(DETAIL)).json()

    nodes = body["data"]["orders"]["nodes"]
    assert [(one["lines"], one["customer"]["displayName"]) for one in nodes] == [(None, "Name of u-1")] * 2
    assert [(one["path"], one["extensions"]["code"]) for one in body["errors"]] == [
        (["orders", "nodes", at, "lines"], "backend_faulted") for at in (0, 1)
    ]


async def test_case_w2_a_batch_element_that_fails_tells_nothing(web: Web, shop: Shop, backends: SocketBackends) -> None:
    """What the backend said in its error stays with us."""
    secret = b'{"error": "postgres://app:hunter2@db.internal/orders"}'
    backends["orders"].fault(answered(500, secret), on=LINES_OF)

    answer = await web.query(DETAIL)

    assert len(answer.json()["errors"]) == len(shop.orders)
    for word in ("postgres", "hunter2", "internal/", "127.0.0.1"):
        assert word not in answer.text


async def test_one_unreadable_line_nulls_only_itself(web: Web, shop: Shop, backends: SocketBackends) -> None:
    """Its neighbours stay."""
    (newest, *_) = shop.orders = shop.orders[:1]
    good = {
        "productId": "p-1",
        "name": "Kettle",
        "quantity": 1,
        "unitAmount": "1.00",
        "amount": "1.00",
        "currency": "EUR",
    }
    body = [{"orderId": newest["id"], "lines": [good, {"name": 7}]}]
    backends["orders"].fault(invalid(body), on=LINES_OF)

    (found,) = (await web.data(DETAIL))["orders"]["nodes"]

    assert [line is None for line in found["lines"]] == [False, True]


async def test_case_t1_every_batch_is_in_the_requests_trace(web: Web, shop: Shop, backends: SocketBackends) -> None:
    """Each call of a loader is a span of its own, with what is left of the request's time."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    await web.query(DETAIL, headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01", "x-deadline-ms": "900"})

    parents = [one.header("traceparent") for one in backends.requests]
    assert len(set(parents)) == len(parents) == 4
    assert all(one.startswith(f"00-{trace}-") for one in parents)
    assert all(0 < int(one.header("x-deadline-ms")) <= 900 for one in backends.requests)


# Node ids


async def test_a_node_is_found_again_by_its_id(web: Web, shop: Shop, backends: SocketBackends) -> None:
    """Whatever kind it is; the id says which."""
    found = await web.data(
        "{ viewer { nodeId } orders(first: 1) { nodes { nodeId lines { product { nodeId } } } }"
        " alerts(first: 1) { nodes { nodeId } } }"
    )
    (order_node,), (alert_node,) = found["orders"]["nodes"], found["alerts"]["nodes"]
    wanted = {
        "Viewer": found["viewer"]["nodeId"],
        "Order": order_node["nodeId"],
        "Product": order_node["lines"][0]["product"]["nodeId"],
        "Alert": alert_node["nodeId"],
    }
    kinds = "__typename nodeId ... on Viewer { displayName } ... on Order { status }"
    text = f"query ($id: ID!) {{ node(nodeId: $id) {{ {kinds} }} }}"

    assert len(set(wanted.values())) == 4
    for kind, node_id in wanted.items():
        node = (await web.data(text, {"id": node_id}))["node"]
        assert (node["__typename"], node["nodeId"]) == (kind, node_id)


FOREIGN = [
    pack("Viewer", "u-2"),
    pack("Order", "1"),
    pack("Order", "1,2"),
    pack("Alert", "nobody's"),
    pack("Degraded", "x"),
    pack("Query", "x"),
]


@pytest.mark.parametrize("node_id", FOREIGN)
async def test_a_node_that_is_not_yours_is_null(web: Web, shop: Shop, node_id: str) -> None:
    """As one that does not exist; no kind that is no node is ever made."""
    assert (await web.data("query ($id: ID!) { node(nodeId: $id) { nodeId } }", {"id": node_id})) == {"node": None}


@pytest.mark.parametrize("node_id", ["", "x", "Order:1", "é", "\ud800", "T3JkZXI", "A" * 300, 7])
async def test_a_made_up_node_id_is_an_error(web: Web, backends: SocketBackends, node_id: Any) -> None:
    """A code, and nothing of what was sent."""
    body = {"query": "query ($id: ID!) { node(nodeId: $id) { nodeId } }", "variables": {"id": node_id}}
    answer = await web.post(json.dumps(body).encode(), headers={"content-type": "application/json"})

    (error,) = answer.json()["errors"]
    assert (error["message"], error["extensions"]["code"]) == ("`nodeId` is none of ours.", "invalid_request")
    assert backends.counts() == {}


async def test_the_record_is_read_only_when_it_is_shown(web: Web, shop: Shop, backend_calls: BackendCalls) -> None:
    """A greeting may be remembered; e-mail and version are as they are now."""
    with backend_calls.at_most(1):
        greeted = (await web.data("{ viewer { id userId displayName tier } }"))["viewer"]
    with backend_calls.at_most(1):
        known = (await web.data("{ viewer { ...V } } fragment V on Viewer { displayName email region version }"))[
            "viewer"
        ]

    assert greeted["displayName"] == PROFILE["displayName"]
    assert known == {"displayName": "Name of u-1", "email": "u-1@example.test", "region": "eu", "version": "7"}


async def test_what_a_page_of_alerts_asks_for(web: Web, shop: Shop, backend_calls: BackendCalls) -> None:
    """One call."""
    with backend_calls.exactly({ALERTS_PAGE: 1}):
        await web.data(ALERTS, {"unread": True})


MANIFEST = json.loads((Path(__file__).resolve().parents[3] / "bffs/web/documents.json").read_text())
QUERIES = {text.split()[1].partition("(")[0]: text for text in MANIFEST.values() if text.startswith("query")}


@pytest.mark.parametrize("text", QUERIES.values(), ids=QUERIES)
async def test_no_trusted_document_grows_with_its_lists(
    web: Web, shop: Shop, backends: SocketBackends, backend_calls: BackendCalls, text: str
) -> None:
    """Whatever a page asks for: no backend call more for fifty items than for two. New ones are in here at once."""
    shown = {"first": 50, "id": str(shop.orders[0]["id"]), "unread": False}
    variables = {name: value for name, value in shown.items() if f"${name}:" in text}

    async def show(size: int) -> None:
        shop.orders = [order(number) for number in range(size, 0, -1)]
        shop.alerts = [alert(number) for number in range(size, 0, -1)]
        backends.answers(ORDERS_OF, shop.orders)
        backends.answers(ALERTS_OF, shop.alerts)
        if "id" in variables:
            variables["id"] = str(shop.orders[0]["id"])
        assert any((await web.data(text, variables)).values())

    await backend_calls.do_not_grow(show, sizes=(2, 50))
