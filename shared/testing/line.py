"""One connection to a scripted backend, and one request as it was seen there.

Owns the bytes of HTTP/1.1 on the backend's side. What is answered is ``faults.py``'s business.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from httptools import HttpRequestParser

from shared.clock import Clock
from shared.resilience.deadline import HEADER
from shared.testing.clock import settle

# With a linger time of 0, closing sends a RST.
ABORTIVE: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request, as its backend saw it. ``call`` is the template that it fits, or its target when none was declared.

    ``headers`` have lower-case names and keep their order.
    """

    backend: str
    call: str
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the value of that (lower-case) name; a header that came twice is an ``AssertionError``."""
        values = [value for key, value in self.headers if key == name]
        if len(values) > 1:
            raise AssertionError(f"{self.backend} got {name!r} {len(values)} times: {values}")
        return values[0] if values else None

    @property
    def time_left(self) -> timedelta | None:
        """What the caller said that it still had, or None if it said nothing."""
        told = self.header(HEADER)
        return None if told is None else timedelta(milliseconds=int(told))


class Request:
    """A request while it is read."""

    def __init__(self) -> None:
        self.method = ""
        self.target = b""
        self.headers: list[tuple[str, str]] = []
        self.body = b""


class Owner(Protocol):
    """What a line tells about itself."""

    clock: Clock

    def came(self, line: "Line") -> None:
        """Note that it is open."""

    def went(self, line: "Line", *, unanswered: bool) -> None:
        """Note that it is closed; ``unanswered``: by its caller, who was waiting for an answer."""


class Line(asyncio.Protocol):
    """A connection. ``play`` is called for each request, one after the other, and cancelled when the caller leaves."""

    def __init__(self, owner: Owner, play: "Callable[[Line, Request], Awaitable[None]]") -> None:
        self._owner = owner
        self._play = play
        self._parser = HttpRequestParser(self)
        self._request = Request()
        self._waiting: deque[Request] = deque()
        self._playing: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._gone = asyncio.Event()
        self._ended_here = False

    @property
    def busy(self) -> bool:
        """Whether a request waits for its answer."""
        return self._playing is not None and not self._playing.done()

    # What a fault may do

    def write(self, data: bytes) -> None:
        """Send bytes; to a caller that left, none."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    async def wait(self, seconds: float) -> None:
        """Let time pass, on the clock of the kit."""
        await self._owner.clock.sleep(seconds)

    async def caller_left(self) -> None:
        """Return when the caller has closed."""
        await self._gone.wait()

    def close(self) -> None:
        """Close in order, after what was written."""
        self._ended_here = True
        if self._transport is not None:
            self._transport.close()

    async def reset(self) -> None:
        """Close with a RST, after the caller has read what was written."""
        await settle()
        self.abort()

    def abort(self) -> None:
        """Close with a RST at once."""
        self._ended_here = True
        if self._transport is not None and not self._transport.is_closing():
            sock: socket.socket = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORTIVE)
            self._transport.abort()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream has no other
        self._transport = transport
        self._owner.came(self)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._parser.feed_data(data)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """End what is played for nobody."""
        self._gone.set()
        unanswered = self.busy and not self._ended_here
        if self._playing is not None:
            self._playing.cancel()
        self._owner.went(self, unanswered=unanswered)

    # What the parser calls

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._request = Request()

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        self._request.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._request.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._request.body += body

    def on_message_complete(self) -> None:
        """Play it, or let it wait for its turn."""
        self._request.method = self._parser.get_method().decode("ascii")
        self._waiting.append(self._request)
        if not self.busy:
            self._playing = asyncio.get_running_loop().create_task(self._play_waiting())

    async def _play_waiting(self) -> None:
        while self._waiting:
            await self._play(self, self._waiting.popleft())
