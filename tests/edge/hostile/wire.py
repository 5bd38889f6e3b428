"""HTTP/1.1 as bytes: what no honest client would send, and exactly what came back."""

import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Self

from tests.edge.edges import RunningEdge

PROBE = "/open/probe"
BOUND_S = 8.0


@dataclass(frozen=True)
class Answer:
    """One answer, whole."""

    status: int
    head: str
    body: bytes


@cache
def _context(ca: str, alpn: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca)
    context.set_alpn_protocols([alpn])
    return context


class Wire:
    """One TLS connection."""

    def __init__(self, address: tuple[str, int], ca: str, alpn: str = "http/1.1") -> None:
        bare = socket.create_connection(address, timeout=BOUND_S)
        self.socket = _context(ca, alpn).wrap_socket(bare, server_hostname="localhost")
        self.socket.settimeout(BOUND_S)
        self._data = b""

    @classmethod
    def to(cls, edge: RunningEdge, alpn: str = "http/1.1") -> Self:
        return cls(("127.0.0.1", edge.port), str(edge.ca), alpn)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> bool:
        """Send; False when the other side has gone."""
        try:
            self.socket.sendall(data)
        except TimeoutError:
            raise
        except OSError:
            return False
        return True

    def more(self) -> bool:
        """Read what there is; False at the end of the connection. An answer that does not come is an error."""
        chunk = b""
        try:
            chunk = self.socket.recv(65536)
        except TimeoutError:
            raise AssertionError(f"neither an answer nor an end within {BOUND_S} s") from None
        except OSError:
            pass  # reset: as good as closed
        self._data += chunk
        return bool(chunk)

    def take(self, size: int) -> bytes | None:
        """Read so many bytes; None when the connection ends before."""
        while len(self._data) < size:
            if not self.more():
                return None
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def answer(self) -> Answer | None:
        """Read the next answer that is not 1xx; None when the connection ends first."""
        while b"\r\n\r\n" not in self._data:
            if not self.more():
                assert not self._data, f"half an answer: {self._data[:300]!r}"
                return None
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        text = head.decode("latin-1").lower()
        status = int(text.split(" ")[1])
        if status < 200:
            return self.answer()
        lengths = [line.partition(":")[2] for line in text.split("\r\n") if line.startswith("content-length:")]
        assert len(lengths) == 1, text
        return Answer(status, text, self.take(int(lengths[0])) or b"")


def exchange(wire: Wire, sent: bytes) -> tuple[Answer | None, list[Answer]]:
    """Send bytes, then an honest request; return the first answer, and all others until the connection ended.

    When both sides agree where the first request ends, the others are the honest one's answer, or nothing.
    """
    wire.send(sent)
    first = wire.answer()
    if first is None:
        return None, []
    wire.send(f"GET {PROBE} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    if "\r\nconnection: close" in first.head:  # the edge waits for us to close, but for a second
        with suppress(OSError):
            socket.socket.shutdown(wire.socket, socket.SHUT_WR)  # below TLS: the other way stays open
    others = []
    while (answer := wire.answer()) is not None:
        others.append(answer)
    return first, others
