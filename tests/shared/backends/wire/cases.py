"""What a case of the corpus is: the bytes a backend sends, and what a right client makes of them.

A case is played on the first connection that asks; every later request, on that connection or another, gets ``NEXT``.
What is right is decided by RFC 9112 and RFC 9110, not by any client. The corpus is ``corpus.py``.
"""

from dataclasses import dataclass, replace
from enum import Enum, StrEnum

BODY = b'{"a":1}'
NEXT_BODY = b'"next"'
NEXT = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n" + NEXT_BODY

OK = "HTTP/1.1 200 OK"
LENGTH = "content-length: 7"
CHUNKED = "transfer-encoding: chunked"
CHUNKS = b"7\r\n" + BODY + b"\r\n0\r\n\r\n"

Headers = tuple[tuple[str, str], ...]


class Fate(StrEnum):
    """What becomes of a request that gets no answer."""

    REFUSED = "refused: what came is no valid HTTP"
    CUT = "the connection ended before the answer was whole"
    WAITING = "still waiting: nothing is wrong yet, and nothing is whole"
    CRASHED = "an error that no caller expects"


class End(Enum):
    """What the backend does once the case's bytes are out."""

    KEEP = "keeps the connection"
    CLOSE = "closes in order"
    RESET = "resets"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: names of headers in lower case, values stripped, all in order."""

    status: int
    body: bytes
    headers: Headers = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """``parts`` arrive one by one, ``late`` once the client has its answer and sits idle."""

    name: str
    parts: tuple[bytes, ...]
    outcome: Answer | Fate
    reused: bool = False
    end: End = End.KEEP
    late: bytes = b""
    method: str = "GET"

    def split(self, name: str, *parts: bytes) -> "Case":
        """Return the same bytes under another name, arriving in these parts."""
        assert b"".join(parts) == b"".join(self.parts)
        return replace(self, name=name, parts=parts)


def head(*lines: str | bytes) -> bytes:
    """Return a status line and headers, ended by an empty line."""
    return b"\r\n".join(line if isinstance(line, bytes) else line.encode("latin-1") for line in (*lines, b"", b""))


def fields(raw: bytes) -> Headers:
    """Return the headers of the last head that is not 1xx, read as plainly as possible."""
    lines = raw.split(b"\r\n\r\n")[0].split(b"\r\n")
    pairs = (line.decode("latin-1").partition(":") for line in lines[1:])
    return tuple((name.lower(), value.strip(" \t")) for name, _, value in pairs)


def taken(name, *raw, status=200, body=BODY, headers=None, reused=True, end=End.KEEP, late=b"", method="GET"):
    """Return a case that must be taken as an answer; its connection may serve again, unless told."""
    first = b"".join(raw).lstrip(b"\r\n")
    answer = Answer(status, body, fields(first) if headers is None else headers)
    return Case(name=name, parts=raw, outcome=answer, reused=reused, end=end, late=late, method=method)


def closing(name, *raw, **rest):
    """Return a case taken as an answer, after which the connection is of no use."""
    return taken(name, *raw, reused=False, **rest)


def until_close(name, *raw, **rest):
    """Return a case whose body ends with the connection."""
    return taken(name, *raw, reused=False, end=End.CLOSE, **rest)


def refused(name, *raw, end=End.KEEP, method="GET"):
    """Return a case that no client may take for an answer, though the backend does not even close."""
    return Case(name=name, parts=raw, outcome=Fate.REFUSED, end=end, method=method)


def cut(name, *raw, end=End.CLOSE, method="GET"):
    """Return a case that ends too early."""
    return Case(name=name, parts=raw, outcome=Fate.CUT, end=end, method=method)


def waiting(name, *raw, method="GET"):
    """Return a case that is fine as far as it goes."""
    return Case(name=name, parts=raw, outcome=Fate.WAITING, method=method)
