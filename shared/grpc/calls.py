"""The calls of one connection: from headers and data to a handler, from its reply to an answer.

Owns the streams (RFC 9113 §5.1) and how many and how large they may be. Frames are ``connection.py``'s, windows
``sending.py``'s.
"""

from collections.abc import Callable, Mapping
from typing import Final

from shared.grpc import frames
from shared.grpc.frames import ConnectionFault
from shared.grpc.heads import MAX_BLOCK, Head, HeadReader
from shared.grpc.sending import PREFIX, Sending
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

Reply = Callable[[bytes], None]
# Takes a message and the way back; may raise GrpcError at once. The reply may come at any later time, or never.
Handler = Callable[[bytes, Reply], None]

# Envoy opens as many as it has requests on one worker; a thousand in flight is a limiter that has stopped.
MAX_STREAMS: Final = 1_000
# A request with 32 descriptors has about 4 KiB. A whole message fits into a stream's first window, so none grows.
MAX_MESSAGE: Final = 16 * 1024
INVALID_ARGUMENT, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL = 3, 4, 8, 12, 13


class GrpcError(Exception):
    """An answer that is a gRPC status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Call:
    """One stream whose answer is not known yet."""

    __slots__ = ("asked", "body", "head", "until_s")

    def __init__(self, head: Head, until_s: float | None) -> None:
        self.head = head
        self.until_s = until_s
        self.body = b""
        self.asked = False


class Calls:
    """The live calls of one peer. ``idle`` is told of every frame that brought no work."""

    def __init__(
        self, handlers: Mapping[bytes, Handler], sending: Sending, write: Callable[[bytes], None],
        idle: Callable[[], None], now_s: Callable[[], float],
    ) -> None:  # fmt: skip
        self._handlers = handlers
        self._sending = sending
        self._write = write
        self._idle = idle
        self._now_s = now_s
        self.heads: Final = HeadReader()
        self._live: dict[int, Call] = {}
        self._block: tuple[int, int, bytes] | None = None  # flags, stream and begin of HEADERS that go on
        self.last = 0
        self.answered = 0
        self.closing = False

    def __len__(self) -> int:
        return len(self._live) + len(self._sending)

    def __contains__(self, stream: int) -> bool:
        return stream in self._live or stream in self._sending

    @property
    def interrupted(self) -> bool:
        """Whether nothing but CONTINUATION may come now."""
        return self._block is not None

    def on_headers(self, flags: int, stream: int, payload: bytes) -> None:
        """Begin a call, or, with trailers, end its message."""
        if stream % 2 == 0:
            raise ConnectionFault(frames.PROTOCOL_ERROR, "streams of a client are odd")
        block = frames.unpadded(flags, payload)
        if flags & frames.END_HEADERS:
            self._begin(flags, stream, block)
        else:
            self._block = flags, stream, block

    def on_continuation(self, flags: int, stream: int, payload: bytes) -> None:
        """Go on with a header block."""
        if self._block is None or stream != self._block[1]:
            raise ConnectionFault(frames.PROTOCOL_ERROR, "a continuation of nothing")
        begun, _, block = self._block
        block += payload
        self._idle()
        if len(block) > MAX_BLOCK:
            raise ConnectionFault(frames.ENHANCE_YOUR_CALM, "too large a header block")
        if not flags & frames.END_HEADERS:
            self._block = begun, stream, block
            return
        self._block = None
        self._begin(begun, stream, block)

    def on_data(self, flags: int, stream: int, payload: bytes) -> None:
        """Take a piece of a message."""
        call = self._live.get(stream)
        if call is None or call.asked:
            if call is not None or stream > self.last:
                raise ConnectionFault(frames.STREAM_CLOSED, "data outside a message")
            self._idle()  # its stream was reset or refused while this was on its way
            return
        body = frames.unpadded(flags & frames.PADDED, payload)
        if not body and not flags & frames.END_STREAM:
            self._idle()
        call.body += body
        if len(call.body) > MAX_MESSAGE + PREFIX:
            self._refuse(stream, RESOURCE_EXHAUSTED, "the message is too large")
            if not flags & frames.END_STREAM:
                self._write(frames.reset(stream, frames.NO_ERROR))
        elif flags & frames.END_STREAM:
            self._ask(stream, call)

    def on_reset(self, stream: int) -> None:
        """Forget a call; its handler is not interrupted, its reply goes nowhere."""
        if stream > self.last:
            raise ConnectionFault(frames.PROTOCOL_ERROR, "a reset of nothing")
        self._idle()
        self._live.pop(stream, None)
        self._sending.forget(stream)

    def drop(self) -> None:
        """Forget all: the connection is gone."""
        self._live.clear()

    def _begin(self, flags: int, stream: int, block: bytes) -> None:
        head = self.heads.read(block)  # always: the peer's table goes on, whatever becomes of the stream
        known = self._live.get(stream)
        if known is not None:
            if known.asked or not flags & frames.END_STREAM:
                raise ConnectionFault(frames.PROTOCOL_ERROR, "headers in the middle of a message")
            self._ask(stream, known)
            return
        if stream <= self.last:
            self._idle()  # as in on_data
            return
        self.last = stream
        if self.closing or len(self) >= MAX_STREAMS:
            self._idle()
            self._write(frames.reset(stream, frames.REFUSED_STREAM))
            return
        until_s = None if head.timeout_s is None else self._now_s() + head.timeout_s
        call = self._live[stream] = Call(head, until_s)
        if flags & frames.END_STREAM:
            self._ask(stream, call)

    def _ask(self, stream: int, call: Call) -> None:
        call.asked = True
        body, call.body = call.body, b""
        handler = self._handlers.get(call.head.path)
        if not call.head.grpc or handler is None:
            self._refuse(stream, UNIMPLEMENTED, "no such call here")
        elif len(body) < PREFIX or int.from_bytes(body[1:PREFIX], "big") != len(body) - PREFIX:
            self._refuse(stream, INVALID_ARGUMENT, "one whole message is wanted")
        elif body[0]:
            self._refuse(stream, UNIMPLEMENTED, "compressed messages are not read")
        else:
            try:
                handler(body[PREFIX:], lambda message: self._answer(stream, message))
            except GrpcError as error:
                self._refuse(stream, error.status, error.message)
            except Exception:
                log.exception("handler_failed", path=call.head.path.decode("latin-1"))
                self._refuse(stream, INTERNAL, "a fault of ours")

    def _answer(self, stream: int, message: bytes) -> None:
        call = self._live.pop(stream, None)
        if call is None:  # reset meanwhile, or the connection is gone
            return
        self.answered += 1
        if call.until_s is not None and self._now_s() > call.until_s:
            self._sending.refuse(stream, DEADLINE_EXCEEDED, "too late")
        else:
            self._sending.answer(stream, message)

    def _refuse(self, stream: int, status: int, message: str) -> None:
        self._live.pop(stream, None)
        self._idle()
        self._sending.refuse(stream, status, message)
