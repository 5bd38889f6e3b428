"""What the backends of the web groups answer: a page of fifty orders, and what its items ask for one by one.

From files, because a page is longer than nginx lets a configuration's word be. Whose it is does not matter to them.
"""

import json
from pathlib import Path
from typing import Any, Final

ORDERS: Final = 50
PRODUCTS: Final = 20


def order(number: int) -> dict[str, Any]:
    """One order of the user u-1."""
    return {
        "id": f"o-{number}", "userId": "u-1", "status": "shipped", "amount": f"{12 + number}.30", "currency": "EUR",
        "placedAt": f"2026-11-{1 + number % 28:02}T08:15:00Z", "placed": f"2026-11-{1 + number % 28:02}T08:15:00Z",
    }  # fmt: skip


def line(number: int, which: int) -> dict[str, Any]:
    """One of an order's two lines."""
    return {
        "name": f"Thing {number}", "quantity": 1 + which, "unitAmount": "1.50", "amount": f"{1 + which}.50",
        "currency": "EUR", "productId": f"p-{(number * 2 + which) % PRODUCTS}",
    }  # fmt: skip


BODIES: Final[dict[str, Any]] = {
    "orders-page": {"items": [order(number) for number in range(ORDERS)], "next": None},
    "orders-batch": [order(number) for number in range(10)],
    "lines": [{"orderId": f"o-{number}", "lines": [line(number, 0), line(number, 1)]} for number in range(ORDERS)],
    "products": [{"id": f"p-{n}", "name": f"Product {n}", "category": "things"} for n in range(PRODUCTS)],
    "users": [{
        "userId": "u-1", "displayName": "Ada Lovelace", "accountTier": "Gold", "email": "ada@example.com",
        "region": "eu", "version": "1",
    }],
}  # fmt: skip

LOCATIONS: Final = """
location ~ ^/api/internal/users/[^/]+/orders$ {{ alias {folder}/orders-page; }}
location = /api/internal/orders/batch {{ alias {folder}/orders-batch; }}
location = /api/internal/orders/lines {{ alias {folder}/lines; }}
location = /api/internal/products {{ alias {folder}/products; }}
location = /api/internal/users {{ alias {folder}/users; }}
"""


def write_shop(state: Path) -> str:
    """Write the bodies below ``state``; return the locations for nginx."""
    folder = state / "shop"
    folder.mkdir(exist_ok=True)
    for name, body in BODIES.items():
        (folder / name).write_text(json.dumps(body, separators=(",", ":")))
    return LOCATIONS.format(folder=folder)
