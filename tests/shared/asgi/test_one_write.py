"""An answer that is whole leaves in one piece, whoever gives it; one that is not leaves as it comes."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from uvicorn.server import ServerState

from shared.asgi.drain import Drain
from shared.asgi.server_protocol import ServerProtocol

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]}


class Written(asyncio.Transport):
    """A connection that notes each write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


async def asked(app: Any, transport: Written, head: bytes = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n") -> None:
    """Let our protocol read a request and the app, which has no hot route, answer it."""
    whole = FastAPI()
    whole.state.front, whole.state.drain = SimpleNamespace(find=lambda *_: None), Drain(timedelta(0))
    config = uvicorn.Config(whole, http=ServerProtocol, log_config=None, lifespan="off")
    config.load()
    state = ServerState()
    protocol = ServerProtocol(config=config, server_state=state, app_state={})
    protocol.app = app
    protocol.connection_made(transport)
    protocol.data_received(head)
    await asyncio.gather(*state.tasks)
    await asyncio.sleep(0)
    if protocol.timeout_keep_alive_task is not None:
        protocol.timeout_keep_alive_task.cancel()


@pytest.mark.parametrize("connection", [b"", b"connection: close\r\n"], ids=["kept", "closed"])
async def test_head_and_body_leave_together(connection: bytes) -> None:
    """One write, also when the connection ends with it: nothing can come between the two."""

    async def app(scope, receive, send) -> None:
        await send(START)
        await send({"type": "http.response.body", "body": b"whol"})

    transport = Written()
    await asked(app, transport, b"GET / HTTP/1.1\r\nhost: x\r\n" + connection + b"\r\n")

    (whole,) = transport.writes
    assert whole.startswith(b"HTTP/1.1 200 OK\r\n")
    assert whole.endswith(b"\r\n\r\nwhol")
    assert transport.closed is bool(connection)


async def test_what_comes_piece_by_piece_leaves_piece_by_piece() -> None:
    """A stream does not wait for its next part: its head is on the way as soon as the app waits for anything."""
    transport, seen = Written(), []

    async def app(scope, receive, send) -> None:
        await send(START)
        await asyncio.sleep(0)
        seen.append(len(transport.writes))
        await send({"type": "http.response.body", "body": b"wh", "more_body": True})
        await asyncio.sleep(0)
        seen.append(len(transport.writes))
        await send({"type": "http.response.body", "body": b"ol"})

    await asked(app, transport)

    assert seen == [1, 2]
    assert b"".join(transport.writes).endswith(b"\r\n\r\nwhol")
