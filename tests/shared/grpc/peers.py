"""The other side of the limiter's HTTP/2: frames by hand, for what no honest client would send."""

import asyncio
from contextlib import asynccontextmanager

from hpack import Encoder

from shared.grpc import frames
from shared.grpc.server import GrpcServer

PATH = "/test.Echo/Say"
HEADERS = [
    (":method", "POST"), (":scheme", "http"), (":path", PATH), (":authority", "limits"), ("te", "trailers"),
    ("content-type", "application/grpc"),
]  # fmt: skip


def wrapped(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


class Peer:
    """One raw connection. Everything received is kept as (kind, flags, stream, payload)."""

    def __init__(self, reader, writer) -> None:
        self.reader, self.writer = reader, writer
        self.encoder = Encoder()
        self.encoder.header_table_size = 0  # as we are asked to, from the start
        self.received: list[tuple[int, int, int, bytes]] = []
        self._changed = asyncio.Event()
        self._reading = asyncio.create_task(self._read())
        self.closed = False

    def send(self, *pieces: bytes) -> None:
        self.writer.write(b"".join(pieces))

    def greet(self, values: dict[int, int] | None = None) -> None:
        self.send(frames.PREFACE, frames.settings(values or {}), frames.frame(frames.SETTINGS, frames.ACK, 0))

    def ask(self, stream: int, message: bytes, headers=HEADERS) -> None:
        self.send(self.head(stream, headers), self.data(stream, wrapped(message)))

    def head(self, stream: int, headers=HEADERS, flags: int = frames.END_HEADERS) -> bytes:
        return frames.frame(frames.HEADERS, flags, stream, self.encoder.encode(headers))

    @staticmethod
    def data(stream: int, body: bytes, flags: int = frames.END_STREAM) -> bytes:
        return frames.frame(frames.DATA, flags, stream, body)

    async def until(self, holds):
        """Wait until something received makes it hold; return what it returns."""
        async with asyncio.timeout(10):
            while not (found := holds()):
                self._changed.clear()
                await self._changed.wait()
            return found

    async def answer(self, stream: int) -> bytes:
        """The message of an answer that ended well."""
        end = await self.until(lambda: self.ended(stream))
        assert end[0] == frames.HEADERS
        assert b"grpc-status\x010" in end[3], end
        body = b"".join(one[3] for one in self.received if one[0] == frames.DATA and one[2] == stream)
        assert body[:5] == b"\0" + (len(body) - 5).to_bytes(4, "big")
        return body[5:]

    async def status(self, stream: int) -> int:
        """The gRPC status of an answer without a message."""
        end = await self.until(lambda: self.ended(stream))
        return int(end[3].split(b"grpc-status")[1][1:].split(b"\0")[0])

    def ended(self, stream: int):
        return next((one for one in self.received if one[2] == stream and one[1] & frames.END_STREAM), None)

    def of(self, kind: int) -> list[bytes]:
        return [payload for one, _, _, payload in self.received if one == kind]

    async def goaway(self) -> int:
        """The code with which the connection was ended, and that it was."""
        await self.until(lambda: self.closed)
        return int.from_bytes(self.of(frames.GOAWAY)[-1][4:8], "big")

    async def _read(self) -> None:
        try:
            while True:
                head = await self.reader.readexactly(9)
                length = int.from_bytes(head[:3], "big")
                stream = int.from_bytes(head[5:], "big")
                self.received.append((head[3], head[4], stream, await self.reader.readexactly(length)))
                self._changed.set()
        except (asyncio.IncompleteReadError, OSError):
            self.closed = True
            self._changed.set()

    async def aclose(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self.writer.transport.abort()


class Echo:
    """Says back what it hears; ``hold`` keeps answers until they are let go."""

    def __init__(self) -> None:
        self.hold = False
        self.held: list = []
        self._heard = asyncio.Event()

    def __call__(self, message: bytes, reply) -> None:
        if self.hold:
            self.held.append((message, reply))
            self._heard.set()
        else:
            reply(message)

    async def hears(self, message: bytes) -> None:
        """Wait until this message is held."""
        while message not in [one for one, _ in self.held]:
            self._heard.clear()
            await self._heard.wait()

    def let_go(self) -> None:
        held, self.held = self.held, []
        for message, reply in held:
            reply(message)


@asynccontextmanager
async def serving(handler):
    """A server for the handler, and a way to open peers to it."""
    server = GrpcServer({PATH.encode(): handler})
    port = await server.start("127.0.0.1", 0)
    peers: list[Peer] = []

    async def connect(*, greet: bool = True) -> Peer:
        peers.append(Peer(*await asyncio.open_connection("127.0.0.1", port)))
        if greet:
            peers[-1].greet()
        return peers[-1]

    try:
        yield server, port, connect
    finally:
        for peer in peers:
            await peer.aclose()
        await server.stop(0.1)
