"""One HTTP/1.1 connection to a backend: writes a request, reads one reply, reports how it ended.

Which connection carries which request is ``pool.py``'s business; what an answer is, that of ``plain.py`` and
``reading.py``. A connection that is in doubt (bytes nobody asked for, an answer cut short, a caller that gave up) is
closed, never reused.
"""

import asyncio
from typing import Protocol, cast

from shared.backends.channel import Reply
from shared.backends.wire.message import Head, WireReply
from shared.backends.wire.plain import PlainAnswers
from shared.backends.wire.reading import InvalidAnswerError, Reading
from shared.backends.wire.tls import said_goodbye


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
    """An asyncio protocol for one exchange at a time."""

    __slots__ = (
        "_closed", "_ended", "_head", "_owner", "_plain", "_reading", "_transport", "answered", "busy", "expires_s",
        "idle_limit_s", "retires_s", "reusable", "served",
    )  # fmt: skip

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._plain = PlainAnswers()
        self._head: Head
        self._reading: Reading | None = None  # of an answer that is not plain
        self._closed = False
        self._ended = False
        self.answered = False
        self.busy = False
        self.reusable = False
        self.served = 0
        # Set by the pool and by idle.py: how long it may idle, until when at all, and what follows while it idles.
        self.idle_limit_s = self.retires_s = self.expires_s = 0.0

    def send(self, head: Head) -> None:
        """Write a whole request."""
        self._head = head
        self.answered = self.reusable = False
        self.busy = True
        assert self._transport is not None  # noqa: S101 - the pool sends only on an open connection
        self._transport.write(head.raw)

    def close(self) -> None:
        """Close at once; whoever waits hears nothing more."""
        self._closed = True
        self.busy = False
        self._end_reading()
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
        """Read the answer; bytes that nobody asked for end the connection."""
        if self.busy and not self.answered and (reply := self.read_plain(data)) is not None:
            self.busy = False
            self.served += 1
            self.reusable = True
            self._owner.on_reply(self, reply)
        else:
            self._receive(data)

    def _receive(self, data: bytes) -> None:
        """Take a part of an answer that is not plain."""
        if not self.busy:
            if not self._closed:
                self.close()
                self._owner.on_idle_closed(self)
            return
        if not self.answered:
            self.answered = True
            self._reading = self.begin_reading(self._head)
        assert self._reading is not None  # noqa: S101 - made with the first byte
        self._read(self._reading, data)

    def read_plain(self, data: bytes) -> WireReply | None:
        """Return the answer if ``data`` is all of it and nothing about it is odd."""
        head = self._head
        return None if head.method == "HEAD" else self._plain.read(data, head.max_body_bytes)

    def begin_reading(self, head: Head) -> Reading:
        """Return what reads an answer that is not plain."""
        return Reading(limit=head.max_body_bytes, head_request=head.method == "HEAD")

    def _read(self, reading: Reading, data: bytes) -> None:
        try:
            reading.feed(data)
        except InvalidAnswerError as error:
            self._fail(str(error), invalid=True)
        else:
            if reading.complete:
                self._deliver(reading.reply(), reusable=reading.reusable)

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
        reading = self._reading
        if not self.busy:
            self._owner.on_idle_closed(self)
        elif self._ended and reading is not None and not reading.framed:
            self._deliver(reading.reply(), reusable=False)
        else:
            self._fail("closed before the answer was whole" if self.answered else "closed without an answer")

    def _end_reading(self) -> None:
        if self._reading is not None:
            self._reading.release()
            self._reading = None

    def _deliver(self, reply: WireReply, *, reusable: bool) -> None:
        self._end_reading()
        self.busy = False
        self.served += 1
        self.reusable = reusable
        if not reusable:
            self.close()
        self._owner.on_reply(self, reply)

    def _fail(self, detail: str, *, invalid: bool = False) -> None:
        self._end_reading()
        answered = self.answered
        self.close()
        self._owner.on_broken(self, BrokenExchangeError(detail, answered=answered, invalid=invalid))
