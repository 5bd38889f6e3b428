"""Reads one answer, however it comes: in pieces, chunked, without a length, after 1xx, or not as HTTP at all.

Owns framing and its limits, by httptools. Most answers never come here: see ``plain.py``.
"""

from typing import Final

import httptools

from shared.backends.wire.message import UnfitHeadError, WireReply, check_coding, final_head, may_stay_open

# Twice what Envoy and nginx accept by default (60 KiB, 32 KiB): more is a mistake or an attack.
MAX_HEAD_BYTES: Final = 128 * 1024
# Of chunk sizes, extensions and trailers, for each byte of body: even chunks of one byte take less.
MAX_OVERHEAD: Final = 16


class InvalidAnswerError(Exception):
    """What came is no answer to our request; the text is ours and quotes nothing of it."""


class Reading:
    """One answer on its way in: httptools' set of callbacks.

    ``on_header`` is left out on purpose: a Python call for each header of each reply is the dearest part of parsing,
    and most replies' headers are never read.
    """

    __slots__ = (
        "_body", "_chunked", "_head", "_head_request", "_lasting", "_limit", "_parser", "_received", "_size",
        "complete", "framed", "in_head", "reusable",
    )  # fmt: skip

    def __init__(self, *, limit: int, head_request: bool) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._head: bytes = b""
        self._body: list[bytes] = []
        self._size = 0
        self._limit = limit
        self.in_head = True
        self._chunked = False
        self._lasting = True
        self._received = 0
        self._head_request = head_request
        self.framed = True  # until a head says otherwise
        self.complete = False
        self.reusable = False

    def feed(self, data: bytes) -> None:
        """Take what came. Raises InvalidAnswerError. What follows a whole answer only costs the connection."""
        if self.in_head:
            self._head += data
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise InvalidAnswerError("switched protocols") from None
        except (httptools.HttpParserError, InvalidAnswerError) as error:
            self.reusable = False
            if not self.complete:
                raise InvalidAnswerError(_detail(error)) from None
        if self._chunked and self._is_padded(data):
            raise InvalidAnswerError("answered with more framing than body")
        if not self.complete and self.in_head and len(self._head) > MAX_HEAD_BYTES:
            raise InvalidAnswerError("answered with too many headers")

    def _is_padded(self, data: bytes) -> bool:
        """Tell whether chunk extensions and trailers, which the parser does not bound, got out of hand."""
        self._received += len(data)
        return self._received > MAX_HEAD_BYTES + (1 + MAX_OVERHEAD) * self._size

    def reply(self) -> WireReply:
        """Return the answer, with as much of its body as was kept."""
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        return WireReply(self._parser.get_status_code(), body, self._head)

    def release(self) -> None:
        """Let go of the parser, which knows this reading: no cycle is left for the collector."""
        del self._parser

    # httptools' callbacks

    def on_headers_complete(self) -> None:
        """Note how the body is framed; 1xx is only a prelude (RFC 9110 §15.2)."""
        status = self._parser.get_status_code()
        if status < 100:  # noqa: PLR2004 - the parser takes any three digits
            raise InvalidAnswerError("answered with no HTTP status")
        if status < 200:  # noqa: PLR2004 - HTTP 1xx
            return
        self.in_head = False
        self._head = final_head(self._head, MAX_HEAD_BYTES)
        fields = self._head.lower()
        self._chunked = b"\ntransfer-encoding:" in fields
        if self._chunked:
            check_coding(fields)
        self.framed = self._chunked or b"\ncontent-length:" in fields or status in {204, 304}
        self._lasting = fields.startswith(b"http/1.1") or may_stay_open(fields)
        if self._head_request:
            self.complete = True  # httptools does not know that no body follows a HEAD

    def on_body(self, body: bytes) -> None:
        """Collect, up to the limit."""
        if self.complete:
            return
        self.count(body)
        self._body.append(body)

    def count(self, body: bytes) -> None:
        """Hold the body to its limit."""
        self._size += len(body)
        if self._size > self._limit:
            raise InvalidAnswerError(f"answered more than {self._limit} bytes")

    def on_message_begin(self) -> None:
        """Refuse a second answer to one request."""
        if self.complete:
            raise InvalidAnswerError("answered twice")

    def on_message_complete(self) -> None:
        """Mark the reply whole, unless it was only a 1xx."""
        if not self.in_head:
            self.complete = True
            self.reusable = self._lasting and self._parser.should_keep_alive() and not self._head_request


def _detail(error: Exception) -> str:
    """Dig our own reason out of httptools' wrapper; its texts may quote the payload, so they stay inside."""
    cause = error if isinstance(error, InvalidAnswerError) else error.__context__
    return (
        str(cause) if isinstance(cause, InvalidAnswerError | UnfitHeadError) else "answered something that is not HTTP"
    )
