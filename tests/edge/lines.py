"""One connection of a client, HTTP/1.1 or HTTP/2, that says exactly what became of a request."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import h11
from hpack import Decoder, Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

HOST = "localhost"
PATIENCE_S = 20.0
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
WINDOW = 1 << 24
LOST = (OSError, TimeoutError, EOFError, h11.RemoteProtocolError)


@dataclass(frozen=True)
class Ask:
    """One kind of request, and what is wrong with an answer's body; nothing is an empty word."""

    name: str
    method: str
    path: str
    headers: dict[str, str]
    misfit: Callable[[Any], str]
    body: bytes = b""


class Http1Line:
    """One connection of HTTP/1.1. ``over`` once the server has said that an answer was the last."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._state = h11.Connection(h11.CLIENT)
        self.over = False

    async def ask(self, ask: Ask) -> tuple[int, bytes]:
        headers = {"host": HOST, "content-length": str(len(ask.body)), **ask.headers}
        request = h11.Request(method=ask.method, target=ask.path, headers=list(headers.items()))
        parts = [request, *([h11.Data(data=ask.body)] if ask.body else []), h11.EndOfMessage()]
        self._writer.write(b"".join(self._state.send(part) or b"" for part in parts))
        status, body = 0, b""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                event = self._state.next_event()
                if event is h11.NEED_DATA:
                    data = await self._reader.read(65536)
                    if not data:
                        raise EOFError("cut in the middle")
                    self._state.receive_data(data)
                elif isinstance(event, h11.Response):
                    status = event.status_code
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    break
        if self._state.our_state is h11.MUST_CLOSE:
            self.over = True
        else:
            self._state.start_next_cycle()
        return status, body

    def close(self) -> None:
        self._writer.close()


class Unseen(Exception):
    """Sent, and provably not looked at: the one thing that may be sent again."""


class Http2Line:
    """One connection of HTTP/2: streams at once, and GOAWAY heeded."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._encoder, self._decoder = Encoder(), Decoder()
        self._next = 1
        self._waiting: dict[int, asyncio.Future[tuple[int, bytes]]] = {}
        self._heads: dict[int, int] = {}
        self._bodies: dict[int, bytes] = {}
        self._block, self._ends = b"", False
        self.leaving = False
        settings = SettingsFrame(0, {SettingsFrame.ENABLE_PUSH: 0, SettingsFrame.INITIAL_WINDOW_SIZE: WINDOW})
        writer.write(PREFACE)
        self._send(settings, WindowUpdateFrame(0, WINDOW))
        self._task = asyncio.create_task(self._read())

    async def ask(self, ask: Ask) -> tuple[int, bytes]:
        number, self._next = self._next, self._next + 2
        done = self._waiting[number] = asyncio.get_running_loop().create_future()
        names = {":method": ask.method, ":scheme": "https", ":authority": HOST, ":path": ask.path, **ask.headers}
        head = HeadersFrame(number, self._encoder.encode(names.items()), flags=["END_HEADERS"])
        if ask.body:
            self._send(head, DataFrame(number, ask.body, flags=["END_STREAM"]))
        else:
            head.flags.add("END_STREAM")
            self._send(head)
        async with asyncio.timeout(PATIENCE_S):
            return await done

    def close(self) -> None:
        self._task.cancel()
        self._writer.close()

    @property
    def idle(self) -> bool:
        return not self._waiting

    def _send(self, *frames: Frame) -> None:
        self._writer.write(b"".join(one.serialize() for one in frames))

    async def _read(self) -> None:
        try:
            while True:
                frame, length = Frame.parse_frame_header(memoryview(await self._reader.readexactly(9)))
                frame.parse_body(memoryview(await self._reader.readexactly(length)))
                self._take(frame)
        except (OSError, EOFError) as error:
            self._fail(error)
        finally:
            self.leaving = True

    def _fail(self, error: Exception) -> None:
        for done in self._waiting.values():
            if not done.done():
                done.set_exception(EOFError(f"cut in the middle: {error!r}"))
        self._waiting.clear()

    def _take(self, frame: Frame) -> None:
        match frame:
            case SettingsFrame() if "ACK" not in frame.flags:
                self._send(SettingsFrame(0, flags=["ACK"]))
            case PingFrame() if "ACK" not in frame.flags:
                self._send(PingFrame(0, frame.opaque_data, flags=["ACK"]))
            case GoAwayFrame():
                self.leaving = True
                for number in [one for one in self._waiting if one > frame.last_stream_id]:
                    self._waiting.pop(number).set_exception(Unseen())
            case HeadersFrame() | ContinuationFrame():
                self._on_head(frame)
            case DataFrame():
                self._send(WindowUpdateFrame(0, max(1, frame.flow_controlled_length)))
                self._bodies[frame.stream_id] = self._bodies.get(frame.stream_id, b"") + frame.data
                self._end(frame.stream_id, ends="END_STREAM" in frame.flags)
            case RstStreamFrame() if done := self._waiting.pop(frame.stream_id, None):
                done.set_exception(EOFError(f"the stream was reset: {frame.error_code}"))

    def _on_head(self, frame: HeadersFrame | ContinuationFrame) -> None:
        self._block += frame.data
        self._ends = self._ends or "END_STREAM" in frame.flags
        if "END_HEADERS" in frame.flags:
            fields = dict(self._decoder.decode(self._block))
            self._heads.setdefault(frame.stream_id, int(fields.get(":status", 0)))
            ends, self._block, self._ends = self._ends, b"", False
            self._end(frame.stream_id, ends=ends)

    def _end(self, number: int, *, ends: bool) -> None:
        if not ends:
            return
        status, body = self._heads.pop(number, 0), self._bodies.pop(number, b"")
        done = self._waiting.pop(number, None)
        if done is not None and not done.done():
            done.set_result((status, body))
