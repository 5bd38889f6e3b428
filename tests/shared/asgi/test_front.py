"""The front before the app, on real sockets: a client that leaves, a client that asks twice."""

import asyncio

import httpx
from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel
from structlog.testing import capture_logs

from shared.asgi.defaults import install_defaults
from shared.asgi.lean import lean_routes
from shared.settings import ServiceSettings
from tests.shared.asgi.service import PATIENCE_S, running, until
from tests.shared.asgi.test_disconnect import connect


class Answer(BaseModel):
    text: str


def app() -> FastAPI:
    router = APIRouter()

    @router.get("/late")
    async def late(request: Request) -> Answer:
        request.app.state.seen.append("entered")
        try:
            await asyncio.sleep(PATIENCE_S)
        except asyncio.CancelledError:
            request.app.state.seen.append("cancelled")
            raise
        return Answer(text="too late")

    @router.get("/hot")
    @router.post("/hot")
    async def hot(request: Request) -> Answer:
        return Answer(text=f"{request.method} {len(await request.body())} bytes")

    made = FastAPI()
    made.state.seen = []
    made.include_router(router)
    lean = lean_routes(router).laid
    install_defaults(made, ServiceSettings(listen="127.0.0.1:1"), service="t", lean=lean)
    return made


async def test_a_hot_handler_whose_client_leaves_is_cancelled() -> None:
    """Within moments; counted as 499, no error."""
    made = app()
    with capture_logs() as logs:
        async with running(made.state.front) as url:
            _, writer = await connect(url, b"GET /late HTTP/1.1\r\nhost: t\r\n\r\n")
            await until(lambda: made.state.seen == ["entered"], "the handler runs")
            writer.close()
            await until(lambda: made.state.seen == ["entered", "cancelled"], "the handler is cancelled")
            await until(lambda: bool(logs), "the request is logged")

    assert [(one["event"], one["status"], one["route"]) for one in logs] == [("request", 499, "/late")]


async def test_a_connection_is_used_again_whatever_was_asked_before() -> None:
    """Bodies, hot and other routes, in turn on one connection."""
    made = app()
    async with running(made.state.front) as url, httpx.AsyncClient(base_url=url) as client:
        answers = [
            (await client.get("/hot")).json(),
            (await client.post("/hot", content=b"x" * 200_000)).json(),
            (await client.get("/version")).json(),
            (await client.get("/hot?a=b")).json(),
        ]

    assert answers == [
        {"text": "GET 0 bytes"}, {"text": "POST 200000 bytes"}, {"service": "t", "version": "0.1.0"},
        {"text": "GET 0 bytes"},
    ]  # fmt: skip


async def test_pipelined_requests_are_answered_in_order() -> None:
    """Also those that close the connection, and by HTTP/1.0's rules."""
    made = app()
    async with running(made.state.front) as url:
        reader, writer = await connect(
            url, b"GET /hot HTTP/1.1\r\nhost: t\r\n\r\nGET /version HTTP/1.1\r\nhost: t\r\n\r\n"
            b"GET /hot HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n",
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE_S):
            said = await reader.read()
        writer.close()

    heads = [part for part in said.split(b"\r\n") if part.endswith(b"HTTP/1.1 200 OK") or part == b"connection: close"]
    assert len(heads) == 4
    assert said.rstrip().endswith(b'{"text":"GET 0 bytes"}')
    assert b"connection: close" in said


async def test_http_1_0_gets_its_answer_and_the_end() -> None:
    """The connection closes after it."""
    made = app()
    async with running(made.state.front) as url:
        reader, writer = await connect(url, b"GET /hot HTTP/1.0\r\nhost: t\r\n\r\n")
        async with asyncio.timeout(PATIENCE_S):
            said = await reader.read()
        writer.close()

    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"connection: close\r\n" in said
