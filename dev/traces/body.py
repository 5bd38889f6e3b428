"""A request's body, read with a bound: on the wire, and once it is unpacked.

Raises ``Unreadable`` with the HTTP status that says why; never holds more than the bounds in memory.
"""

import zlib
from typing import Final

from starlette.requests import ClientDisconnect, Request

# The collector's own receiver takes 20 MiB; our exporters send batches of a few hundred kilobytes.
MAX_WIRE_BYTES: Final = 4 * 2**20
# Spans pack about 1 : 8. What unpacks further is a mistake or an attack.
MAX_BODY_BYTES: Final = 16 * 2**20
GZIP: Final = 16 + zlib.MAX_WBITS


class Unreadable(Exception):
    """The body cannot be taken; ``status`` is the answer."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


async def read_body(request: Request) -> bytes:
    """Return the whole body, unpacked."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", ""}:
        raise Unreadable(415, f"content-encoding {encoding!r:.40} is not supported; send gzip or none")
    packed = await _read(request)
    return _gunzip(packed) if encoding == "gzip" else packed


async def _read(request: Request) -> bytes:
    too_large = Unreadable(413, f"the body is larger than {MAX_WIRE_BYTES} bytes; send smaller batches")
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > MAX_WIRE_BYTES:
        raise too_large
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_WIRE_BYTES:
                raise too_large
    except ClientDisconnect as error:
        raise Unreadable(400, "the sender left before the body was whole") from error
    return bytes(body)


def _gunzip(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(GZIP)
    try:
        body = unpacker.decompress(packed, MAX_BODY_BYTES)
    except zlib.error as error:
        raise Unreadable(400, f"the body is not gzip: {error}") from error
    if unpacker.unconsumed_tail:
        raise Unreadable(413, f"the unpacked body is larger than {MAX_BODY_BYTES} bytes; send smaller batches")
    if not unpacker.eof:
        raise Unreadable(400, "the gzip body ends too early")
    return body
