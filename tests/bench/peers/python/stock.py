"""The best that stock parts give in Python: FastAPI's route, aiohttp's client, orjson both ways, no response model."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
import orjson
import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import Response


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    connector = aiohttp.TCPConnector(limit=0, limit_per_host=128)
    timeout = aiohttp.ClientTimeout(total=int(os.environ["TIMEOUT_MS"]) / 1000)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        app.state.session = session
        yield


app = FastAPI(lifespan=lifespan, openapi_url=None)
USERS, ORDERS, ALERTS = (os.environ[f"{name}_URL"] for name in ("USERS", "ORDERS", "ALERTS"))


async def ask(session: aiohttp.ClientSession, url: str) -> Any:
    async with session.get(url) as response:
        response.raise_for_status()
        return orjson.loads(await response.read())


@app.get("/mobile/v1/dashboard")
async def dashboard(request: Request) -> Response:
    user = request.headers["x-user"]
    session = request.app.state.session
    profile, orders, alerts = await asyncio.gather(
        ask(session, f"{USERS}/api/internal/users/{user}/profile"),
        ask(session, f"{ORDERS}/api/internal/orders?userId={user}&limit=5"),
        ask(session, f"{ALERTS}/api/internal/alerts?userId={user}"),
        return_exceptions=True,
    )
    degraded = []
    if isinstance(profile, BaseException):
        profile = {"displayName": "User", "accountTier": "Free"}
        degraded.append({"section": "profile", "reason": "unreachable", "source": "default"})
    if isinstance(orders, BaseException):
        orders = []
        degraded.append({"section": "recentOrders", "reason": "unreachable", "source": "default"})
    if isinstance(alerts, BaseException):
        alerts = None
        degraded.append({"section": "alerts", "reason": "unreachable", "source": "none"})
    answer = {
        "userId": user,
        "displayName": profile["displayName"],
        "tier": profile["accountTier"],
        "recentOrders": [
            {"id": str(one["id"]), **{key: one[key] for key in ("status", "amount", "currency", "placedAt")}}
            for one in orders
        ],
        "alerts": alerts
        and [
            {"id": str(one["id"]), **{key: one[key] for key in ("severity", "message", "createdAt")}} for one in alerts
        ],
        "aggregatedAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "degraded": degraded,
    }
    return Response(orjson.dumps(answer), media_type="application/json")


@app.get("/health/ready")
async def ready() -> dict[str, str]:
    return {"status": "ready"}


if __name__ == "__main__":
    gc.freeze()
    uvicorn.run(
        app, host="127.0.0.1", port=int(os.environ["LISTEN_PORT"]), loop="uvloop", http="httptools", access_log=False,
        log_level="warning",
    )  # fmt: skip
