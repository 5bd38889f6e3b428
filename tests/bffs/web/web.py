"""The web BFF as a test drives it: the real app, a client that posts operations, and the usual queries."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from bffs.web.app import create_app
from bffs.web.backends import ALERTS, ORDERS, USERS
from bffs.web.settings import WebSettings
from shared.identity.principal import Principal
from shared.testing.clock import ManualClock
from shared.testing.scripted import Scripted, reply, scripted_backends
from tests.bffs.web.loopback import WHOLE
from tests.shared.identity.tokens_table import AUDIENCE, ISSUER

PATH = "/web/graphql"

DEGRADED = "degraded { section reason source ageSeconds retryAfterSeconds }"
DASHBOARD = f"""query {{ dashboard {{
  userId displayName tier
  recentOrders {{ id status amount currency placedAt }}
  alerts {{ id severity message createdAt }}
  aggregatedAt {DEGRADED}
}} }}"""
VIEWER = f"query {{ viewer {{ userId displayName tier {DEGRADED} }} }}"
BOTH = f"{{ dashboard {{ displayName alerts {{ id }} {DEGRADED} }} viewer {{ displayName }} }}"


class Web:
    """A client of one running app. ``clock`` is given when time is turned by hand."""

    def __init__(self, app: FastAPI, http: httpx.AsyncClient, clock: ManualClock | None = None) -> None:
        self.app = app
        self.http = http
        self._clock = clock

    async def post(self, body: Any, **more: Any) -> httpx.Response:
        """Post a body as JSON (``bytes`` as they are) and check what holds for every answer."""
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        sending = self.http.post(PATH, **content, **more)
        answer = await (self._clock.run(sending) if self._clock else sending)
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


def settings(url: str, **changes: Any) -> WebSettings:
    """Return settings with everything behind one URL, and changes."""
    good = {
        "listen": "127.0.0.1:1",
        "users_url": url,
        "orders_url": url,
        "alerts_url": url,
        "jwks_url": f"{url}/jwks",
        "issuer": ISSUER,
        "audience": AUDIENCE,
    }
    return WebSettings(**{**good, **changes})


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Start an app without a socket of its own."""
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://web.test") as http,
    ):
        yield http


class Known:
    """A verifier that was asked a moment ago."""

    user = Principal("u-1", "web-app", frozenset({"dashboard"}), float("inf"), "token")

    def cached(self, token: str) -> Principal:
        """Know everybody."""
        return self.user


@asynccontextmanager
async def scripted(**channels: Scripted) -> AsyncIterator[Web]:
    """Run the app on scripts and on a clock turned by hand; backends that are not named answer well."""
    clock = ManualClock()
    good = {name: Scripted(reply(body)) for name, body in WHOLE.items()}
    play = {**good, **channels}
    app = create_app(settings("http://nowhere.test"), clock)
    async with running(app) as http:
        app.state.backends = scripted_backends(
            clock, {USERS: play["users"], ORDERS: play["orders"], ALERTS: play["alerts"]}
        )
        app.state.verifier = Known()
        http.headers["authorization"] = "Bearer token"
        yield Web(app, http, clock)
