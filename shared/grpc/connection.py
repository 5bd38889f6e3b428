"""One peer's connection: its frames in order, and what is about the connection as a whole.

Owns the bytes and the peer's good behaviour (RFC 9113 §10.5): frames that make us work and bring no call (resets,
pings, settings, empty pieces; CVE-2023-44487, CVE-2019-9512, CVE-2024-27316) are counted against answered calls. What
a peer may not ends with a GOAWAY that says why.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, cast

from shared.grpc import frames
from shared.grpc.calls import MAX_STREAMS, Calls, Handler
from shared.grpc.frames import ConnectionFault
from shared.grpc.heads import MAX_BLOCK
from shared.grpc.sending import Sending

# What one connection may have under way towards us; given back when half of it is used.
RECEIVE_WINDOW: Final = 1024**2
# Frames without work, beyond those that go with answered calls (gRPC's own client sends windows, pings, settings with
# each, and resets what its caller has left) and ten a second (an idle peer may ask if we are there).
MAX_IDLE_FRAMES: Final = 1_000
IDLE_FRAMES_A_CALL: Final = 10
IDLE_FRAMES_A_SECOND: Final = 10
# Asks whether the peer has seen that we leave; then nothing new of it is under way any more.
FAREWELL: Final = b"farewell"
# The peer's first words: anything slower is no edge.
PREFACE_WITHIN_S: Final = 10.0
SETTINGS: Final = {
    frames.HEADER_TABLE_SIZE: 0,  # heads.py says why
    frames.MAX_CONCURRENT_STREAMS: MAX_STREAMS,
    frames.MAX_HEADER_LIST_SIZE: MAX_BLOCK,
}
# Kinds that belong to a stream, those that belong to none, and the only lengths that some may have.
OF_A_STREAM: Final = frozenset({frames.DATA, frames.HEADERS, frames.PRIORITY, frames.RST_STREAM, frames.CONTINUATION})
OF_NONE: Final = frozenset({frames.SETTINGS, frames.PING, frames.GOAWAY})
LENGTHS: Final = {frames.PRIORITY: 5, frames.RST_STREAM: 4, frames.PING: 8, frames.WINDOW_UPDATE: 4}


class Connection(asyncio.Protocol):
    """Serves ``handlers``, by path, to one peer; ``gone`` is called once it is over."""

    def __init__(self, handlers: Mapping[bytes, Handler], gone: "Callable[[Connection], None]") -> None:
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._sending = Sending(self._write)
        self._calls = Calls(handlers, self._sending, self._write, self._idle, self._loop.time)
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._out: list[bytes] = []
        self._prefaced = self._over = False
        self._received = 0
        self._idle_frames, self._idle_since_s = 0.0, self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet: our settings, and a window as wide as we can hold."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by birth
        self._patience = self._loop.call_later(PREFACE_WITHIN_S, self.abort)
        self._write(frames.settings(SETTINGS))
        self._write(frames.window_update(0, RECEIVE_WINDOW - frames.DEFAULT_WINDOW))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's form
        """Forget it; answers under way go nowhere."""
        self._patience.cancel()
        self._gone(self)
        self._over = True
        self._calls.drop()

    def data_received(self, data: bytes) -> None:
        """Take what came, frame by frame."""
        self._buffer = self._buffer + data if self._buffer else data
        try:
            if self._prefaced or self._preface():
                self._read_frames()
        except ConnectionFault as fault:
            self._end(fault.code, fault.reason)

    def pause_writing(self) -> None:
        """The peer does not read: we do not read either, so that nothing piles up here."""
        assert self._transport is not None  # noqa: S101 - asyncio calls it in between
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        assert self._transport is not None  # noqa: S101 - asyncio calls it in between
        self._transport.resume_reading()

    def leave(self) -> None:
        """Ask the peer to open no more calls; those on their way are still taken, and the end comes after them."""
        self._write(frames.goaway(frames.MAX_STREAM_ID, frames.NO_ERROR))
        self._write(frames.frame(frames.PING, 0, 0, FAREWELL))

    def abort(self) -> None:
        """End it now."""
        if self._transport is not None:
            self._transport.abort()

    def _preface(self) -> bool:
        begun = self._buffer[: len(frames.PREFACE)]
        if not frames.PREFACE.startswith(begun):
            self.abort()  # no HTTP/2: there is no language to refuse it in
            return False
        if len(begun) < len(frames.PREFACE):
            return False
        self._patience.cancel()
        self._buffer = self._buffer[len(frames.PREFACE) :]
        self._prefaced = True
        return True

    def _read_frames(self) -> None:
        buffer, at = self._buffer, 0
        end = len(buffer)
        while end - at >= frames.HEAD_SIZE and not self._over:
            length = int.from_bytes(buffer[at : at + 3], "big")
            if length > frames.DEFAULT_FRAME_SIZE:
                raise ConnectionFault(frames.FRAME_SIZE_ERROR, "too large a frame")
            payload = at + frames.HEAD_SIZE
            if end - payload < length:
                break
            stream = int.from_bytes(buffer[at + 5 : payload], "big") & frames.MAX_STREAM_ID
            at, kind, flags = payload + length, buffer[at + 3], buffer[at + 4]
            self._on_frame(kind, flags, stream, buffer[payload:at])
        self._buffer = buffer[at:]

    def _on_frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if self._calls.interrupted and kind != frames.CONTINUATION:
            raise ConnectionFault(frames.PROTOCOL_ERROR, "a header block was interrupted")
        if (kind in OF_A_STREAM and stream == 0) or (kind in OF_NONE and stream != 0):
            raise ConnectionFault(frames.PROTOCOL_ERROR, "a frame on the wrong stream")
        if kind in LENGTHS and len(payload) != LENGTHS[kind]:
            raise ConnectionFault(frames.FRAME_SIZE_ERROR, "a frame of the wrong length")
        if kind == frames.HEADERS:
            self._calls.on_headers(flags, stream, payload)
        elif kind == frames.DATA:
            self._receive(len(payload))
            self._calls.on_data(flags, stream, payload)
        elif kind == frames.CONTINUATION:
            self._calls.on_continuation(flags, stream, payload)
        else:
            self._on_control(kind, flags, stream, payload)

    def _on_control(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        self._idle()
        if kind == frames.WINDOW_UPDATE:
            self._on_window(stream, int.from_bytes(payload, "big") & frames.MAX_WINDOW)
        elif kind == frames.RST_STREAM:
            self._calls.on_reset(stream)
        elif kind == frames.SETTINGS:
            self._on_settings(flags, payload)
        elif kind == frames.PING:
            self._on_ping(flags, payload)
        elif kind == frames.PUSH_PROMISE:
            raise ConnectionFault(frames.PROTOCOL_ERROR, "a client does not push")
        # PRIORITY is history; a GOAWAY needs nothing of us; unknown kinds are ignored (§5.5)

    def _on_window(self, stream: int, increment: int) -> None:
        if stream == 0:
            self._sending.grow(increment)
        elif stream > self._calls.last:
            raise ConnectionFault(frames.PROTOCOL_ERROR, "a window of nothing")
        elif stream in self._calls and not self._sending.grow_stream(stream, increment):
            self._write(frames.reset(stream, frames.FLOW_CONTROL_ERROR))
            self._calls.on_reset(stream)

    def _on_settings(self, flags: int, payload: bytes) -> None:
        if flags & frames.ACK:
            if payload:
                raise ConnectionFault(frames.FRAME_SIZE_ERROR, "an acknowledgement with a load")
            self._calls.heads.settings_known()
            return
        self._sending.settings(frames.read_settings(payload))
        self._write(frames.frame(frames.SETTINGS, frames.ACK, 0))

    def _on_ping(self, flags: int, payload: bytes) -> None:
        if not flags & frames.ACK:
            self._write(frames.frame(frames.PING, frames.ACK, 0, payload))
        elif payload == FAREWELL:
            self._calls.closing = True
            self._write(frames.goaway(self._calls.last, frames.NO_ERROR))

    def _receive(self, size: int) -> None:
        """Keep the connection's window. A stream's own needs none: a message that would fill it is too large."""
        self._received += size
        if self._received > RECEIVE_WINDOW // 2:
            self._write(frames.window_update(0, self._received))
            self._received = 0

    def _idle(self) -> None:
        now_s = self._loop.time()
        earned = self._calls.answered * IDLE_FRAMES_A_CALL + (now_s - self._idle_since_s) * IDLE_FRAMES_A_SECOND
        self._idle_frames = max(0.0, self._idle_frames - earned) + 1
        self._calls.answered, self._idle_since_s = 0, now_s
        if self._idle_frames > MAX_IDLE_FRAMES:
            raise ConnectionFault(frames.ENHANCE_YOUR_CALM, "many frames and no calls")

    def _write(self, data: bytes) -> None:
        """Write with whatever else this turn of the loop has for the peer."""
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(data)

    def _flush(self) -> None:
        if self._transport is None or self._over:
            self._out.clear()
            return
        self._transport.write(b"".join(self._out))
        self._out.clear()
        if self._calls.closing and not len(self._calls):
            self._over = True
            self._transport.close()

    def _end(self, code: int, reason: str) -> None:
        if self._over:
            return
        self._write(frames.goaway(self._calls.last, code, reason))
        self._calls.closing = True
        self._calls.drop()
        self._flush()
        self._over = True
        if self._transport is not None:
            self._transport.close()
