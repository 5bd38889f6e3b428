"""The dashboard through GraphQL: its shape, and how its three backends are asked."""

import asyncio
import json
from datetime import datetime

from bffs.web.backends import ALERTS, ALERTS_OF, ORDERS, ORDERS_OF, USERS
from shared.testing.faults import held
from shared.testing.issuer import Issuer
from shared.testing.sockets import SocketBackends
from tests.bffs.web.web import ALERT, BIG_ID, BOTH, DASHBOARD, EXPLORER, ORDER, VIEWER, Web


async def test_a_whole_answer_has_the_agreed_shape(web: Web) -> None:
    """The clients' names and forms, nothing of what the backends know beyond them, and an empty ``degraded``."""
    response = await web.query(DASHBOARD)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert "cache-control" not in response.headers
    body = response.json()
    assert body.keys() == {"data", "extensions"}
    dashboard = body["data"]["dashboard"]
    assert datetime.fromisoformat(dashboard.pop("aggregatedAt")).tzinfo is not None
    assert dashboard == {
        "userId": "u-1",
        "displayName": "Ada Łovelace 🚀",
        "tier": "Gold",
        "recentOrders": [
            {
                "id": str(BIG_ID),
                "status": "shipped",
                "amount": "12.30",
                "currency": "EUR",
                "placedAt": "2026-11-20T10:00:00Z",
            }
        ],
        "alerts": [
            {
                "id": "a-1",
                "severity": "info",
                "message": "Your order is on its way.",
                "createdAt": "2026-11-21T10:00:00Z",
            }
        ],
        "degraded": [],
    }


async def test_ids_and_money_survive_javascript(web: Web, backends: SocketBackends) -> None:
    """Ids beyond 2^53 and amounts are text, digit by digit; a moment keeps its offset."""
    huge = 10**30 + 1
    placed = {"placedAt": "2026-11-20T10:00:00.5+05:30"}
    backends.answers(ORDERS_OF, [ORDER | {"id": huge, "amount": "-0.10"} | placed])
    backends.answers(ALERTS_OF, [ALERT | {"id": 7}])

    dashboard = (await web.data(DASHBOARD))["dashboard"]

    (order,) = dashboard["recentOrders"]
    assert (order["id"], order["amount"]) == (str(huge), "-0.10")
    assert order["placedAt"] == "2026-11-20T10:00:00.500000+05:30"
    assert dashboard["alerts"][0]["id"] == "7"


async def test_the_viewer_is_the_tokens_subject(web: Web, backends: SocketBackends) -> None:
    """One required section, asked for the subject of the token."""
    viewer = (await web.data(VIEWER))["viewer"]

    assert viewer == {"userId": "u-1", "displayName": "Ada Łovelace 🚀", "tier": "Gold", "degraded": []}
    assert [one.target for one in backends[USERS].requests] == ["/api/internal/users/u-1/profile"]


async def test_the_three_backends_are_asked_at_once(web: Web, backends: SocketBackends) -> None:
    """Each backend holds its call until all three have arrived: asked one after the other, none would answer."""
    gate = asyncio.Barrier(3)
    for backend in (USERS, ORDERS, ALERTS):
        backends[backend].fault(held(gate))

    async with asyncio.timeout(2):
        dashboard = (await web.data(DASHBOARD))["dashboard"]

    assert dashboard["degraded"] == []
    assert backends.counts() == {"users": 1, "orders": 1, "alerts": 1}


async def test_root_fields_are_answered_at_once(web: Web, backends: SocketBackends) -> None:
    """Dashboard and viewer do not wait for each other: one call to users answers both, while alerts still waits."""
    together = asyncio.Barrier(2)
    for backend in (USERS, ALERTS):
        backends[backend].fault(held(together))

    async with asyncio.timeout(2):
        data = await web.data(BOTH)

    assert backends.counts() == {"users": 1, "alerts": 1}
    assert data["dashboard"]["displayName"] == data["viewer"]["displayName"] == "Ada Łovelace 🚀"


async def test_backends_get_the_deadline_and_the_trace_and_no_credential(web: Web, backends: SocketBackends) -> None:
    """What is left of the client's time travels on, in one trace; the user's token does not."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"x-deadline-ms": "800", "traceparent": f"00-{trace}-b7ad6b7169203331-01"}

    response = await web.query(DASHBOARD, headers=headers)

    assert response.headers["x-trace-id"] == trace
    calls = backends.requests
    assert len(calls) == 3
    for call in calls:
        assert call.header("traceparent").startswith(f"00-{trace}-")
        assert 0 < int(call.header("x-deadline-ms")) <= 800
        assert call.header("authorization") is None
    assert len({call.header("traceparent") for call in calls}) == 3


async def test_a_subject_cannot_leave_its_place_in_the_target(
    web: Web, backends: SocketBackends, issuer: Issuer
) -> None:
    """A subject with slashes, dots and a query is one segment of a path and one value of a query."""
    await web.query(DASHBOARD, headers=issuer.signed_in("../u-2?x=1&limit=9", scope=EXPLORER))

    assert {one.target for one in backends.requests} == {
        "/api/internal/users/..%2Fu-2%3Fx%3D1%26limit%3D9/profile",
        "/api/internal/orders?userId=..%2Fu-2%3Fx%3D1%26limit%3D9&limit=5",
        "/api/internal/alerts?userId=..%2Fu-2%3Fx%3D1%26limit%3D9",
    }


async def test_the_answer_is_json_of_utf_8(web: Web) -> None:
    """Unicode goes out as it is, readable in a browser's network panel."""
    response = await web.query(DASHBOARD)

    assert "Łovelace 🚀".encode() in response.content
    assert json.loads(response.content)
