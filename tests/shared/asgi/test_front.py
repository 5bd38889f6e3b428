"""The short way of hot routes, on real sockets: a client that leaves, asks twice, asks oddly, or never stops."""

import asyncio

import httpx
from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel
from structlog.testing import capture_logs

from shared.asgi.context import Context
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
    async def late(context: Context) -> Answer:
        context.state.seen.append("entered")
        try:
            await asyncio.sleep(PATIENCE_S)
        except asyncio.CancelledError:
            context.state.seen.append("cancelled")
            raise
        return Answer(text="too late")

    @router.get("/gated")
    async def gated(context: Context) -> Answer:
        context.state.seen.append("entered")
        await context.state.gate.wait()
        return Answer(text="late, but there")

    @router.get("/hottest")
    async def hottest(context: Context) -> Answer:
        await asyncio.sleep(0.001)
        return Answer(text=context.header(b"x-text") or "")

    @router.get("/hot")
    @router.post("/hot")
    async def hot(request: Request) -> Answer:
        return Answer(text=f"{request.method} {len(await request.body())} bytes")

    made = FastAPI()
    made.state.seen, made.state.gate = [], asyncio.Event()
    made.include_router(router)
    lean = lean_routes(router).laid
    install_defaults(made, ServiceSettings(listen="127.0.0.1:1"), service="t", lean=lean)
    return made


async def test_a_hot_handler_whose_client_leaves_is_cancelled() -> None:
    """Within moments; counted as 499, no error."""
    made = app()
    with capture_logs() as logs:
        async with running(made) as url:
            _, writer = await connect(url, b"GET /late HTTP/1.1\r\nhost: t\r\n\r\n")
            await until(lambda: made.state.seen == ["entered"], "the handler runs")
            writer.close()
            await until(lambda: made.state.seen == ["entered", "cancelled"], "the handler is cancelled")
            await until(lambda: bool(logs), "the request is logged")

    assert [(one["event"], one["status"], one["route"]) for one in logs] == [("request", 499, "/late")]


async def test_a_connection_is_used_again_whatever_was_asked_before() -> None:
    """Bodies, hot and other routes, in turn on one connection."""
    made = app()
    async with running(made) as url, httpx.AsyncClient(base_url=url) as client:
        answers = [
            (await client.get("/hot")).json(),
            (await client.post("/hot", content=b"x" * 200_000)).json(),
            (await client.get("/version")).json(),
            (await client.get("/hottest", headers={"x-text": "A"})).json(),
            (await client.get("/hottest", headers={"x-text": "B"})).json(),
            (await client.get("/hot?a=b")).json(),
        ]

    assert answers == [
        {"text": "GET 0 bytes"}, {"text": "POST 200000 bytes"}, {"service": "t", "version": "0.1.0"},
        {"text": "A"}, {"text": "B"},
        {"text": "GET 0 bytes"},
    ]  # fmt: skip


async def test_pipelined_requests_are_answered_in_order() -> None:
    """Also those that close the connection, and by HTTP/1.0's rules."""
    made = app()
    async with running(made) as url:
        reader, writer = await connect(
            url, b"GET /hottest HTTP/1.1\r\nhost: t\r\n\r\nGET /version HTTP/1.1\r\nhost: t\r\n\r\n"
            b"GET /hottest HTTP/1.1\r\nhost: t\r\nx-text: second\r\n\r\n"
            b"GET /hot HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n",
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE_S):
            said = await reader.read()
        writer.close()

    heads = [part for part in said.split(b"\r\n") if part.endswith(b"HTTP/1.1 200 OK") or part == b"connection: close"]
    assert len(heads) == 5
    assert said.rstrip().endswith(b'{"text":"GET 0 bytes"}')
    assert b"connection: close" in said


async def test_http_1_0_gets_its_answer_and_the_end() -> None:
    """The connection closes after it."""
    made = app()
    async with running(made) as url:
        reader, writer = await connect(url, b"GET /hot HTTP/1.0\r\nhost: t\r\n\r\n")
        async with asyncio.timeout(PATIENCE_S):
            said = await reader.read()
        writer.close()

    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"connection: close\r\n" in said


async def test_a_request_in_pieces_takes_the_same_way() -> None:
    """However the network cut it."""
    made = app()
    async with running(made) as url:
        reader, writer = await connect(url, b"GE")
        for piece in (b"T /hott", b"est HTTP/1.1\r\nhost: t\r\nx-te", b"xt: whole\r\n", b"\r", b"\n"):
            await asyncio.sleep(0.002)
            writer.write(piece)
        async with asyncio.timeout(PATIENCE_S):
            said = await reader.readuntil(b"}")
        writer.close()

    assert said.endswith(b'{"text":"whole"}')


async def test_two_headers_of_a_kind_count_as_none() -> None:
    """A proxy and we might each believe another one of them."""
    made = app()
    async with running(made) as url:
        reader, writer = await connect(url, b"GET /hottest HTTP/1.1\r\nx-text: a\r\nhost: t\r\nX-Text: b\r\n\r\n")
        async with asyncio.timeout(PATIENCE_S):
            said = await reader.readuntil(b"}")
        writer.close()

    assert said.endswith(b'{"text":""}')


async def test_garbage_after_a_hot_request_costs_the_connection_and_nothing_else() -> None:
    """The answer, if it is out already; then 400 and the end."""
    made = app()
    async with running(made) as url, httpx.AsyncClient(base_url=url) as client:
        reader, writer = await connect(url, b"GET /hottest HTTP/1.1\r\nhost: t\r\n\r\n\x00\x01 garbage\r\n\r\n")
        async with asyncio.timeout(PATIENCE_S):
            said = await reader.read()
        writer.close()

        assert b"HTTP/1.1 400 " in said
        assert (await client.get("/hottest", headers={"x-text": "well"})).json() == {"text": "well"}


async def test_a_stop_lets_a_hot_answer_out_and_closes_behind_it() -> None:
    """The client is told not to come back over this connection."""
    made = app()
    async with running(made) as url:
        reader, writer = await connect(url, b"GET /gated HTTP/1.1\r\nhost: t\r\n\r\n")
        await until(lambda: made.state.seen == ["entered"], "the handler runs")
        asyncio.get_running_loop().call_later(0.3, made.state.gate.set)  # uvicorn looks ten times a second
    async with asyncio.timeout(PATIENCE_S):
        said = await reader.read()
    writer.close()

    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"connection: close\r\n" in said
    assert said.endswith(b'{"text":"late, but there"}')
