"""Made-up data of one user, what a phone makes of it, and what stands in when a backend is missing."""

from typing import Any, NamedTuple

import httpx

from bffs.mobile.backends import ALERTS, ORDERS, USERS
from shared.backends.backend import Backend

DASHBOARD, PROFILE = "/mobile/v1/dashboard", "/mobile/v1/profile"
ORDERS_SCREEN, ALERTS_SCREEN = "/mobile/v1/orders", "/mobile/v1/alerts"

ADA = {
    "userId": "u-1", "displayName": "Ada Łovelace 🌻", "accountTier": "Gold", "email": "ada@example.test",
    "region": "eu",
}  # fmt: skip
ME = {**ADA, "version": "1"}
ORDER = {
    "id": 9007199254740993, "userId": "u-1", "status": "shipped", "amount": "12.30", "currency": "EUR",
    "placedAt": "2026-11-24T21:59:59Z",
}  # fmt: skip
LINES = [
    {"productId": "p-1", "name": "Brass Kettle", "quantity": 2, "unitAmount": "6.15", "amount": "12.30",
     "currency": "EUR"},
]  # fmt: skip
ALERT = {
    "id": 1, "userId": "u-1", "severity": "warning", "message": "Your card expires",
    "createdAt": "2026-11-24T08:00:00Z",
}  # fmt: skip

WHOLE = {
    "userId": "u-1", "displayName": "Ada Łovelace 🌻", "tier": "Gold",
    "recentOrders": [
        {"id": "9007199254740993", "status": "shipped", "amount": "12.30", "currency": "EUR",
         "placedAt": "2026-11-24T21:59:59Z"},
    ],
    "alerts": [
        {"id": "1", "severity": "warning", "message": "Your card expires", "createdAt": "2026-11-24T08:00:00Z"},
    ],
    "degraded": [],
}  # fmt: skip


class Part(NamedTuple):
    """One backend's part of the dashboard: its section, the fields that stand in, and how the gap is labelled."""

    backend: Backend
    section: str
    stands_in: dict[str, Any]
    source: str


PARTS = {
    "users": Part(USERS, "profile", {"displayName": "User", "tier": "Free"}, "default"),
    "orders": Part(ORDERS, "recentOrders", {"recentOrders": []}, "default"),
    "alerts": Part(ALERTS, "alerts", {"alerts": None}, "none"),
}


def without_time(answer: httpx.Response) -> dict[str, Any]:
    """Return the body of a 200 without the one member that is the clock's."""
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    del body["aggregatedAt"]
    return body
