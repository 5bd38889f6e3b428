"""The way to one backend over HTTP/2: few connections, each with many streams.

Owns which connection carries which stream, and what is sent once more. A second connection is opened only when the
first is full, in doubt, or on its way out. Every end of a stream passes through ``Stream.replied``, ``broke`` or
``abort``; there is no slot to give back but its entry in its connection.
"""

import asyncio
from collections import deque

from shared.backends.channel import OutboundRequest, Receiver
from shared.backends.http2.connection import Http2Connection
from shared.backends.http2.stream import Stream
from shared.backends.wire.dial import why
from shared.backends.wire.idle import has_unread
from shared.backends.wire.names import Resolver
from shared.backends.wire.origin import Origin
from shared.backends.wire.pool import PoolPolicy
from shared.clock import Clock, Timer
from shared.errors import BackendInvalid, BackendUnreachable


class Http2Channel:
    """A ``Channel`` over our own HTTP/2 connections. ``http://`` is spoken to without asking (prior knowledge)."""

    def __init__(
        self, backend: str, url: str, policy: PoolPolicy, clock: Clock, resolver: Resolver | None = None
    ) -> None:
        self._backend = backend
        self._origin = Origin.of(url)
        self._policy = policy
        self._clock = clock
        self._dialer = policy.dialer(backend, self._origin, clock, resolver, alpn="h2")
        self._connections: dict[Http2Connection, None] = {}
        self._waiting: deque[Stream] = deque()
        self._opening: asyncio.Task[Http2Connection] | None = None
        self._reaper: Timer | None = None
        self._closed = False

    @property
    def connections(self) -> int:
        """How many connections are open or being opened."""
        return len(self._connections) + (self._opening is not None)

    @property
    def active(self) -> int:
        """How many streams are under way or wait for a connection."""
        return sum(one.streams for one in self._connections) + sum(not one.over for one in self._waiting)

    def send(self, request: OutboundRequest, receiver: Receiver) -> Stream:
        """Start an exchange; returns without waiting. Raises ValueError when a header would break out of its line."""
        stream = Stream(request._replace(target=self._origin.base_path + request.target), receiver)
        if self._closed:
            asyncio.get_running_loop().call_soon(stream.broke, self._unreachable("channel closed", sent=False))
        else:
            self._place(stream)
        return stream

    def _place(self, stream: Stream) -> None:
        connection = self._with_room(certain=not stream.request.idempotent)
        if connection is not None:
            connection.send(stream)
        else:
            self._waiting.append(stream)
            self._open_one_more()

    def _with_room(self, *, certain: bool) -> Http2Connection | None:
        now_s = self._clock.now_s()
        for connection in list(self._connections):
            if now_s >= connection.retires_s:
                connection.drain()
            # Of an idle one whose end may have come already, only what can be sent twice may find out.
            elif connection.room > 0 and not (certain and not connection.streams and has_unread(connection)):
                return connection
        return None

    # Opening: one connection at a time; whoever needs one waits for the same

    def _open_one_more(self) -> None:
        if self._opening is None and len(self._connections) < self._policy.max_connections and not self._closed:
            self._opening = asyncio.get_running_loop().create_task(self._open())
            self._opening.add_done_callback(self._opened)

    async def _open(self) -> Http2Connection:
        connection = Http2Connection(self, self._origin)
        try:
            await self._dialer.open(lambda: connection)
        except BaseException:
            connection.close()
            raise
        connection.retires_s = self._clock.now_s() + self._policy.max_age.total_seconds()
        return connection

    def _opened(self, task: asyncio.Task[Http2Connection]) -> None:
        self._opening = None
        if task.cancelled() or task.exception() is not None:
            error = None if task.cancelled() else task.exception()
            detail = "connecting was given up" if error is None else why(error)
            waiting, self._waiting = self._waiting, deque()
            for stream in waiting:
                stream.broke(self._unreachable(detail, sent=False))
            return
        connection = task.result()
        if self._closed:
            connection.close()
            return
        self._connections[connection] = None
        self.on_room(connection)
        if any(not stream.over for stream in self._waiting):
            self._open_one_more()

    # Owner of connections

    def on_room(self, connection: Http2Connection) -> None:
        """Begin streams that wait; let a connection without any age."""
        while connection.room > 0 and (stream := self._next_waiting()) is not None:
            connection.send(stream)
        if not connection.streams:
            connection.idle_since_s = self._clock.now_s()
            self._reap_later()

    def on_doubtful(self, connection: Http2Connection) -> None:
        """Give the backend as long to speak as a new connection may take."""

        def give_up() -> None:
            if connection.doubtful:
                connection.end("fell silent")

        self._clock.call_later(self._policy.connect_timeout.total_seconds(), give_up)

    def on_unprocessed(self, stream: Stream, *, certain: bool) -> None:
        """Send once more, elsewhere, what did nothing yet: anything if that is certain, else what may be done twice."""
        if stream.over:
            return
        if not stream.resent and not self._closed and (certain or stream.request.idempotent):
            stream.resent = True
            stream.carrier = None
            self._place(stream)
        else:
            stream.broke(self._unreachable("closed without an answer", sent=not certain))

    def on_failed(self, stream: Stream, detail: str, *, invalid: bool = False) -> None:
        """Say a stream's failure in our words."""
        stream.broke(BackendInvalid(self._backend, detail) if invalid else self._unreachable(detail))

    def on_closed(self, connection: Http2Connection) -> None:
        """Forget a connection; whoever waits needs another."""
        self._connections.pop(connection, None)
        if any(not stream.over for stream in self._waiting):
            self._open_one_more()

    def _next_waiting(self) -> Stream | None:
        while self._waiting:
            stream = self._waiting.popleft()
            if not stream.over:
                return stream
        return None

    def _unreachable(self, detail: str, *, sent: bool = True) -> BackendUnreachable:
        return BackendUnreachable(self._backend, detail, sent=sent)

    def _reap_later(self) -> None:
        if self._reaper is None and not self._closed:
            self._reaper = self._clock.call_later(self._policy.idle_timeout.total_seconds(), self._reap)

    def _reap(self) -> None:
        self._reaper = None
        oldest_s = self._clock.now_s() - self._policy.idle_timeout.total_seconds()
        for connection in [one for one in self._connections if not one.streams]:
            if connection.idle_since_s <= oldest_s:
                connection.close()
            else:
                self._reap_later()

    async def aclose(self) -> None:
        """Close every connection; whoever still waits learns that the backend is unreachable."""
        self._closed = True
        if self._reaper is not None:
            self._reaper.cancel()
        opening = self._opening
        if opening is not None:
            opening.cancel()
        for connection in list(self._connections):
            connection.end("channel closed")
        while (stream := self._next_waiting()) is not None:
            stream.broke(self._unreachable("channel closed", sent=False))
        if opening is not None:
            await asyncio.wait([opening])
        await self._dialer.aclose()
