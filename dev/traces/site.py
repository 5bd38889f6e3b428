"""The page and the operator's routes: static files, and health, metrics, version.

The page is plain files, read as they are. Everything it shows came from other processes, so the policy on every
answer lets nothing run but our own module.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE: Final = Path(__file__).parent / "page"
HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    # The files have no version in their names; asking again costs a millisecond here.
    "cache-control": "no-cache",
}


def page_routes() -> list[BaseRoute]:
    """Return the page's routes: one document, which reads its address."""

    async def page(_request: Request) -> FileResponse:
        return FileResponse(PAGE / "index.html")

    paths = ("/", "/search", "/trace/{trace_id}")
    return [*(Route(path, page) for path in paths), Mount("/page", StaticFiles(directory=PAGE))]


def operator_routes(version: str, scrape: Callable[[], str]) -> list[BaseRoute]:
    """Return health, metrics and version."""

    async def live(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "live"})

    async def ready(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "ready", "failing": []})

    async def metrics(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(scrape(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def show_version(_request: Request) -> JSONResponse:
        return JSONResponse({"service": "traces", "version": version})

    return [
        Route("/health/live", live),
        Route("/health/ready", ready),
        Route("/metrics", metrics),
        Route("/version", show_version),
    ]


class SafeHeaders:
    """Puts ``HEADERS`` on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to what comes back."""

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, sealed)
