"""Compressed answers, for a backend whose policy asks for them: a channel around its channel, whichever that is.

Owns the offer and the undoing. Backends near by answer faster uncompressed (that is the default): packing a screen's
20 KB costs them more time than a network inside one region takes to carry it.
"""

from typing import Final

from shared.backends.channel import Channel, Exchange, Headers, OutboundRequest, Receiver, Reply, field_lines
from shared.backends.wire.unpacking import OFFERED, UnfitBodyError, Unpacking
from shared.errors import BackendInvalid, CallFailed

CODING: Final = frozenset({b"content-encoding"})
OFFER: Final = field_lines((("accept-encoding", OFFERED),))


class PackedChannel:
    """A ``Channel`` that offers gzip, br and zstd, and hands out what comes back unpacked."""

    def __init__(self, backend: str, inner: Channel) -> None:
        self._backend = backend
        self._inner = inner

    def send(self, request: OutboundRequest, receiver: Receiver) -> Exchange:
        """Start an exchange; ``max_body_bytes`` bounds the body both as it comes and as it is handed out."""
        offering = request._replace(fields=request.fields + OFFER)
        return self._inner.send(offering, _Unpacked(self._backend, request.max_body_bytes, receiver))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._inner.aclose()


class _Unpacked:
    """A receiver before the receiver."""

    __slots__ = ("_backend", "_limit", "_receiver")

    def __init__(self, backend: str, limit: int, receiver: Receiver) -> None:
        self._backend = backend
        self._limit = limit
        self._receiver = receiver

    def replied(self, reply: Reply) -> None:
        try:
            plain = unpacked(reply, self._limit)
        except UnfitBodyError as unfit:
            self._receiver.broke(BackendInvalid(self._backend, str(unfit)))
        else:
            self._receiver.replied(plain)

    def broke(self, error: CallFailed) -> None:
        self._receiver.broke(error)


def unpacked(reply: Reply, limit: int) -> Reply:
    """Return a reply whose body is in no coding. Raises UnfitBodyError."""
    said = ",".join(value for _, value in reply.headers_among(CODING)).strip().lower()
    if said in {"", "identity"} or not reply.body:
        return reply
    unpacking = Unpacking(said, limit)
    body = b"".join(unpacking.pieces(reply.body))
    unpacking.finish()
    return _Plain(reply, body)


class _Plain:
    """A reply with another body; its headers stay unread until someone asks."""

    __slots__ = ("_reply", "body", "status")

    def __init__(self, reply: Reply, body: bytes) -> None:
        self._reply = reply
        self.body = body
        self.status = reply.status

    def headers_among(self, names: frozenset[bytes]) -> Headers:
        return self._reply.headers_among(names)

    def header(self, name: str) -> str | None:
        return self._reply.header(name)
