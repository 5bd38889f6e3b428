"""The client leaves: its request is cancelled, counted as 499, and nothing else is disturbed. Real sockets."""

import asyncio
import socket
from urllib.parse import urlsplit

import httpx
import pytest
from structlog.testing import capture_logs

from tests.shared.asgi.service import client_of, make_app, running, until


async def connect(url: str, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request)
    await writer.drain()
    return reader, writer


REQUESTS = {
    "GET": b"GET /late HTTP/1.1\r\nhost: t\r\n\r\n",
    "GET that says it has no body": b"GET /late HTTP/1.1\r\nhost: t\r\ncontent-length: 0\r\n\r\n",
    "POST without a body": b"POST /late HTTP/1.1\r\nhost: t\r\ncontent-length: 0\r\n\r\n",
}


@pytest.mark.parametrize("raw", REQUESTS.values(), ids=REQUESTS.keys())
async def test_a_handler_whose_client_leaves_is_cancelled(raw: bytes) -> None:
    """Within moments; counted as 499, no error, no traceback."""
    app = make_app()
    with capture_logs() as logs:
        async with running(app) as url:
            _, writer = await connect(url, raw)
            await until(lambda: app.state.entered == 1, "the handler runs")
            writer.close()
            await until(lambda: app.state.cancelled == 1, "the handler is cancelled")
            await until(lambda: bool(logs), "the request is logged")
            scraped = app.state.metrics.scrape().decode()

    assert [(one["event"], one["status"], one["log_level"]) for one in logs] == [("request", 499, "info")]
    assert 'status="499"} 1.0' in scraped
    assert 'status="500"' not in scraped


@pytest.mark.parametrize("path", ["/orders", "/raw"], ids=["FastAPI reads it", "the handler reads it"])
async def test_a_client_that_leaves_while_it_sends_is_no_error(path: str) -> None:
    """Half a body is not a bad request and not our fault: 499, no traceback."""
    app = make_app()
    head = f"POST {path} HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n"
    with capture_logs() as logs:
        async with running(app) as url:
            _, writer = await connect(url, head.encode() + b'{"amount"')
            await asyncio.sleep(0.05)
            writer.close()
            await until(lambda: bool(logs), "the request is logged")

    assert [(one["event"], one["status"]) for one in logs] == [("request", 499)]


async def test_a_body_that_comes_slowly_is_read_whole() -> None:
    """The watch on the connection never eats what belongs to the app."""
    app = make_app()
    async with running(app) as url:
        reader, writer = await connect(url, b"POST /raw HTTP/1.1\r\nhost: t\r\ncontent-length: 10\r\n\r\n")
        for _ in range(5):
            await asyncio.sleep(0.02)
            writer.write(b"ab")
        answer = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(2)
        writer.close()

    assert answer.startswith(b"HTTP/1.1 200")
    assert body == b"10"


async def test_the_next_request_on_the_connection_is_not_disturbed() -> None:
    """A watch ends with its answer: slow and fast ones, one after another over one connection."""
    app = make_app()
    async with running(app) as url, httpx.AsyncClient() as client:
        for _ in range(3):
            assert (await client.post(f"{url}/raw", content=b"abc")).json() == 3
            assert (await client.get(f"{url}/ok")).status_code == 200

    assert app.state.cancelled == 0


async def test_the_end_of_our_own_answer_is_not_the_clients_leaving() -> None:
    """A server reports both as a disconnect: status stays what was answered."""
    app = make_app()
    with capture_logs() as logs:
        async with running(app) as url, httpx.AsyncClient() as client:
            for _ in range(20):
                await client.post(f"{url}/raw", content=b"abc", headers={"connection": "close"})

    assert {one["status"] for one in logs} == {200}


async def test_a_cancellation_from_elsewhere_passes() -> None:
    """Only the client's leaving is swallowed: a server that stops ends its requests as it means to."""
    app = make_app()
    async with client_of(app) as client:
        asking = asyncio.ensure_future(client.get("/late"))
        await until(lambda: app.state.entered == 1, "the handler runs")

        asking.cancel()

        with pytest.raises(asyncio.CancelledError):
            await asking
    assert app.state.cancelled == 1


async def test_a_client_that_resets_is_a_client_that_left() -> None:
    """RST or FIN, all the same."""
    app = make_app()
    async with running(app) as url:
        parts = urlsplit(url)
        raw = socket.create_connection((parts.hostname, parts.port))
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        raw.sendall(REQUESTS["GET"])
        await until(lambda: app.state.entered == 1, "the handler runs")
        raw.close()

        await until(lambda: app.state.cancelled == 1, "the handler is cancelled")
