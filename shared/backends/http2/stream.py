"""One exchange of a multiplexed connection, from ``send`` to its end."""

from collections.abc import Iterable
from typing import Protocol

from shared.backends.channel import Headers, OutboundRequest, PlainReply, Receiver
from shared.backends.wire.message import MAX_HEADERS
from shared.errors import CallFailed


class UnfitAnswerError(ValueError):
    """An answer that nobody may have: too many headers, or too large."""


class Carrier(Protocol):
    """What carries a stream."""

    def drop(self, stream: "Stream") -> None:
        """Reset a stream that was given up; the others go on."""


class Stream:
    """Waiting, under way, or over. An ``Exchange``."""

    __slots__ = (
        "body",
        "carrier",
        "headers",
        "id",
        "over",
        "receiver",
        "request",
        "resent",
        "size",
        "status",
        "unsent",
    )

    def __init__(self, request: OutboundRequest, receiver: Receiver) -> None:
        self.request = request
        self.receiver = receiver
        self.carrier: Carrier | None = None
        self.resent = False
        self.over = False
        self.begin(0)

    def begin(self, stream_id: int) -> None:
        """Start over: nothing is sent yet, nothing came back."""
        self.id = stream_id
        self.unsent = self.request.body
        self.status = 0
        self.headers: Headers = ()
        self.body: list[bytes] = []
        self.size = 0

    def head(self, scheme: str, authority: str) -> list[tuple[str, str]]:
        """Return the request's header list (RFC 9113 §8.3). Raises ValueError when a header would break out of it."""
        request = self.request
        fields = [
            (":method", request.method), (":scheme", scheme), (":authority", authority), (":path", request.target),
            *request.headers,
        ]  # fmt: skip
        if request.body or request.method in {"POST", "PUT", "PATCH"}:
            fields.append(("content-length", str(len(request.body))))
        if any("\n" in text or "\r" in text for field in fields for text in field):
            raise ValueError("a header or target of the request holds a line break")
        return fields

    def take_head(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep status and headers of the answer. Raises UnfitAnswerError when there are too many."""
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]
        if len(fields) > MAX_HEADERS:
            raise UnfitAnswerError("answered with too many headers")
        self.status = next(int(value) for name, value in fields if name == ":status")
        self.headers = tuple(field for field in fields if not field[0].startswith(":"))

    def take(self, data: bytes) -> None:
        """Keep a part of the answer's body. Raises UnfitAnswerError beyond the call's bound."""
        self.size += len(data)
        if self.size > self.request.max_body_bytes:
            raise UnfitAnswerError(f"answered more than {self.request.max_body_bytes} bytes")
        self.body.append(data)

    def abort(self) -> None:
        """Give it up: the backend sees the stream reset, the receiver hears nothing more."""
        if self.over:
            return
        self.over = True
        if self.carrier is not None:
            self.carrier.drop(self)

    def replied(self) -> None:
        """End with what came."""
        if not self.over:
            self.over = True
            self.receiver.replied(PlainReply(self.status, b"".join(self.body), self.headers))

    def broke(self, error: CallFailed) -> None:
        """End with a failure."""
        if not self.over:
            self.over = True
            self.receiver.broke(error)
