"""A backend on a real loopback socket that does as it is told, byte by byte, and notes what it saw.

async with RawBackend(answers(OK, http(status="503 Busy"))) as backend:   # one answer a request; the last one repeats
    outcome = await ask(WirePool("raw", backend.url, PoolPolicy(), LoopClock()))
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from shared.backends.channel import OutboundRequest, Reply, field_lines
from shared.errors import CallFailed

PATIENCE_S = 5.0  # bound of every wait: only ever reached by a failing test


def http(body: bytes = b"[]", *headers: str, status: str = "200 OK") -> bytes:
    """Return a framed answer."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "content-type: application/json", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


OK = http()


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition, with a bound."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - the condition may be the kernel's, which sets no event
                await asyncio.sleep(0.002)
    except TimeoutError:
        raise AssertionError(f"still not: {what}") from None


class Line:
    """One accepted connection, as a script sees it."""

    def __init__(self, backend: "RawBackend", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.backend = backend
        self._reader = reader
        self._writer = writer

    async def request(self) -> bytes | None:
        """Return the next request, head and body; None once the client has closed."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        framing = {name: value for name, value in _fields(head) if name in {"content-length", "transfer-encoding"}}
        if framing.get("transfer-encoding") == "chunked":
            body = b"".join([part async for part in self.chunks()])
        else:
            body = await self._reader.readexactly(int(framing.get("content-length", 0)))
        request = head + body
        self.backend.requests.append(request)
        return request

    async def head(self) -> bytes:
        """Return the head of the next request, and leave its body."""
        return await self._reader.readuntil(b"\r\n\r\n")

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the chunks of a request's body, as they were cut."""
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            yield await self._reader.readexactly(size)
            assert await self._reader.readexactly(2) == b"\r\n"
        assert await self._reader.readexactly(2) == b"\r\n"

    async def some(self) -> bytes:
        """Return whatever comes next."""
        return await self._reader.read(65536)

    async def write(self, data: bytes) -> None:
        if self._writer.is_closing():
            return  # the client has gone; uvloop would make an error of it
        with suppress(ConnectionError):
            self._writer.write(data)
            await self._writer.drain()

    @property
    def open(self) -> bool:
        """Whether the client is still there, as far as is known."""
        return not self._writer.transport.is_closing()

    def reset(self) -> None:
        """Close with a RST."""
        sock: socket.socket = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def cut(self) -> None:
        """End the TCP connection below TLS, in order, as who can reach the line but not speak for the backend."""
        self._writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the client has closed."""
        with suppress(ConnectionError):
            while await self._reader.read(65536):
                pass


def _fields(head: bytes) -> list[tuple[str, str]]:
    parts = (line.partition(b":") for line in head.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:])
    return [(name.decode().lower(), value.strip().decode()) for name, _, value in parts]


def fields_of(request: bytes) -> dict[str, str]:
    """Return the headers of a noted request; a repeated one would be a bug."""
    pairs = _fields(request)
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


Script = Callable[[Line], Awaitable[None]]


def answers(*raw: bytes) -> Script:
    """Answer each request on any connection with the next of ``raw``; keep the connection until the client goes."""

    async def script(line: Line) -> None:
        while await line.request() is not None:
            await line.write(raw[min(len(line.backend.requests), len(raw)) - 1])

    return script


def then_close(raw: bytes) -> Script:
    """Answer one request, then close in order."""

    async def script(line: Line) -> None:
        await line.request()
        await line.write(raw)

    return script


def then_reset(raw: bytes) -> Script:
    """Write this much of an answer, then RST."""

    async def script(line: Line) -> None:
        await line.request()
        await line.write(raw)
        await asyncio.sleep(0.01)  # so that the bytes arrive before the reset that would discard them
        line.reset()

    return script


async def never_answers(line: Line) -> None:
    """Read the request, say nothing, until the client goes."""
    await line.request()
    await line.gone()


async def hangs_up(line: Line) -> None:
    """Accept and close at once."""


class RawBackend:
    """The server. ``requests`` are raw; ``accepted`` counts connections, ``open`` those still there.

    With ``tls`` it speaks TLS; ``host`` is what its URL calls it, and ``path`` is where it listens instead of a port.
    """

    def __init__(
        self, script: Script, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0,
        bind: str = "127.0.0.1", path: Path | None = None,
    ) -> None:  # fmt: skip
        self.script = script
        self._tls = tls
        self._host = host
        self._bind = bind
        self._path = path
        self.requests: list[bytes] = []
        self.accepted = 0
        self.open = 0
        self.port = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        if self._path is not None:
            return f"unix://{self._path}"
        return f"{'http' if self._tls is None else 'https'}://{self._host}:{self.port}"

    async def __aenter__(self) -> Self:
        if self._path is not None:
            self._server = await asyncio.start_unix_server(self._serve, self._path)
        else:
            self._server = await asyncio.start_server(self._serve, self._bind, self.port, backlog=1024, ssl=self._tls)
            self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        self.open += 1
        try:
            await self.script(Line(self, reader, writer))
        except asyncio.CancelledError:
            pass  # the test is over; asyncio's own callback would report it
        finally:
            self.open -= 1
            writer.close()
            self._tasks.discard(task)


class Inbox:
    """A receiver that can be awaited; notes every call, so that a second one shows."""

    def __init__(self) -> None:
        self.heard: list[Reply | CallFailed] = []
        self.told = asyncio.Event()

    def replied(self, reply: Reply) -> None:
        self.heard.append(reply)
        self.told.set()

    def broke(self, error: CallFailed) -> None:
        self.heard.append(error)
        self.told.set()

    async def outcome(self) -> Reply | CallFailed:
        """Return what was heard, reply or error, within bounds."""
        async with asyncio.timeout(PATIENCE_S):
            await self.told.wait()
        return self.heard[0]


def request(method: str = "GET", target: str = "/x", body: bytes = b"", **fields: Any) -> OutboundRequest:
    """Return a request with everything but what a test is about filled in."""
    idempotent = method in {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}
    lines = field_lines(fields.pop("headers", (("accept", "application/json"),)))
    return OutboundRequest(method, target, lines, body, idempotent, fields.pop("max_body_bytes", 1 << 20), **fields)


async def ask(channel: Any, sent: OutboundRequest | None = None) -> Reply | CallFailed:
    """Send one request and return what came of it."""
    inbox = Inbox()
    channel.send(sent or request(), inbox)
    return await inbox.outcome()
