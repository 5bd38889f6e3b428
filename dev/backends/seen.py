"""What a sample backend saw, for tests to ask: the last calls, those in flight, those whose client left."""

import asyncio
from collections import deque
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.asgi.context import header

# A screenful of dashboards; a load test must not fill the memory.
KEPT: Final = 200


class Seen:
    """The record; calls of ``/api/`` alone count."""

    def __init__(self) -> None:
        self.calls: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.in_flight = 0
        self.disconnects = 0

    def note(self, scope: Scope) -> None:
        """Note one call. Whether it carried a credential, never which."""
        self.calls.append(
            {
                "method": scope["method"],
                "path": scope["path"],
                "query": scope["query_string"].decode("latin-1"),
                "traceparent": header(scope, b"traceparent"),
                "x-deadline-ms": header(scope, b"x-deadline-ms"),
                "authorization": any(name == b"authorization" for name, _ in scope["headers"]),
            }
        )


class SeenMiddleware:
    """Keeps the record, outside of the faults: a call that never gets an answer is seen, too."""

    def __init__(self, app: ASGIApp, seen: Seen) -> None:
        self._app = app
        self._seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note the call and how it ended."""
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        self._seen.note(scope)
        self._seen.in_flight += 1
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            self._seen.disconnects += 1
            raise
        finally:
            self._seen.in_flight -= 1


def seen_router(seen: Seen) -> APIRouter:
    """Return ``/__seen``: GET reads, DELETE forgets."""
    router = APIRouter(include_in_schema=False)

    @router.get("/__seen")
    async def read_seen() -> dict[str, Any]:
        """Say what was seen, oldest first."""
        return {"calls": list(seen.calls), "inFlight": seen.in_flight, "disconnects": seen.disconnects}

    @router.delete("/__seen", status_code=HTTPStatus.NO_CONTENT)
    async def forget_seen() -> None:
        """Forget it; calls in flight stay in flight."""
        seen.calls.clear()
        seen.disconnects = 0

    return router
