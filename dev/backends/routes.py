"""What each backend answers. Indexed reads of a small file take microseconds, so they run on the loop."""

import sqlite3
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse

from shared.errors import ProblemCode, ProblemError

PROFILE: Final = """
SELECT id AS userId, name AS displayName, tier AS accountTier, email, region FROM users WHERE id = ?
"""
ORDERS: Final = """
SELECT id, user AS userId, status, amount, currency, placed_at AS placedAt
FROM orders WHERE user = ? ORDER BY placed_at DESC LIMIT ?
"""
ALERTS: Final = """
SELECT id, user AS userId, severity, message, created_at AS createdAt
FROM alerts WHERE user = ? ORDER BY created_at DESC LIMIT ?
"""

UserId = Annotated[str, Query(alias="userId", min_length=1, max_length=255)]
Limit = Annotated[int, Query(ge=1, le=100)]

users, orders, alerts = APIRouter(), APIRouter(), APIRouter()
ROUTERS: Final = {"users": users, "orders": orders, "alerts": alerts}


@users.get("/api/internal/users/{user_id}/profile")
async def get_profile(request: Request, user_id: str) -> JSONResponse:
    """Who the user is; 404 when nobody is."""
    found = _read(request, PROFILE, user_id)
    if not found:
        raise ProblemError(ProblemCode.NOT_FOUND, "There is no such user.")
    return JSONResponse(found[0])


@orders.get("/api/internal/orders")
async def list_orders(request: Request, user_id: UserId, limit: Limit = 5) -> JSONResponse:
    """The user's newest orders; none for a user that nobody is."""
    return JSONResponse(_read(request, ORDERS, user_id, limit))


@alerts.get("/api/internal/alerts")
async def list_alerts(request: Request, user_id: UserId, limit: Limit = 20) -> JSONResponse:
    """The user's newest alerts; none for a user that nobody is."""
    return JSONResponse(_read(request, ALERTS, user_id, limit))


def _read(request: Request, query: str, *values: object) -> list[dict[str, Any]]:
    database: sqlite3.Connection = request.app.state.database
    return [dict(row) for row in database.execute(query, values)]
