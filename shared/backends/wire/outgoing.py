"""An httpx request on its way out: its head as bytes, and its body, whole or as it comes.

Owns how a request's body is framed (RFC 9112 §6).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Final, NamedTuple, Self

import httpx

from shared.backends.wire.streaming import Flow
from shared.backends.wire.unpacking import OFFERED

# Ours to say, or of one connection only (RFC 9110 §7.6.1).
OURS: Final = frozenset({
    b"host", b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"proxy-connection", b"upgrade",
})  # fmt: skip


class Outgoing(NamedTuple):
    """``head`` has the whole body behind it, unless there is a ``stream``: of ``length`` bytes, or chunked."""

    head: bytes
    stream: AsyncIterator[bytes] | None = None
    length: int | None = None

    @classmethod
    async def of(cls, request: httpx.Request, *, unpack: bool) -> Self:
        """Read a request. Raises httpx.LocalProtocolError when a header would break out of its line."""
        body, length = b"", None
        headers = request.headers
        if isinstance(request.stream, httpx.ByteStream):
            body = await request.aread()
            framing = [b"content-length: %d" % len(body)] if body or "content-length" in headers else []
        elif (said := headers.get("content-length", "")).isdigit():
            length = int(said)
            framing = [b"content-length: %d" % length]
        else:
            framing = [b"transfer-encoding: chunked"]
        head = _head(request, framing, unpack=unpack)
        if framing and not isinstance(request.stream, httpx.ByteStream):
            assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101 - an async client's is
            return cls(head, aiter(request.stream), length)
        return cls(head + body)

    async def upload(self, flow: Flow, write_s: float | None) -> None:
        """Write the stream as the backend takes it; whatever goes wrong is told to whoever waits for the answer."""
        try:
            await self._upload(flow, write_s)
        except TimeoutError:
            flow.fail(httpx.WriteTimeout("the backend took nothing more in time"))
        except Exception as error:  # noqa: BLE001 - the caller's own iterator may raise anything, and waits elsewhere
            flow.fail(error)

    async def _upload(self, flow: Flow, write_s: float | None) -> None:
        assert self.stream is not None  # noqa: S101 - else there is nothing to do
        left = self.length
        async with aclosing(_closable(self.stream)) as parts:
            async for part in parts:
                if not part:
                    continue
                if left is not None and (left := left - len(part)) < 0:
                    raise httpx.LocalProtocolError("the body is longer than its Content-Length")
                framed = b"%x\r\n%b\r\n" % (len(part), part) if self.length is None else part
                async with asyncio.timeout(write_s):
                    if not await flow.write(framed):
                        return
        if left:
            raise httpx.LocalProtocolError("the body is shorter than its Content-Length")
        if self.length is None:
            await flow.write(b"0\r\n\r\n")
        flow.on_sent()


async def _closable(parts: AsyncIterator[bytes]) -> Any:
    """Iterate so that leaving early closes the iterator under it, if that can be closed."""
    try:
        async for part in parts:
            yield part
    finally:
        if hasattr(parts, "aclose"):
            await parts.aclose()


def _head(request: httpx.Request, framing: list[bytes], *, unpack: bool) -> bytes:
    raw = [(name.lower(), value) for name, value in request.headers.raw if name.lower() not in OURS]
    if unpack and request.headers.get("accept-encoding") != "identity":
        raw = [(name, value) for name, value in raw if name != b"accept-encoding"]
        raw.append((b"accept-encoding", OFFERED.encode()))
    host = request.headers.get("host", request.url.netloc.decode("ascii")).encode("ascii")
    lines = [b"%b %b HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path), b"host: " + host]
    lines += [b"%b: %b" % pair for pair in raw]
    if any(b"\r" in line or b"\n" in line for line in lines):
        raise httpx.LocalProtocolError("a header of the request holds a line break", request=request)
    return b"\r\n".join([*lines, *framing]) + b"\r\n\r\n"
