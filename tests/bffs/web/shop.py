"""A scripted shop: so many orders and alerts of each user, in pages, with lines, products and customers."""

from typing import Any

from bffs.web import backends as calls
from shared.testing.sockets import SocketBackends

FIRST_ID = 2**53 + 1


class Shop:
    """Orders and alerts, newest first; a test may add some, or put something unreadable among them."""

    def __init__(self, backends: SocketBackends, orders: int = 7, alerts: int = 5) -> None:
        self.orders: list[Any] = [order(number) for number in range(orders, 0, -1)]
        self.alerts: list[Any] = [alert(number) for number in range(alerts, 0, -1)]
        self.version = "7"
        backends.answers(calls.ORDERS_PAGE, lambda user_id, limit, after: page(self.orders, limit, after, "placedAt"))
        backends.answers(calls.ALERTS_PAGE, self._alerts_page)
        backends.answers(calls.ORDERS_AMONG, lambda user_id, ids: among(self.orders, ids))
        backends.answers(calls.ALERTS_AMONG, lambda user_id, ids: among(self.alerts, ids))
        backends.answers(calls.LINES_OF, lambda user_id, ids: [lines(one) for one in among(self.orders, ids)])
        backends.answers(calls.PRODUCTS_OF, lambda ids: [product(one) for one in ids.split(",")])
        backends.answers(calls.USERS_OF, lambda ids: [self.user(one) for one in ids.split(",")])
        backends.answers(calls.USER, self.user)

    def _alerts_page(self, user_id: str, limit: str, after: str, which: str) -> dict[str, Any]:
        return page([one for one in self.alerts if not which or not one["readAt"]], limit, after, "createdAt")

    def user(self, user_id: str) -> dict[str, Any]:
        return {
            "userId": user_id, "displayName": f"Name of {user_id}", "accountTier": "Gold",
            "email": f"{user_id}@example.test", "region": "eu", "version": self.version,
        }  # fmt: skip


def order(number: int, user: str = "u-1") -> dict[str, Any]:
    return {
        "id": FIRST_ID + 2 * number, "userId": user, "status": "shipped", "amount": f"{number}.50", "currency": "EUR",
        "placedAt": f"2026-11-{number % 28 + 1:02}T10:{number // 28:02}:00Z", "version": 1,
    }  # fmt: skip


def alert(number: int, user: str = "u-1") -> dict[str, Any]:
    return {
        "id": f"a-{number}", "userId": user, "severity": "info", "message": f"Message {number}.",
        "createdAt": f"2026-11-{number % 28 + 1:02}T11:00:00Z", "readAt": None, "version": 1,
    }  # fmt: skip


def lines(of: dict[str, Any]) -> dict[str, Any]:
    line = {
        "productId": f"p-{of['id'] % 5}", "name": "Kettle", "quantity": 2, "unitAmount": "1.00", "amount": "2.00",
        "currency": of["currency"],
    }  # fmt: skip
    return {"orderId": of["id"], "lines": [line]}


def product(product_id: str) -> dict[str, Any]:
    return {"id": product_id, "name": f"Kettle {product_id}", "category": "kitchen"}


def page(items: list[Any], limit: str, after: str, moment: str) -> dict[str, Any]:
    """What a backend answers: a keyset over time and id, as its own order has it."""
    start = 0
    if after:
        start = next(at for at, one in enumerate(items) if one and f"{one[moment]},{one['id']}" == after) + 1
    shown = items[start : start + int(limit)]
    more = start + int(limit) < len(items)
    return {"items": shown, "next": f"{shown[-1][moment]},{shown[-1]['id']}" if more else None}


def among(items: list[Any], ids: str) -> list[Any]:
    return [one for one in items if one and str(one["id"]) in ids.split(",")]
