"""A TCP proxy between us and a server: it delays, goes silent, refuses, or speaks TLS, and counts connections."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator


class Proxy:
    """``delay_s`` is added to everything the server says; ``speaks.clear()`` keeps all of it back."""

    def __init__(self, to_port: int, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.to_port = to_port
        self.port = port
        self.delay_s = 0.0
        self.speaks = asyncio.Event()
        self.speaks.set()
        self.made = 0
        self.now_open = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"valkey://127.0.0.1:{self.port}"

    @property
    def listening(self) -> bool:
        return self._server is not None

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.made += 1
        self.now_open += 1
        try:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self.to_port)
            try:
                there = asyncio.create_task(self._carry(reader, to_writer, delayed=False))
                back = asyncio.create_task(self._carry(to_reader, writer, delayed=True))
                try:
                    await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    there.cancel()
                    back.cancel()
                    await asyncio.gather(there, back, return_exceptions=True)
            finally:
                to_writer.close()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self.now_open -= 1
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, delayed: bool) -> None:
        while data := await reader.read(65_536):
            if delayed and self.delay_s:
                await asyncio.sleep(self.delay_s)
            if delayed:
                await self.speaks.wait()
            writer.write(data)
            await writer.drain()


@contextlib.asynccontextmanager
async def proxied(to_port: int, port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[Proxy]:
    proxy = Proxy(to_port, port, tls)
    await proxy.listen()
    try:
        yield proxy
    finally:
        await proxy.refuse()
