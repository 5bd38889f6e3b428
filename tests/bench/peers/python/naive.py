"""What people write: FastAPI, one shared httpx client, ``asyncio.gather``, a response model."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import httpx
import uvicorn
from fastapi import FastAPI, Header
from pydantic import BaseModel, field_validator


class Order(BaseModel):
    id: str
    status: str
    amount: str
    currency: str
    placedAt: str

    @field_validator("id", mode="before")
    @classmethod
    def as_text(cls, value: Any) -> str:
        return str(value)


class Alert(BaseModel):
    id: str
    severity: str
    message: str
    createdAt: str


class Gap(BaseModel):
    section: str
    reason: str
    source: str


class Dashboard(BaseModel):
    userId: str
    displayName: str
    tier: str
    recentOrders: list[Order]
    alerts: list[Alert] | None
    aggregatedAt: str
    degraded: list[Gap]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with httpx.AsyncClient(timeout=int(os.environ["TIMEOUT_MS"]) / 1000) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


async def ask(url: str) -> Any:
    response = await app.state.client.get(url)
    response.raise_for_status()
    return response.json()


@app.get("/mobile/v1/dashboard")
async def dashboard(x_user: Annotated[str, Header()]) -> Dashboard:
    profile, orders, alerts = await asyncio.gather(
        ask(f"{os.environ['USERS_URL']}/api/internal/users/{x_user}/profile"),
        ask(f"{os.environ['ORDERS_URL']}/api/internal/orders?userId={x_user}&limit=5"),
        ask(f"{os.environ['ALERTS_URL']}/api/internal/alerts?userId={x_user}"),
        return_exceptions=True,
    )
    degraded = []
    if isinstance(profile, BaseException):
        profile = {"displayName": "User", "accountTier": "Free"}
        degraded.append(Gap(section="profile", reason="unreachable", source="default"))
    if isinstance(orders, BaseException):
        orders = []
        degraded.append(Gap(section="recentOrders", reason="unreachable", source="default"))
    if isinstance(alerts, BaseException):
        alerts = None
        degraded.append(Gap(section="alerts", reason="unreachable", source="none"))
    return Dashboard(
        userId=x_user, displayName=profile["displayName"], tier=profile["accountTier"], recentOrders=orders,
        alerts=alerts, aggregatedAt=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), degraded=degraded,
    )  # fmt: skip


@app.get("/health/ready")
async def ready() -> dict[str, str]:
    return {"status": "ready"}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["LISTEN_PORT"]), access_log=False, log_level="warning")
