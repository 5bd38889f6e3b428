"""A small service with the defaults installed, in the test's own process, and ways to call it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
import uvicorn
from fastapi import Body, FastAPI, Request
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response, StreamingResponse

from shared.asgi.context import context_of
from shared.asgi.defaults import install_defaults
from shared.asgi.server_protocol import ServerProtocol
from shared.errors import BackendUnreachable, ProblemCode, ProblemError
from shared.settings import ServiceSettings

PATIENCE_S = 5.0  # bound of every wait: only ever reached by a failing test
SECRET = "postgres://ada:hunter2@db.internal/users"


class Order(BaseModel):
    amount: int


def make_app(checks: dict[str, Callable[[], bool]] | None = None, **settings: Any) -> FastAPI:  # noqa: C901 - one handler a case
    """Return an app with a route for each way to answer; ``app.state`` counts handlers entered and cancelled."""
    app = FastAPI(redirect_slashes=False)
    app.state.cancelled = 0
    app.state.entered = 0

    @app.get("/ok")
    async def ok(request: Request) -> Response:
        context = context_of(request.scope)
        left_s = context.deadline.remaining_s(request.app.state.clock.now_s())
        return JSONResponse({"left_ms": left_s * 1000, "ledger_ms": context.ledger.deadline_ms})

    @app.get("/items/{item_id}")
    async def item(item_id: int) -> Response:
        raise ProblemError(ProblemCode.NOT_FOUND, f"There is no item {item_id}.")

    @app.get("/boom")
    async def boom() -> Response:
        raise RuntimeError(SECRET)

    @app.get("/call")
    async def call() -> Response:
        raise BackendUnreachable("orders", SECRET)

    @app.get("/http/{status}")
    async def http_error(status: int, header: str = "") -> Response:
        raise HTTPException(status, SECRET, {"X-Own": header} if header else None)

    @app.get("/degraded")
    async def degraded(request: Request) -> Response:
        context_of(request.scope).ledger.degraded = "offers:timeout:none"
        return JSONResponse({}, headers={"Cache-Control": "public, max-age=60"})

    @app.get("/typed")
    async def typed(limit: int) -> Response:
        return JSONResponse(limit)

    @app.post("/orders")
    async def orders(order: Annotated[Order, Body()]) -> Response:
        return JSONResponse(order.amount)

    @app.post("/raw")
    async def raw(request: Request) -> Response:
        body = await request.body()
        await asyncio.sleep(0.05)
        return JSONResponse(len(body))

    @app.get("/late")
    @app.post("/late", operation_id="late_post")
    async def late(request: Request) -> Response:
        request.app.state.entered += 1
        try:
            await asyncio.sleep(PATIENCE_S)
        except asyncio.CancelledError:
            request.app.state.cancelled += 1
            raise
        return JSONResponse("too late")

    @app.get("/half")
    async def half() -> Response:
        async def parts() -> AsyncIterator[bytes]:
            yield b"half an answer"
            raise RuntimeError(SECRET)

        return StreamingResponse(parts())

    install_defaults(app, ServiceSettings(listen="127.0.0.1:0", **settings), service="small", checks=checks)
    return app


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Call the app without a socket, within its lifespan."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        yield client


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[str]:
    """Serve the app with uvicorn on a free loopback port, as ``serve`` configures it; yield its URL."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, http=ServerProtocol, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve([sock]))  # not serve(): signals stay pytest's
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not server.started:  # noqa: ASYNC110 - uvicorn sets a flag, not an event
                await asyncio.sleep(0.005)
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        sock.close()


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition, with a bound."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - conditions are plain state
                await asyncio.sleep(0.002)
    except TimeoutError:
        raise AssertionError(f"still not: {what}") from None
