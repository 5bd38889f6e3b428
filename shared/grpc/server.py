"""Listens, and goes away in order: no call that reached us is lost."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Final

from shared.grpc.calls import Handler
from shared.grpc.connection import Connection

# Each worker of each edge has one or two; this many are no fleet of edges.
MAX_CONNECTIONS: Final = 2_000


class GrpcServer:
    """Serves unary calls by path, e.g. ``/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit``."""

    def __init__(self, handlers: Mapping[bytes, Handler]) -> None:
        self._handlers = handlers
        self._live: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._emptied = asyncio.Event()

    @property
    def connections(self) -> int:
        """How many peers are connected."""
        return len(self._live)

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port, which is a free one where 0 was asked for."""
        self._server = await asyncio.get_running_loop().create_server(self._accept, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self, grace_s: float) -> None:
        """Tell every peer to open no more calls, answer what is here within the grace, then end what is left."""
        if self._server is not None:
            self._server.close()
        for connection in self._live:
            connection.leave()
        if self._live:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), grace_s)
        for connection in self._live:
            connection.abort()

    def _accept(self) -> asyncio.Protocol:
        if len(self._live) >= MAX_CONNECTIONS:
            return _Refusal()
        connection = Connection(self._handlers, self._gone)
        self._live.add(connection)
        return connection

    def _gone(self, connection: Connection) -> None:
        self._live.discard(connection)
        if not self._live:
            self._emptied.set()


class _Refusal(asyncio.Protocol):
    """For a peer too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
