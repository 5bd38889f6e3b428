"""One HTTP/2 connection to a backend: many streams, each with its own end.

Owns what a frame means for a stream and for the connection. Which connection carries which stream is ``channel.py``'s
business, the protocol's state h2's.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

import h2.events
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError

from shared.backends.http2.graceful import GracefulH2
from shared.backends.http2.stream import Stream, UnfitAnswerError
from shared.backends.wire.origin import Origin

# On one connection at most, whatever the backend allows (RFC 9113 §6.5.2 recommends that it allow as many).
MAX_STREAMS: Final = 100
# All streams together may be on their way to us with this much.
CONNECTION_WINDOW: Final = 1 << 24


class Owner(Protocol):
    """Who a connection reports to."""

    def on_room(self, connection: "Http2Connection") -> None:
        """Learn that a further stream may begin, or that none is under way any more."""

    def on_doubtful(self, connection: "Http2Connection") -> None:
        """Learn that a stream was given up in complete silence: the line may be dead."""

    def on_unprocessed(self, stream: Stream, *, certain: bool) -> None:
        """Take back a stream that the backend did not process: ``certain``, or to all appearances."""

    def on_failed(self, stream: Stream, detail: str, *, invalid: bool = False) -> None:
        """Learn that a stream failed."""

    def on_closed(self, connection: "Http2Connection") -> None:
        """Learn that the connection is closed; what was under way is reported after that."""


class Http2Connection(asyncio.Protocol):
    """An asyncio protocol around h2."""

    def __init__(self, owner: Owner, origin: Origin) -> None:
        self._owner = owner
        self._h2 = GracefulH2()
        self._transport: asyncio.Transport | None = None
        self._place = ("https" if origin.tls else "http", origin.authority)
        self._streams: dict[int, Stream] = {}
        self._closed = False
        self._silent = False  # since the last request was sent
        self._served = False  # any answer, ever
        self.draining = False  # its streams end here, new ones begin elsewhere
        self.doubtful = False  # no new streams until it speaks
        self.retires_s = self.idle_since_s = 0.0

    @property
    def streams(self) -> int:
        """How many are under way."""
        return len(self._streams)

    @property
    def room(self) -> int:
        """How many further streams may begin."""
        if self._closed or self.draining or self.doubtful or self._transport is None or self._transport.is_closing():
            return 0
        return min(self._h2.remote_settings.max_concurrent_streams, MAX_STREAMS) - len(self._streams)

    def fileno(self) -> int:
        """Return the socket's descriptor; -1 when there is none any more."""
        sock = None if self._transport is None else self._transport.get_extra_info("socket")
        return -1 if sock is None else int(sock.fileno())

    def send(self, stream: Stream) -> None:
        """Begin a stream; it has room. Raises ValueError when a header would break out of its line."""
        head = stream.head(*self._place)
        stream.begin(self._h2.get_next_available_stream_id())
        stream.carrier = self
        self._streams[stream.id] = stream
        self._silent = True
        self._h2.send_headers(stream.id, head, end_stream=not stream.unsent)
        self._send_body(stream)
        self._flush()

    def drop(self, stream: Stream) -> None:
        """Reset a stream that was given up; the others go on."""
        if self._streams.pop(stream.id, None) is None:
            return
        self._reset(stream)
        if self._silent and not self.doubtful and not self._closed:
            # The backend may be slow, or the line dead, which TCP would notice in a quarter of an hour: ask.
            self.doubtful = True
            self._h2.ping(b"frontage")
            self._owner.on_doubtful(self)
        self._flush()
        self._settle()

    def drain(self) -> None:
        """Begin no new streams, and close after the last."""
        self.draining = True
        self._settle()

    def close(self) -> None:
        """Close at once."""
        if not self._closed:
            self._closed = True
            if self._transport is not None:
                self._transport.abort()
            self._owner.on_closed(self)

    def end(self, detail: str, *, invalid: bool = False) -> None:
        """Close, and tell whatever is under way."""
        # If nothing came since the last request, the connection had most likely ended while it idled.
        stale = self._silent and self._served and not invalid
        streams, self._streams = list(self._streams.values()), {}
        self.close()
        for stream in streams:
            if stale:
                self._owner.on_unprocessed(stream, certain=False)
            else:  # whose fault it is can be told only when there is one
                self._owner.on_failed(stream, detail, invalid=invalid and len(streams) == 1)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves; nothing has to be waited for (RFC 9113 §3.4)."""
        self._transport = cast("asyncio.Transport", transport)
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(CONNECTION_WINDOW)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Feed h2, and act on what it says."""
        if self._closed:
            return
        self._silent = self.doubtful = False
        try:
            events = self._h2.receive_data(data)
        except ProtocolError:
            self._flush()  # h2 has a GOAWAY that says why
            self.end("answered something that is not HTTP/2", invalid=True)
            return
        for event in events:
            if (handle := HANDLERS.get(type(event))) is not None:
                handle(self, event)
        self._flush()
        self._settle()

    def connection_lost(self, _exc: Exception | None) -> None:
        """End what is under way."""
        if not self._closed:
            self.end("closed before the answer was whole")

    def _settle(self) -> None:
        """Close when nothing is left to do here; else let further streams begin."""
        if self.draining and not self._streams:
            self.close()
        elif not self._closed:
            self._owner.on_room(self)

    def _flush(self) -> None:
        if self._transport is not None and (data := self._h2.data_to_send()):
            self._transport.write(data)

    def _reset(self, stream: Stream) -> None:
        try:
            self._h2.reset_stream(stream.id, ErrorCodes.CANCEL)
        except ProtocolError:  # it has ended by itself
            return

    def _send_body(self, stream: Stream) -> None:
        """Send as much of a body as the backend's windows allow (RFC 9113 §5.2)."""
        try:
            while stream.unsent:
                room = min(self._h2.local_flow_control_window(stream.id), self._h2.max_outbound_frame_size)
                if room <= 0:
                    return
                part, stream.unsent = stream.unsent[:room], stream.unsent[room:]
                self._h2.send_data(stream.id, part, end_stream=not stream.unsent)
        except ProtocolError:  # the backend has ended the stream: the event that says so follows
            return

    def _refuse(self, stream: Stream, unfit: UnfitAnswerError) -> None:
        del self._streams[stream.id]
        self._reset(stream)
        self._owner.on_failed(stream, str(unfit), invalid=True)

    # What h2 says. An event of a stream that is not under way is about one that was given up.

    def on_response(self, event: h2.events.ResponseReceived) -> None:
        """Keep status and headers."""
        if (stream := self._streams.get(event.stream_id)) is not None:
            try:
                stream.take_head(event.headers)
            except UnfitAnswerError as unfit:
                self._refuse(stream, unfit)

    def on_data(self, event: h2.events.DataReceived) -> None:
        """Collect, and let the backend send as much again."""
        if event.flow_controlled_length:
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        if (stream := self._streams.get(event.stream_id)) is not None:
            try:
                stream.take(event.data)
            except UnfitAnswerError as unfit:
                self._refuse(stream, unfit)

    def on_ended(self, event: h2.events.StreamEnded) -> None:
        """The answer is whole; if the request is not, nobody wants its rest."""
        if (stream := self._streams.pop(event.stream_id, None)) is not None:
            self._served = True
            if stream.unsent:
                self._reset(stream)
            stream.replied()

    def on_reset(self, event: h2.events.StreamReset) -> None:
        """The backend gave it up: before it did anything (RFC 9113 §8.7), or not."""
        if (stream := self._streams.pop(event.stream_id, None)) is not None:
            if event.error_code == ErrorCodes.REFUSED_STREAM:
                self._owner.on_unprocessed(stream, certain=True)
            else:
                self._owner.on_failed(stream, "reset the stream")

    def on_goaway(self, event: h2.events.ConnectionTerminated) -> None:
        """No new streams here. Those above the last that the backend took begin elsewhere, the others may end."""
        self.draining = True
        for stream in [one for one in self._streams.values() if one.id > (event.last_stream_id or 0)]:
            del self._streams[stream.id]
            self._owner.on_unprocessed(stream, certain=True)
        if event.error_code != ErrorCodes.NO_ERROR:
            self.end("closed the connection with an error")

    def on_window(self, _: h2.events.Event) -> None:
        """The backend takes more."""
        for stream in list(self._streams.values()):
            self._send_body(stream)


HANDLERS: Final[dict[type, Callable[[Http2Connection, Any], None]]] = {
    h2.events.ResponseReceived: Http2Connection.on_response,
    h2.events.DataReceived: Http2Connection.on_data,
    h2.events.StreamEnded: Http2Connection.on_ended,
    h2.events.StreamReset: Http2Connection.on_reset,
    h2.events.ConnectionTerminated: Http2Connection.on_goaway,
    h2.events.WindowUpdated: Http2Connection.on_window,
    h2.events.RemoteSettingsChanged: Http2Connection.on_window,
}
