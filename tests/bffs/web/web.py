"""The web BFF as a page sees it: a client that posts operations, the usual queries, and made-up data of one user."""

from collections.abc import Mapping
from typing import Any

import httpx
from fastapi import FastAPI

from shared.testing.bff import Bff

PATH = "/web/graphql"
# May send any document, as a developer with a tool does; pages may not.
EXPLORER = "dashboard graphql:explore"

DEGRADED = "degraded { section reason source ageSeconds retryAfterSeconds }"
DASHBOARD = f"""query {{ dashboard {{
  userId displayName tier
  recentOrders {{ id status amount currency placedAt }}
  alerts {{ id severity message createdAt }}
  aggregatedAt {DEGRADED}
}} }}"""
VIEWER = f"query {{ viewer {{ userId displayName tier {DEGRADED} }} }}"
BOTH = f"{{ dashboard {{ displayName alerts {{ id }} {DEGRADED} }} viewer {{ displayName }} }}"

BIG_ID = 2**53 + 12345

PROFILE = {
    "userId": "u-1",
    "displayName": "Ada Łovelace 🚀",
    "accountTier": "Gold",
    "email": "ada@example.test",
    "region": "eu",
}
ORDER = {
    "id": BIG_ID,
    "userId": "u-1",
    "status": "shipped",
    "amount": "12.30",
    "currency": "EUR",
    "placedAt": "2026-11-20T10:00:00Z",
}
ALERT = {
    "id": "a-1",
    "userId": "u-1",
    "severity": "info",
    "message": "Your order is on its way.",
    "createdAt": "2026-11-21T10:00:00Z",
}


class Web:
    """A page's client of one running BFF, signed in as u-1 by its default headers."""

    def __init__(self, bff: Bff) -> None:
        self.bff = bff
        self.http.headers.update(bff.issuer.signed_in("u-1", scope=EXPLORER))

    @property
    def app(self) -> FastAPI:
        return self.bff.app

    @property
    def http(self) -> httpx.AsyncClient:
        return self.bff.client

    async def post(self, body: Any, **more: Any) -> httpx.Response:
        """Post a body as JSON (``bytes`` as they are) and check what holds for every answer."""
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        answer = await self.bff.post(PATH, user=None, **content, **more)
        assert len(answer.headers["x-trace-id"]) == 32
        return answer

    async def query(self, text: str, variables: Mapping[str, Any] | None = None, **more: Any) -> httpx.Response:
        """Post one query."""
        return await self.post({"query": text, "variables": variables or {}}, **more)

    async def data(self, text: str, variables: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """Post one query that has no error; return its data."""
        answer = await self.query(text, variables, **more)
        assert answer.status_code == 200, answer.text
        assert "errors" not in answer.json(), answer.text
        return answer.json()["data"]
