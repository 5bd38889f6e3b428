"""The seam between a call and its transport.

Owns the shape of a request on its way out and of the reply on its way back. The fast channel is ``wire/``; the stock
one, over any httpx transport, is ``httpx_channel.py``; tests script their own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from shared.errors import CallFailed

Headers = tuple[tuple[str, str], ...]
BREAKS: Final = frozenset("\r\n")


class OutboundRequest(NamedTuple):
    """One attempt, ready to be written.

    ``target`` is percent-encoded; ``fields`` are header lines as they go over the wire (``field_lines``), with
    lower-case names and without Host and length. An answer with a body over ``max_body_bytes`` is invalid.
    """

    method: str
    target: str
    fields: bytes
    body: bytes
    idempotent: bool
    max_body_bytes: int

    @property
    def headers(self) -> Headers:
        """The header lines as names and values."""
        pairs = (line.split(": ", 1) for line in self.fields.decode("latin-1").split("\r\n")[:-1])
        return tuple((name, value) for name, value in pairs)


def field_lines(headers: Iterable[tuple[str, str]]) -> bytes:
    """Return headers as lines, each with its end. Raises ValueError when one would break out of its line."""
    for name, value in headers:
        if not BREAKS.isdisjoint(name) or not BREAKS.isdisjoint(value):
            raise ValueError("a header of the request holds a line break")
    return "".join([f"{name}: {value}\r\n" for name, value in headers]).encode("latin-1")


class Reply(Protocol):
    """A whole answer of a backend."""

    @property
    def status(self) -> int:
        """HTTP status."""

    @property
    def body(self) -> bytes:
        """The whole body; never larger than the request allowed."""

    def headers_among(self, names: frozenset[bytes]) -> Headers:
        """Return the headers of these (lower-case) names, in order; reads nothing else."""

    def header(self, name: str) -> str | None:
        """Return the value of the first header of that (lower-case) name."""


@dataclass(frozen=True, slots=True)
class PlainReply:
    """A reply whose headers are already read: lower-case names."""

    status: int
    body: bytes
    headers: Headers = ()

    def headers_among(self, names: frozenset[bytes]) -> Headers:
        """Return the headers of these (lower-case) names, in order."""
        return tuple((name, value) for name, value in self.headers if name.encode("latin-1") in names)

    def header(self, name: str) -> str | None:
        """Return the value of the first header of that (lower-case) name."""
        return next((value for key, value in self.headers if key == name), None)


class Receiver(Protocol):
    """Who waits for a reply. Exactly one of the two is called, at most once, and never after ``abort``."""

    def replied(self, reply: Reply) -> None:
        """Take the whole answer."""

    def broke(self, error: CallFailed) -> None:
        """Take the failure of the exchange."""


class Exchange(Protocol):
    """A request under way."""

    def abort(self) -> None:
        """Give it up at once: the backend sees the connection close, and the receiver hears nothing more."""


class Channel(Protocol):
    """A way to one backend."""

    def send(self, request: OutboundRequest, receiver: Receiver) -> Exchange:
        """Start an exchange; returns without waiting."""

    async def aclose(self) -> None:
        """Close every connection."""
