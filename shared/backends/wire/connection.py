"""One HTTP/1.1 connection to a backend: writes a request, reads one reply, reports how it ended.

Owns framing and its limits. Which connection carries which request is ``pool.py``'s business. A connection that is in
doubt (bytes nobody asked for, an answer cut short, a caller that gave up) is closed, never reused.
"""

import asyncio
from typing import Final, Protocol, cast

import httptools

from shared.backends.channel import Reply
from shared.backends.wire.message import Head, UnfitHeadError, WireReply, check_coding, final_head, may_stay_open
from shared.backends.wire.tls import said_goodbye

# Twice what Envoy and nginx accept by default (60 KiB, 32 KiB): more is a mistake or an attack.
MAX_HEAD_BYTES: Final = 128 * 1024
# Of chunk sizes, extensions and trailers, for each byte of body: even chunks of one byte take less.
MAX_OVERHEAD: Final = 16


class BrokenExchangeError(Exception):
    """The exchange failed: ``answered`` if any byte of an answer came, ``invalid`` if what came is wrong."""

    def __init__(self, detail: str, *, answered: bool = False, invalid: bool = False) -> None:
        super().__init__(detail)
        self.answered = answered
        self.invalid = invalid


class Owner(Protocol):
    """Who a connection reports to."""

    def on_reply(self, connection: "Connection", reply: Reply) -> None:
        """Take the reply; ``connection.reusable`` says whether another request may follow."""

    def on_broken(self, connection: "Connection", error: BrokenExchangeError) -> None:
        """Learn that the exchange failed; the connection is closed."""

    def on_idle_closed(self, connection: "Connection") -> None:
        """Learn that an idle connection went away."""


class Connection(asyncio.Protocol):
    """An asyncio protocol that is also httptools' set of callbacks."""

    __slots__ = (
        "_body",
        "_chunked",
        "_closed",
        "_ended",
        "_framed",
        "_head",
        "_head_request",
        "_in_head",
        "_lasting",
        "_limit",
        "_owner",
        "_parser",
        "_received",
        "_size",
        "_transport",
        "answered",
        "busy",
        "complete",
        "expires_s",
        "idle_limit_s",
        "retires_s",
        "reusable",
        "served",
    )

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._closed = False
        self._ended = False
        self._reset(limit=0, head_request=False)
        self.busy = False
        self.served = 0
        # Set by the pool and by idle.py: how long it may idle, until when at all, and what follows while it idles.
        self.idle_limit_s = self.retires_s = self.expires_s = 0.0

    def _reset(self, *, limit: int, head_request: bool) -> None:
        self._head: bytes = b""
        self._body: list[bytes] = []
        self._size = 0
        self._limit = limit
        self._in_head = True
        self._framed = False
        self._chunked = False
        self._lasting = True
        self._received = 0
        self._head_request = head_request
        self.answered = False
        self.complete = False
        self.reusable = False

    def send(self, head: Head) -> None:
        """Write a whole request."""
        self._reset(limit=head.max_body_bytes, head_request=head.method == "HEAD")
        self.busy = True
        assert self._transport is not None  # noqa: S101 - the pool sends only on an open connection
        self._transport.write(head.raw)

    def close(self) -> None:
        """Close at once; whoever waits hears nothing more."""
        self._closed = True
        self.busy = False
        if self._transport is not None:
            self._transport.abort()

    @property
    def closing(self) -> bool:
        """Whether no further request may be written."""
        return self._closed or self._transport is None or self._transport.is_closing()

    def fileno(self) -> int:
        """Return the socket's descriptor; -1 when there is none any more."""
        sock = None if self._transport is None else self._transport.get_extra_info("socket")
        return -1 if sock is None else int(sock.fileno())

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class, which inherits from nothing

    def data_received(self, data: bytes) -> None:
        """Feed the parser; bytes that nobody asked for end the connection."""
        if self._closed:
            return
        if not self.busy:
            self.close()
            self._owner.on_idle_closed(self)
            return
        self.answered = True
        if self._in_head:
            self._head += data
        if not self._feed(data):
            return
        if self._chunked and self._is_padded(data):
            self._fail("answered with more framing than body", invalid=True)
        elif self.complete:
            self._deliver()
        elif self._in_head and len(self._head) > MAX_HEAD_BYTES:
            self._fail("answered with too many headers", invalid=True)

    def _feed(self, data: bytes) -> bool:
        """Parse; False when the exchange has failed. What follows a whole answer only costs the connection."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail("switched protocols", invalid=True)
            return False
        except (httptools.HttpParserError, BrokenExchangeError) as error:
            self.reusable = False
            if not self.complete:
                self._fail(_detail(error), invalid=True)
                return False
        return True

    def _is_padded(self, data: bytes) -> bool:
        """Tell whether chunk extensions and trailers, which the parser does not bound, got out of hand."""
        self._received += len(data)
        return self._received > MAX_HEAD_BYTES + (1 + MAX_OVERHEAD) * self._size

    def eof_received(self) -> bool:
        """Note whether the backend itself said that this was all; half-closed is closed."""
        assert self._transport is not None  # noqa: S101 - who receives is connected
        self._ended = said_goodbye(self._transport.get_extra_info("ssl_object"))
        return False

    def connection_lost(self, _exc: Exception | None) -> None:
        """End what is under way: a body framed by an orderly close is whole (RFC 9112 §9.8), all else is broken."""
        was_closed, self._closed = self._closed, True
        if was_closed:
            return
        if not self.busy:
            self._owner.on_idle_closed(self)
        elif self._ended and not self._in_head and not self._framed:
            self.reusable = False
            self._deliver()
        else:
            self._fail("closed before the answer was whole" if self.answered else "closed without an answer")

    # httptools callbacks. on_header is left out on purpose: a Python call for each header of each reply is the
    # dearest part of parsing, and most replies' headers are never read.

    def on_headers_complete(self) -> None:
        """Note how the body is framed; 1xx is only a prelude (RFC 9110 §15.2)."""
        status = self._parser.get_status_code()
        if status < 100:  # noqa: PLR2004 - the parser takes any three digits
            raise BrokenExchangeError("answered with no HTTP status", invalid=True)
        if status < 200:  # noqa: PLR2004 - HTTP 1xx
            return
        self._in_head = False
        self._head = final_head(self._head, MAX_HEAD_BYTES)
        fields = self._head.lower()
        self._chunked = b"\ntransfer-encoding:" in fields
        if self._chunked:
            check_coding(fields)
        self._framed = self._chunked or b"\ncontent-length:" in fields or status in {204, 304}
        self._lasting = fields.startswith(b"http/1.1") or may_stay_open(fields)
        if self._head_request:
            self.complete = True  # httptools does not know that no body follows a HEAD

    def on_body(self, body: bytes) -> None:
        """Collect, up to the limit."""
        if self.complete:
            return
        self._size += len(body)
        if self._size > self._limit:
            raise BrokenExchangeError(f"answered more than {self._limit} bytes", invalid=True)
        self._body.append(body)

    def on_message_begin(self) -> None:
        """Refuse a second answer to one request."""
        if self.complete:
            raise BrokenExchangeError("answered twice", invalid=True)

    def on_message_complete(self) -> None:
        """Mark the reply whole, unless it was only a 1xx."""
        if not self._in_head:
            self.complete = True
            self.reusable = self._lasting and self._parser.should_keep_alive() and not self._head_request

    def _deliver(self) -> None:
        self.busy = False
        self.served += 1
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        reply = WireReply(self._parser.get_status_code(), body, self._head)
        if not self.reusable:
            self.close()
        self._owner.on_reply(self, reply)

    def _fail(self, detail: str, *, invalid: bool = False) -> None:
        answered = self.answered
        self.close()
        self._owner.on_broken(self, BrokenExchangeError(detail, answered=answered, invalid=invalid))


def _detail(error: Exception) -> str:
    """Dig our own reason out of httptools' wrapper; its texts may quote the payload, so they stay inside."""
    cause = error if isinstance(error, BrokenExchangeError) else error.__context__
    ours = isinstance(cause, BrokenExchangeError | UnfitHeadError)
    return str(cause) if ours else "answered something that is not HTTP"
