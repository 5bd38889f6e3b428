"""An answer read the slow and obvious way: the whole of what came, against the grammar of RFC 9112.

A second opinion on bytes nobody has thought of. It knows nothing of parts, connections or speed, and says only *this is
an answer* or *this is none*. Where the RFC leaves the choice, it chooses as the corpus does: strictly.
"""

import re
from typing import NamedTuple

from tests.shared.backends.wire.cases import Answer

MAX_HEAD = 128 * 1024
MAX_HEADERS = 256
MAX_OVERHEAD = 16
TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
EMPTY_LINES = re.compile(rb"(?:\r\n)*")
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n]*)?")
FIELD = re.compile(rb"(" + TOKEN + rb"):([\t \x21-\x7e\x80-\xff]*)")
QUOTED = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
EXTENSION = rb";" + TOKEN + rb"(?:=(?:" + TOKEN + rb"|" + QUOTED + rb"))?"
CHUNK = re.compile(rb"([0-9A-Fa-f]+)(?:" + EXTENSION + rb")*")


class NoAnswerError(Exception):
    """What came is no whole answer, and whatever follows cannot make it one, or nothing follows."""


class Head(NamedTuple):
    status: int
    fields: list[tuple[bytes, bytes]]

    def of(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.fields if key.lower() == name]

    def options(self) -> set[bytes]:
        """What is said of the connection, in old proxies' words too."""
        said = self.of(b"connection") + self.of(b"proxy-connection")
        return {one.strip(b" \t").lower() for value in said for one in value.split(b",")}


def read(raw: bytes, *, method: str, closed: bool, max_body: int) -> Answer:
    """Return the answer that ``raw`` begins with; ``closed`` if the backend closed in order behind it."""
    head, rest = _final_head(raw)
    body = _body(head, rest, method, closed=closed)
    if len(body) > max_body:
        raise NoAnswerError("too large")
    headers = ((name.decode().lower(), value.strip(b" \t").decode("latin-1")) for name, value in head.fields)
    return Answer(head.status, body, tuple(headers))


def _final_head(raw: bytes) -> tuple[Head, bytes]:
    rest = raw
    while True:
        rest = rest[len(EMPTY_LINES.match(rest)[0]) :]  # type: ignore[index]  # matches nothing, too
        head, end, rest = rest.partition(b"\r\n\r\n")
        if not end or len(raw) - len(rest) - len(end) > MAX_HEAD:
            raise NoAnswerError("no end of the head, or too late")
        first, *lines = head.split(b"\r\n")
        if (line := STATUS_LINE.fullmatch(first)) is None or line[2] == b"101":
            raise NoAnswerError("no status line, or one of another protocol")
        found = Head(int(line[2]), _fields(lines))
        if found.status >= 200:
            if len(lines) > MAX_HEADERS:
                raise NoAnswerError("too many headers")
            return found, rest
        options = found.options()
        if b"close" in options or (line[1] == b"0" and b"keep-alive" not in options):
            raise NoAnswerError("a prelude to nothing")
        _framing(found)  # it has no body, and still must not lie about one


def _fields(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    found = [FIELD.fullmatch(line) for line in lines]
    if None in found:
        raise NoAnswerError("no header")
    return [(one[1], one[2]) for one in found if one]


def _framing(head: Head) -> tuple[int | None, bool]:
    """Return the length that is said, if any, and whether chunks follow."""
    lengths = [value.strip(b" \t") for value in head.of(b"content-length")]
    codings = [value.strip(b" ").lower() for value in head.of(b"transfer-encoding")]
    if len(lengths) + len(codings) > 1 or codings not in ([], [b"chunked"]):
        raise NoAnswerError("framing in doubt")
    if lengths and (not re.fullmatch(rb"[0-9]+", lengths[0]) or int(lengths[0]) >= 1 << 64):
        raise NoAnswerError("no length")
    return int(lengths[0]) if lengths else None, bool(codings)


def _body(head: Head, raw: bytes, method: str, *, closed: bool) -> bytes:
    length, chunked = _framing(head)
    if method == "HEAD" or head.status in {204, 304}:
        return b""
    if chunked:
        return _chunked(raw)
    if length is not None:
        if len(raw) < length:
            raise NoAnswerError("cut short")
        return raw[:length]
    if not closed:
        raise NoAnswerError("no end")
    return raw


def _chunked(raw: bytes) -> bytes:
    body, rest = b"", raw
    while True:
        line, end, rest = rest.partition(b"\r\n")
        if not end or (chunk := CHUNK.fullmatch(line)) is None:
            raise NoAnswerError("no chunk")
        size = int(chunk[1], 16)
        if size == 0:
            break
        if rest[size : size + 2] != b"\r\n":
            raise NoAnswerError("a chunk without its end")
        body += rest[:size]
        rest = rest[size + 2 :]
    rest = _after_trailers(rest)
    if len(raw) - len(rest) > MAX_HEAD + (1 + MAX_OVERHEAD) * len(body):
        raise NoAnswerError("more framing than body")
    return body


def _after_trailers(raw: bytes) -> bytes:
    lines = []
    while (parted := raw.partition(b"\r\n"))[1]:
        line, _, raw = parted
        if not line:
            if any(name.lower() == b"content-length" for name, _ in _fields(lines)):
                raise NoAnswerError("a length among the trailers")
            return raw
        lines.append(line)
    raise NoAnswerError("no end of the trailers")
