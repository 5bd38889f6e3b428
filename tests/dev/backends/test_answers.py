"""What the three backends answer."""

import json

import httpx
import pytest

from dev.backends.sample import NAMES

Backends = dict[str, httpx.AsyncClient]


async def test_a_profile(backends: Backends) -> None:
    """The five fields of the contract, in UTF-8."""
    names = json.loads(NAMES.read_text(encoding="utf-8"))

    answer = await backends["users"].get("/api/internal/users/u-2/profile")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "userId": "u-2",
        "displayName": names["first"][1][0],
        "accountTier": "Silver",
        "email": "u-2@example.com",
        "region": "eu",
    }


@pytest.mark.parametrize("user", ["u-0", "u-999999", "nobody", "u-1'--", "%E2%82%AC"])
async def test_an_unknown_user_has_no_profile(user: str, backends: Backends) -> None:
    """404 as a problem, for every id that nobody has."""
    answer = await backends["users"].get(f"/api/internal/users/{user}/profile")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


async def test_orders_newest_first(backends: Backends) -> None:
    """As many as asked for, whole numbers as ids, money as text."""
    answer = await backends["orders"].get("/api/internal/orders", params={"userId": "u-1", "limit": 6})

    orders = answer.json()
    assert len(orders) == 6
    assert set(orders[0]) == {"id", "userId", "status", "amount", "currency", "placedAt"}
    assert [one["placedAt"] for one in orders] == sorted((one["placedAt"] for one in orders), reverse=True)
    assert all(type(one["id"]) is int and one["id"] > 2**53 for one in orders)
    assert all(type(one["amount"]) is str for one in orders)
    assert orders[:5] == (await backends["orders"].get("/api/internal/orders?userId=u-1")).json()


async def test_alerts_newest_first(backends: Backends) -> None:
    """With a severity of the closed list."""
    alerts = (await backends["alerts"].get("/api/internal/alerts?userId=u-1")).json()

    assert set(alerts[0]) == {"id", "userId", "severity", "message", "createdAt"}
    assert {one["severity"] for one in alerts} <= {"info", "warning", "critical"}
    assert [one["createdAt"] for one in alerts] == sorted((one["createdAt"] for one in alerts), reverse=True)


@pytest.mark.parametrize("name", ["orders", "alerts"])
@pytest.mark.parametrize("user", ["u-70", "nobody", "' OR 1=1 --"])
async def test_nothing_is_an_empty_list(name: str, user: str, backends: Backends) -> None:
    """For a user without any, and for one that nobody is."""
    answer = await backends[name].get(f"/api/internal/{name}", params={"userId": user})

    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("query", ["", "userId=", "userId=u-1&limit=0", "userId=u-1&limit=101", "userId=u-1&limit=x"])
async def test_a_bad_query_is_a_problem(query: str, backends: Backends) -> None:
    """400 with the parameter's name and without its value."""
    for name in ("orders", "alerts"):
        answer = await backends[name].get(f"/api/internal/{name}?{query}")

        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid_request"
        assert "u-1" not in answer.text


async def test_backends_answer_for_themselves_alone(backends: Backends) -> None:
    """The orders backend has no profiles."""
    assert (await backends["orders"].get("/api/internal/users/u-1/profile")).status_code == 404
    assert (await backends["orders"].get("/health/ready")).status_code == 200


async def test_what_was_seen_can_be_asked(backends: Backends) -> None:
    """Path, query, trace and deadline headers, and whether there was a credential; never the credential."""
    orders = backends["orders"]
    headers = {"authorization": "Bearer secret", "x-deadline-ms": "250", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    await orders.get("/api/internal/orders?userId=u-1", headers=headers)
    await orders.get("/health/live")

    seen = (await orders.get("/__seen")).json()

    assert seen == {
        "calls": [
            {
                "method": "GET",
                "path": "/api/internal/orders",
                "query": "userId=u-1",
                "traceparent": headers["traceparent"],
                "x-deadline-ms": "250",
                "authorization": True,
            }
        ],
        "inFlight": 0,
        "disconnects": 0,
    }
    assert "secret" not in json.dumps(seen)
    assert (await orders.delete("/__seen")).status_code == 204
    assert (await orders.get("/__seen")).json()["calls"] == []
