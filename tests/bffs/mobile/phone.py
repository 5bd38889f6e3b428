"""The mobile BFF as a phone sees it: over scripted backends and a hand-turned clock, or over real sockets.

async with scripted_phone(orders=Scripted(hang())) as phone:
    answer = await phone.get("/mobile/v1/dashboard")

The issuer is always a real one on loopback: keys are fetched and tokens verified as in production.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from bffs.mobile.app import create_app
from bffs.mobile.backends import ALERTS, ORDERS, USERS
from bffs.mobile.settings import MobileSettings
from shared.backends.backend import Backends
from shared.testing.clock import ManualClock
from shared.testing.scripted import Scripted, reply, scripted_backends
from tests.shared.backends.raw import RawBackend, Script, answers, http
from tests.shared.identity.tokens_table import AUDIENCE, ISSUER, Issuer

DASHBOARD, PROFILE = "/mobile/v1/dashboard", "/mobile/v1/profile"
NOWHERE = "http://127.0.0.1:9"  # never called: the scripts stand in

ADA = {
    "userId": "u-1", "displayName": "Ada Łovelace 🌻", "accountTier": "Gold", "email": "ada@example.test",
    "region": "eu",
}  # fmt: skip
ORDER = {
    "id": 9007199254740993, "userId": "u-1", "status": "shipped", "amount": "12.30", "currency": "EUR",
    "placedAt": "2026-11-24T21:59:59Z",
}  # fmt: skip
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


# The section that each backend fills, and what stands in when it is missing.
FALLBACKS: dict[str, tuple[str, dict[str, Any]]] = {
    "users": ("profile", {"displayName": "User", "tier": "Free"}),
    "orders": ("recentOrders", {"recentOrders": []}),
    "alerts": ("alerts", {"alerts": None}),
}


def without_time(answer: httpx.Response) -> dict[str, Any]:
    """Return the body of a 200 without the one member that is the clock's."""
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    del body["aggregatedAt"]
    return body


class Phone:
    """A signed-in caller of the app."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, issuer: Issuer, clock: ManualClock | None) -> None:
        self.app = app
        self.client = client
        self.issuer = issuer
        self.clock = clock

    def bearer(self, subject: str = "u-1") -> dict[str, str]:
        return {"authorization": f"Bearer {self.issuer.token(claims=self.issuer.claims(sub=subject))}"}

    async def get(self, path: str = DASHBOARD, subject: str = "u-1", **headers: str) -> httpx.Response:
        """Ask as that user; on a hand-turned clock, the answer's time comes as soon as nothing else can happen."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        bearer = self.bearer(subject)
        if self.clock is None:
            return await self.client.get(path, headers={**bearer, **named})
        # Verified beforehand: fetching the issuer's keys takes real time, and here time stands still.
        await self.app.state.verifier.verify(bearer["authorization"].removeprefix("Bearer "))
        return await self.clock.run(self.client.get(path, headers={**bearer, **named}))


@asynccontextmanager
async def _phone(urls: dict[str, str], clock: ManualClock | None, settings: dict[str, Any]) -> AsyncIterator[Phone]:
    issuer = Issuer(now=int(clock.wall_s() if clock else time.time()))
    async with RawBackend(answers(http(issuer.jwks()))) as keys:
        made = MobileSettings(
            listen="127.0.0.1:0", issuer=ISSUER, audience=AUDIENCE, jwks_url=f"{keys.url}/jwks", **urls, **settings
        )
        app = create_app(made, clock)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://phone.test") as client,
        ):
            yield Phone(app, client, issuer, clock)


@asynccontextmanager
async def scripted_phone(
    users: Scripted | None = None, orders: Scripted | None = None, alerts: Scripted | None = None, **settings: Any
) -> AsyncIterator[Phone]:
    """Scripted backends, well unless told otherwise, on a hand-turned clock."""
    clock = ManualClock()
    scripts = {
        USERS: users or Scripted(reply(ADA)),
        ORDERS: orders or Scripted(reply([ORDER])),
        ALERTS: alerts or Scripted(reply([ALERT])),
    }
    async with _phone(dict.fromkeys(("users_url", "orders_url", "alerts_url"), NOWHERE), clock, settings) as phone:
        backends: Backends = phone.app.state.backends
        phone.app.state.backends = scripted_backends(clock, scripts)
        yield phone
        await backends.aclose()


def json_of(value: bytes | str) -> Script:
    """Answer every request with this body."""
    return answers(http(value if isinstance(value, bytes) else value.encode()))


WELL = {
    "users": json_of('{"userId":"u-1","displayName":"Ada","accountTier":"Gold"}'),
    "orders": json_of("[]"),
    "alerts": json_of("[]"),
}


@asynccontextmanager
async def live_phone(scripts: dict[str, Script] | None = None, **settings: Any) -> AsyncIterator[Phone]:
    """Backends on real sockets, well unless told otherwise, and the real clock."""
    told = {**WELL, **(scripts or {})}
    async with (
        RawBackend(told["users"]) as users,
        RawBackend(told["orders"]) as orders,
        RawBackend(told["alerts"]) as alerts,
        _phone({"users_url": users.url, "orders_url": orders.url, "alerts_url": alerts.url}, None, settings) as phone,
    ):
        phone.app.state.raw = {"users": users, "orders": orders, "alerts": alerts}
        yield phone
