"""A loop whose connections end in this process: no kernel, no waiting, the same code on our side of the transport.

The test is the backend. It sees what was written to each ``Pipe``, feeds it what it likes, and closes or resets it. How
a client connects is its own business: by host, or with a socket it has connected itself.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Final

# Any chain of callbacks here is shorter by far.
MOST_TURNS: Final = 500


class Pipe(asyncio.Transport):
    """One connection. ``sent`` is what the client wrote, ``closed`` whether it may write no more."""

    def __init__(self, loop: "MemoryLoop", number: int) -> None:
        super().__init__()
        self._loop = loop
        self.number = number
        self.sent: list[bytes] = []
        self.closed = False
        self.on_sent: Callable[[Pipe, bytes], None] = lambda *_: None
        self.protocol: Any = None

    # The client's side: asyncio.Transport

    def write(self, data: Any) -> None:
        assert not self.closed, "written to a closed connection"
        self.sent.append(bytes(data))
        self.on_sent(self, bytes(data))

    def close(self) -> None:
        self._end(None)

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def get_protocol(self) -> Any:
        return self.protocol

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        # A socket may be looked at for what has come and was not read; here, everything is read at once.
        return self._loop.quiet_socket if name == "socket" else default

    # The backend's side

    def feed(self, data: bytes) -> None:
        """Let bytes arrive; those for a closed connection arrive nowhere."""
        if not self.closed and data:
            self.protocol.data_received(data)

    def hang_up(self) -> None:
        """Close in order."""
        if not self.closed:
            self.protocol.eof_received()
            self._end(None)

    def reset(self) -> None:
        self._end(ConnectionResetError())

    def _end(self, error: Exception | None) -> None:
        if not self.closed:
            self.closed = True
            self._loop.call_soon(self.protocol.connection_lost, error)


class MemoryLoop(asyncio.SelectorEventLoop):
    """Connects at once, unless ``admit`` says otherwise; notes every pipe, and every error that nobody caught."""

    def __init__(self) -> None:
        super().__init__()
        self._ready: Any  # asyncio's own: what runs in this turn or the next
        self.pipes: list[Pipe] = []
        self.on_connected: Callable[[Pipe], None] = lambda _: None
        self.admit: Callable[[], asyncio.Future[None] | None] = lambda: None
        self.errors: list[dict[str, Any]] = []
        self.set_exception_handler(lambda _, context: self.errors.append(context))
        self.quiet_socket, self._other_end = socket.socketpair()

    def close(self) -> None:
        super().close()
        self.quiet_socket.close()
        self._other_end.close()

    async def quiet(self) -> None:
        """Return when nothing is left to run. There is no network: what will happen, happens at once."""
        for _ in range(MOST_TURNS):
            await asyncio.sleep(0)
            if not self._ready:
                return
        raise AssertionError("it never comes to rest")

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        await self._admitted()

    async def create_connection(self, protocol_factory: Any, *args: Any, **rest: Any) -> Any:  # type: ignore[override]  # as much of it as a client needs
        sock = rest.get("sock")
        if sock is None:
            await self._admitted()
        else:
            sock.close()
        pipe = Pipe(self, len(self.pipes))
        pipe.protocol = protocol_factory()
        self.pipes.append(pipe)
        pipe.protocol.connection_made(pipe)
        self.on_connected(pipe)
        return pipe, pipe.protocol

    async def _admitted(self) -> None:
        if (held := self.admit()) is not None:
            await held
