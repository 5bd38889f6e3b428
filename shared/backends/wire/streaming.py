"""Bodies that flow: requests written and answers read part by part, with backpressure both ways.

Owns the live side of one such exchange and the connection that carries it. Declared calls know nothing of this: their
bodies are small and whole (``connection.py``).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from shared.backends.channel import Reply
from shared.backends.wire.connection import Connection
from shared.backends.wire.message import Head, WireReply
from shared.backends.wire.reading import Reading
from shared.errors import CallFailed

# What of an answer is kept for a reader who is slower than the backend; then the backend has to wait.
HIGH_WATER: Final = 256 * 1024


class Flow:
    """The two bodies of one exchange, and whoever waits for them. A ``Receiver``: it hears of the exchange's end."""

    def __init__(self, *, sent: bool) -> None:
        """Begin; ``sent`` says that the request's body goes out together with its head."""
        self.begun = asyncio.Event()
        self.sent = sent
        self.when_sent: Callable[[], None] | None = None
        self._reply: WireReply | None = None
        self._error: Exception | None = None
        self._over = False
        self._connection: FlowConnection | None = None
        self._parts: deque[bytes] = deque()
        self._held = 0
        self._changed = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    # For whoever makes the request

    async def answered(self) -> WireReply:
        """Return the head of the answer. Raises the exchange's CallFailed, or what ``fail`` was told."""
        while self._reply is None:
            await self._change()
        return self._reply

    async def part(self) -> bytes | None:
        """Return the next part of the answer's body; None when it was whole. Raises as ``answered``."""
        while not self._parts:
            if self._over and self._error is None:
                return None
            await self._change()
        part = self._parts.popleft()
        self._held -= len(part)
        if self._held <= HIGH_WATER // 2 and self._connection is not None:
            self._connection.resume_reading()
        return part

    async def write(self, data: bytes) -> bool:
        """Write a part of the request once the backend takes more; False when nothing of it is wanted any more."""
        await self._writable.wait()
        if self._over or self._connection is None:
            return False
        self._connection.write(data)
        return True

    def on_sent(self) -> None:
        """The request is out; from now on it is the backend's turn."""
        self.sent = True
        if self.when_sent is not None:
            self.when_sent()

    def fail(self, error: Exception) -> None:
        """Let whoever waits, or will wait, have this error."""
        self._end(error)

    async def _change(self) -> None:
        if self._error is not None:
            raise self._error
        self._changed.clear()
        await self._changed.wait()

    # For the connection

    def on_begun(self, connection: "FlowConnection") -> None:
        """The head is on its way; a second time, when a stale connection swallowed it."""
        self._connection = connection
        self.begun.set()

    def on_head(self, reply: WireReply) -> None:
        """The final head is there."""
        self._reply = reply
        self._changed.set()

    def on_part(self, part: bytes) -> None:
        """More of the body is there."""
        self._parts.append(part)
        self._held += len(part)
        self._changed.set()
        if self._held > HIGH_WATER and self._connection is not None:
            self._connection.pause_reading()

    def on_writable(self, *, writable: bool) -> None:
        """The backend takes more of the request, or no more for now."""
        (self._writable.set if writable else self._writable.clear)()

    # A receiver

    def replied(self, _reply: Reply) -> None:
        """The body is whole; the connection may carry another exchange already."""
        self._end(None)

    def broke(self, error: CallFailed) -> None:
        """The exchange failed."""
        self._end(error)

    def _end(self, error: Exception | None) -> None:
        if not self._over:
            self._over, self._error, self._connection = True, error, None
        self.begun.set()
        self._changed.set()
        self._writable.set()


class FlowHead(Head):
    """A request whose bodies flow."""

    flow: Flow

    @classmethod
    def of(cls, raw: bytes, method: str, flow: Flow, max_body_bytes: int) -> "FlowHead":
        """Return what a ``FlowConnection`` sends."""
        head = cls(raw, method, max_body_bytes)
        head.flow = flow
        return head


class FlowReading(Reading):
    """Hands an answer on as it comes."""

    __slots__ = ("_connection", "_flow")

    def __init__(self, flow: Flow, connection: "FlowConnection", *, limit: int, head_request: bool) -> None:
        super().__init__(limit=limit, head_request=head_request)
        self._flow = flow
        self._connection = connection

    def on_headers_complete(self) -> None:
        """Hand the final head on before its body."""
        super().on_headers_complete()
        if not self.in_head:
            self._flow.on_head(self.reply())

    def on_body(self, body: bytes) -> None:
        """Hand the part on, up to the limit."""
        if not self.complete:
            self.count(body)
            self._flow.on_part(body)

    def on_message_complete(self) -> None:
        """Mark the reply whole; a request that is still on its way out ends with it, and costs the connection."""
        super().on_message_complete()
        if self.complete:
            self._connection.resume_reading()
            self.reusable = self.reusable and self._flow.sent


class FlowConnection(Connection):
    """A connection that hands bodies on as they come. Its pool sends nothing over it but ``FlowHead``."""

    __slots__ = ("_flow", "_paused")

    _flow: Flow
    _paused: bool

    def send(self, head: Head) -> None:
        """Write a head, and what goes out together with it."""
        assert isinstance(head, FlowHead)  # noqa: S101 - its pool sends no other
        self._flow = head.flow
        self._paused = False
        super().send(head)
        head.flow.on_begun(self)

    def write(self, data: bytes) -> None:
        """Write a part of the request's body, framed already."""
        assert self._transport is not None  # noqa: S101 - a flow is told when there is none any more
        self._transport.write(data)

    def pause_reading(self) -> None:
        """Let the backend wait."""
        if not self._paused and not self.closing and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take more."""
        if self._paused and not self.closing and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def read_plain(self, _data: bytes) -> WireReply | None:
        """Read nothing in one step: whoever waits is told of the head before the body."""
        return None

    def begin_reading(self, head: Head) -> Reading:
        """Return what hands the answer on."""
        return FlowReading(self._flow, self, limit=head.max_body_bytes, head_request=head.method == "HEAD")

    # asyncio.Protocol

    def pause_writing(self) -> None:
        """Hand the backend's backpressure on."""
        self._flow.on_writable(writable=False)

    def resume_writing(self) -> None:
        """The same."""
        self._flow.on_writable(writable=True)
