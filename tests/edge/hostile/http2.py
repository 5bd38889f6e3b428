"""HTTP/2 as frames: what no honest client would send, and what became of each stream."""

import socket
from contextlib import suppress
from typing import Self

from hpack import Decoder, Encoder

from shared.grpc import frames
from tests.edge.edges import RunningEdge
from tests.edge.hostile.wire import Wire

# Beside a status, what can become of a stream.
CLOSED, RESET = 0, 1
GET = ((":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/open/x"))
POST = ((":method", "POST"), *GET[1:])


def changed(fields=GET, *more: tuple[str, str], **pseudo: str):
    """Return an honest request's fields, some pseudo-headers with other values, and more of them."""
    return [*((name, pseudo.get(name[1:], value)) for name, value in fields), *more]


class Http2:
    """One TLS connection that speaks HTTP/2, as wrongly as it is asked to."""

    def __init__(self, edge: RunningEdge, settings: dict[int, int] | None = None) -> None:
        self._wire = Wire.to(edge, "h2")
        self.encoder, self._decoder = Encoder(), Decoder()
        self.socket = self._wire.socket
        self.outcomes: dict[int, int] = {}
        self.bodies: dict[int, bytes] = {}
        self.ended = False
        self.send(frames.PREFACE + frames.settings(settings or {}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> bool:
        return self._wire.send(data)

    def head(self, stream: int, fields=GET, flags: int = frames.END_HEADERS | frames.END_STREAM) -> bytes:
        return frames.frame(frames.HEADERS, flags, stream, self.encoder.encode(list(fields)))

    def outcome(self, stream: int) -> int:
        """Return a stream's status, RESET, or CLOSED when the connection ended instead."""
        while stream not in self.outcomes and self.read():
            pass
        return self.outcomes.get(stream, CLOSED)

    def until_closed(self) -> bool:
        """Read until the other side has ended the connection."""
        while self.read():
            pass
        return self.ended

    def read(self) -> bool:
        """Read one frame; False when the connection is at its end."""
        head = self._wire.take(frames.HEAD_SIZE)
        payload = self._wire.take(int.from_bytes(head[:3], "big")) if head else None
        if head is None or payload is None:
            self.ended = True
            return False
        self._take(head[3], head[4], int.from_bytes(head[5:], "big"), payload)
        return True

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == frames.SETTINGS and not flags & frames.ACK:
            self.send(frames.frame(frames.SETTINGS, frames.ACK, 0))
        elif kind == frames.HEADERS:
            fields = dict(self._decoder.decode(payload))
            if ":status" in fields:
                self.outcomes[stream] = int(fields[":status"])
        elif kind == frames.DATA:
            self.bodies[stream] = self.bodies.get(stream, b"") + payload
        elif kind == frames.GOAWAY:  # the edge waits for us to close, but for a second
            with suppress(OSError):
                socket.socket.shutdown(self.socket, socket.SHUT_WR)
        elif kind == frames.RST_STREAM:
            self.outcomes.setdefault(stream, RESET)
