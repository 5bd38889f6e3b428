"""A backend that speaks HTTP/2 on a real loopback socket and does as each path says."""

import asyncio
import ssl
from collections import Counter
from typing import Self

import h2.config
import h2.connection
import h2.events
from h2.errors import ErrorCodes

from shared.backends.channel import OutboundRequest


class H2Backend:
    """Answers ``/<name>`` with ``"<name>"``; some names do something else."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context
        self.seen: list[dict[str, str]] = []
        self.resets: Counter[str] = Counter()
        self.live: set[_Line] = set()
        self.accepted = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Line(self), "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for one in list(self.live):
            one.transport.abort()

    def url(self, host: str = "127.0.0.1") -> str:
        return f"{'https' if self._context else 'http'}://{host}:{self.port}"


class _Line(asyncio.Protocol):
    def __init__(self, backend: H2Backend) -> None:
        self._backend = backend
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        self._connection = h2.connection.H2Connection(config)
        self._paths: dict[int, str] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._backend.live.add(self)
        self._backend.accepted += 1
        self._connection.initiate_connection()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._backend.live.discard(self)

    def data_received(self, data: bytes) -> None:
        for event in self._connection.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                headers = dict(event.headers or [])
                self._backend.seen.append(headers)
                self._paths[event.stream_id] = headers[":path"]
            elif isinstance(event, h2.events.StreamEnded):
                self._answer(event.stream_id, self._paths[event.stream_id].strip("/"))
            elif isinstance(event, h2.events.StreamReset):
                self._backend.resets[self._paths.get(event.stream_id or 0, "")] += 1
        self._flush()

    def _answer(self, stream: int, name: str) -> None:
        if name == "silent":
            return
        if name == "reset":
            self._connection.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)
            return
        if name == "vanish":
            self.transport.abort()
            return
        status = "503" if name == "busy" else "204" if name == "nothing" else "200"
        self._connection.send_headers(stream, [(":status", status), ("x-name", name)], end_stream=status == "204")
        if status != "204":
            body = b"x" * 40_000 if name == "large" else f'"{name}"'.encode()
            for start in range(0, len(body), 16_000):
                self._connection.send_data(stream, body[start : start + 16_000])
            self._connection.end_stream(stream)
        if name == "last":
            self._connection.close_connection()

    def _flush(self) -> None:
        if out := self._connection.data_to_send():
            self.transport.write(out)


def asked(path: str, method: str = "GET", body: bytes = b"", limit: int = 30_000) -> OutboundRequest:
    """Return a request for that path."""
    return OutboundRequest(method, path, b"accept: application/json\r\n", body, method == "GET", limit)
