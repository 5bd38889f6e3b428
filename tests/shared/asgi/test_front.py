"""The short way of hot routes, on real sockets: a client that leaves, asks twice, asks oddly, or never stops."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import httpx
from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import BaseModel
from structlog.testing import capture_logs

from shared.asgi.body import WholeBody
from shared.asgi.context import Context
from shared.asgi.defaults import install_defaults
from shared.asgi.lean import lean_routes
from shared.asgi.written import Written
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

    @router.post("/echo")
    async def echo(context: Context, body: Annotated[bytes, Depends(WholeBody(100_000))]) -> Written:
        context.state.seen.append("held" if context.body is not None else "read")
        return Written(body or b"nothing", 201, b"text/plain", (b"x-own", b"1"))

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


# Bodies


def post(body: bytes, *headers: bytes) -> bytes:
    lines = (b"POST /echo HTTP/1.1", b"host: t", b"content-length: %d" % len(body), *headers, b"", body)
    return b"\r\n".join(lines)


async def test_a_body_that_comes_with_its_head_takes_the_short_way() -> None:
    """The handler gets it whole; its answer is sent as it is."""
    made = app()
    async with running(made) as url:
        reader, writer = await connect(url, post(b"x"))
        for said, then in ((b"x", post(b"")), (b"nothing", post(b"yyy") + post(b"zzz")), (b"yyy", b""), (b"zzz", b"")):
            async with asyncio.timeout(PATIENCE_S):
                head, body = await reader.readuntil(b"\r\n\r\n"), await reader.readexactly(len(said))
            assert head.startswith(b"HTTP/1.1 201 Created\r\n")
            assert b"x-own: 1\r\n" in head
            assert b"content-type: text/plain\r\n" in head
            assert body == said
            writer.write(then)
        writer.close()

    assert made.state.seen[:3] == ["held", "held", "held"]


async def test_a_body_that_is_late_is_waited_for_the_other_way() -> None:
    """By the deadline; the connection serves the next request as ever."""
    made = app()
    async with running(made) as url:
        reader, writer = await connect(url, post(b"abcd")[:-2])
        await asyncio.sleep(0.005)
        writer.write(b"cd" + post(b"xyz"))
        async with asyncio.timeout(PATIENCE_S):
            first = await reader.readuntil(b"abcd")
            second = await reader.readuntil(b"xyz")
        writer.write(post(b"xyz", b"x-deadline-ms: 30")[:-1])
        async with asyncio.timeout(PATIENCE_S):
            third = await reader.readuntil(b"}")
        writer.close()

    assert first.startswith(b"HTTP/1.1 201 Created\r\n")
    assert second.startswith(b"HTTP/1.1 201 Created\r\n")
    assert third.startswith(b"HTTP/1.1 504 ")
    assert b'"code":"deadline_exceeded"' in third
    assert made.state.seen[0] == "read"


async def test_bodies_of_every_form_are_taken_alike() -> None:
    """Too large, in chunks, expected, of no length, with another method."""
    made = app()

    async def chunks() -> AsyncIterator[bytes]:
        yield b"in "
        yield b"chunks"

    async with running(made) as url, httpx.AsyncClient(base_url=url) as client:
        assert (await client.post("/echo", content=b"x" * 100_000)).status_code == 201
        assert (await client.post("/echo", content=b"x" * 100_001)).status_code == 413
        assert (await client.post("/echo", content=chunks())).content == b"in chunks"
        assert (await client.post("/echo", content=b"x", headers={"expect": "100-continue"})).content == b"x"
        assert (await client.get("/echo")).status_code == 405
        assert (await client.post("/hottest", content=b"x")).status_code == 405


async def test_a_broken_request_after_its_head_is_400_and_the_end() -> None:
    """What cannot be read is not served, by either way."""
    made = app()
    async with running(made) as url:
        reader, writer = await connect(url, post(b"ab") + b"nonsense\r\n\r\n")
        async with asyncio.timeout(PATIENCE_S):
            said = await reader.read()
        writer.close()

    assert said.count(b"HTTP/1.1 ") <= 2
    assert b"HTTP/1.1 400 " in said


async def test_while_it_drains_every_answer_is_the_last_of_its_connection() -> None:
    """Whichever way it went: a peer that is told does not send into the close that follows (field case O1)."""
    made = app()
    async with running(made) as url, httpx.AsyncClient(base_url=url) as client:
        before = [await client.get("/hottest", headers={"x-text": "a"}), await client.post("/hot", content=b"abc")]
        made.state.drain.started = True
        after = [await client.get("/hottest", headers={"x-text": "a"}), await client.post("/hot", content=b"abc")]
    assert [one.headers.get("connection") for one in before] == [None, None]
    assert [one.headers.get("connection") for one in after] == ["close", "close"]
    assert [one.text for one in after] == [one.text for one in before]
