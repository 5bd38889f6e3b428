"""The sending end of one connection: answers of unary calls, within the windows that the peer gives (RFC 9113 §5.2).

An answer is headers, one message, trailers: three frames, most often in one write. What does not fit into a window
waits here and goes out piece by piece; a stream that is blocked does not hold up the others.
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from shared.grpc import frames
from shared.grpc.frames import ConnectionFault

# Literals without indexing: no table to keep. 0x88 is ":status: 200", 31 "content-type" (RFC 7541, appendix A).
HEADERS: Final = b"\x88\x0f\x10\x10application/grpc"
# gRPC gives a message five bytes of its own: not compressed, and its length.
PREFIX: Final = 5


def _literal(name: bytes, value: bytes) -> bytes:
    return b"\0%c%b%c%b" % (len(name), name, len(value), value)


def trailers(status: int, message: str = "") -> bytes:
    """Write gRPC's last words; the message is percent-encoded, and cut to what one length byte holds."""
    said = quote(message)[:120].encode()
    return _literal(b"grpc-status", str(status).encode()) + (_literal(b"grpc-message", said) if said else b"")


OK_TRAILERS: Final = trailers(0)


class Sending:
    """Windows and what waits for them."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._window = frames.DEFAULT_WINDOW
        self._initial = frames.DEFAULT_WINDOW
        self._frame_size = frames.DEFAULT_FRAME_SIZE
        self._windows: dict[int, int] = {}  # of streams whose window is not the initial one
        self._waiting: dict[int, bytes] = {}

    def __len__(self) -> int:
        """How many answers wait for a window."""
        return len(self._waiting)

    def __contains__(self, stream: int) -> bool:
        return stream in self._waiting

    def answer(self, stream: int, message: bytes) -> None:
        """Send a message and its good end, or as much of it as fits now."""
        self._write(frames.frame(frames.HEADERS, frames.END_HEADERS, stream, HEADERS))
        self._send(stream, b"\0" + len(message).to_bytes(4, "big") + message)

    def refuse(self, stream: int, status: int, message: str) -> None:
        """Send a gRPC status alone. Needs no window: only DATA does."""
        flags = frames.END_HEADERS | frames.END_STREAM
        self._write(frames.frame(frames.HEADERS, flags, stream, HEADERS + trailers(status, message)))
        self._windows.pop(stream, None)

    def forget(self, stream: int) -> None:
        """Drop what waits for a stream that is no more."""
        self._windows.pop(stream, None)
        self._waiting.pop(stream, None)

    def grow(self, increment: int) -> None:
        """Take a WINDOW_UPDATE of the connection."""
        self._window += increment
        if increment == 0 or self._window > frames.MAX_WINDOW:
            code = frames.FLOW_CONTROL_ERROR if increment else frames.PROTOCOL_ERROR
            raise ConnectionFault(code, "no such window")
        self._pump()

    def grow_stream(self, stream: int, increment: int) -> bool:
        """Take a WINDOW_UPDATE of a live stream; False if it breaks the stream, which is then to be reset."""
        window = self._windows.get(stream, self._initial) + increment
        if increment == 0 or window > frames.MAX_WINDOW:
            return False
        self._windows[stream] = window
        self._pump()
        return True

    def settings(self, values: dict[int, int]) -> None:
        """Take the peer's settings, as far as they are about what we send (RFC 9113 §6.5.2)."""
        initial = values.get(frames.INITIAL_WINDOW_SIZE, self._initial)
        size = values.get(frames.MAX_FRAME_SIZE, self._frame_size)
        if initial > frames.MAX_WINDOW:
            raise ConnectionFault(frames.FLOW_CONTROL_ERROR, "no such window")
        if not frames.DEFAULT_FRAME_SIZE <= size <= frames.LARGEST_FRAME_SIZE:
            raise ConnectionFault(frames.PROTOCOL_ERROR, "no such frame size")
        if values.get(frames.ENABLE_PUSH, 0) > 1:
            raise ConnectionFault(frames.PROTOCOL_ERROR, "push is on or off")
        for stream in self._windows:
            self._windows[stream] += initial - self._initial  # may become negative (§6.9.2)
        self._initial, self._frame_size = initial, size
        self._pump()

    def _pump(self) -> None:
        for stream, body in list(self._waiting.items()):
            if self._window <= 0:
                return
            self._send(stream, body)

    def _send(self, stream: int, body: bytes) -> None:
        window = self._windows.get(stream, self._initial)
        while body:
            room = min(self._window, window, self._frame_size)
            if room <= 0:
                self._waiting[stream], self._windows[stream] = body, window
                return
            piece, body = body[:room], body[room:]
            self._window -= len(piece)
            window -= len(piece)
            self._write(frames.frame(frames.DATA, 0, stream, piece))
        self.forget(stream)
        self._write(frames.frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, stream, OK_TRAILERS))
