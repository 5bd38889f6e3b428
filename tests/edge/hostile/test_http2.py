"""The corpus over HTTP/2, frame by frame, through the real edge: what an HTTP/1.1 upstream must never be told."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from shared.grpc import frames
from tests.edge.hostile.http2 import CLOSED, GET, POST, RESET, Http2, changed
from tests.edge.hostile.rows import HIDDEN

NO_ANSWER = (RESET, CLOSED)
LINE = HIDDEN.decode()


@dataclass(frozen=True)
class Row:
    """One attack on stream 1: its fields, and its body when there is one."""

    name: str
    fields: list[tuple[str, str]]
    body: bytes | None = None
    outcomes: tuple[int, ...] = (400, *NO_ANSWER)
    reaches: int = 0
    trailers: list[tuple[str, str]] = field(default_factory=list)


# What becomes a line of its own when somebody writes it into HTTP/1.1.
INJECTED = tuple(
    Row(f"{what} in {where}", fields)
    for what, text in (("CRLF", f"x\r\n\r\n{LINE}"), ("CRLF header", "x\r\nx-user-id: victim"),
                       ("LF", "x\nx-user-id: v"), ("CR", "x\rx-user-id: v"), ("NUL", "x\0y"))
    for where, fields in (
        ("a value", changed(GET, ("x-a", text))),
        ("a name", changed(GET, (text, "1"))),
        (":path", changed(path=f"/open/{text}")),
        (":method", changed(method=f"GET {text}")),
        (":authority", changed(authority=f"localhost{text}")),
        (":scheme", changed(scheme=f"https{text}")),
    )
)  # fmt: skip

DOWNGRADED = (
    Row("transfer-encoding", changed(POST, ("transfer-encoding", "chunked")), b"0\r\n\r\n" + HIDDEN),
    Row("transfer-encoding in another case", changed(POST, ("Transfer-Encoding", "chunked")), b"0\r\n\r\n" + HIDDEN),
    Row("transfer-encoding and a length", changed(POST, ("transfer-encoding", "chunked"), ("content-length", "5")),
        b"hello"),
    Row("a length below the body", changed(POST, ("content-length", "0")), HIDDEN),
    Row("a length beyond the body", changed(POST, ("content-length", "5000")), HIDDEN),
    Row("a length with no body", changed(GET, ("content-length", "5"))),
    Row("two lengths", changed(POST, ("content-length", "5"), ("content-length", "0")), b"hello"),
    Row("two equal lengths", changed(POST, ("content-length", "5"), ("content-length", "5")), b"hello",
        (200, 400, *NO_ANSWER), 1),
    Row("a list of lengths", changed(POST, ("content-length", "5, 5")), b"hello"),
    Row("a length with a sign", changed(POST, ("content-length", "+5")), b"hello"),
    Row("a length that overflows", changed(POST, ("content-length", "18446744073709551621")), b"hello"),
    Row("a length in another case", changed(POST, ("Content-Length", "0")), HIDDEN),
    Row("connection", changed(GET, ("connection", "x-stamp"))),
    Row("keep-alive", changed(GET, ("keep-alive", "timeout=9"))),
    Row("upgrade", changed(GET, ("upgrade", "websocket"), ("connection", "upgrade"))),
    Row("te", changed(GET, ("te", "gzip")), None, (200, 400, *NO_ANSWER), 1),
    Row("an upper-case name", changed(GET, ("X-User-Id", "victim"))),
    Row("an empty name", changed(GET, ("", "victim"))),
    Row("a space in a name", changed(GET, ("x a", "victim"))),
    Row("a colon in a name", changed(GET, ("x:a", "victim"))),
    Row("a name that is a line", changed(GET, ("transfer-encoding: chunked\r\nx", "y"))),
    Row("white space around a value", changed(POST, ("content-length", " 5 ")), b"hello", (200, 400, *NO_ANSWER), 1),
    Row("a host beside :authority", changed(GET, ("host", "evil.example.test")), None, (200, 400, *NO_ANSWER), 1),
    Row("a body that is a request", changed(POST, ("content-length", str(len(HIDDEN)))), HIDDEN, (200,), 1),
    Row("trailers that forge", changed(POST), b"hello", (200, 400, *NO_ANSWER), 1,
        [("x-user-id", "victim"), ("content-length", "0"), ("x-deadline-ms", "99999")]),
    Row("trailers with pseudo-headers", changed(POST), b"hello", (400, *NO_ANSWER), 0,
        [(":path", "/secured/smuggled")]),
    Row("trailers with CRLF", changed(POST), b"hello", (400, *NO_ANSWER), 0, [("x", f"a\r\n\r\n{LINE}")]),
)  # fmt: skip

PSEUDO = (
    Row("two paths", [*GET, (":path", "/secured/smuggled")]),
    Row("two methods", [(":method", "GET"), *GET]),
    Row("two authorities", [*GET, (":authority", "evil.example.test")]),
    Row("no path", [one for one in GET if one[0] != ":path"]),
    Row("no method", list(GET[1:])),
    Row("no scheme", [one for one in GET if one[0] != ":scheme"]),
    Row("no authority", [one for one in GET if one[0] != ":authority"]),
    Row("an empty path", changed(path="")),
    Row("an unknown one", [*GET, (":forged", "1")]),
    Row("one of answers", [*GET, (":status", "200")]),
    Row("after the others", [*GET[:3], ("x-a", "1"), GET[3]]),
    Row("a path without a slash", changed(path="open/x"), None, (400, 404, *NO_ANSWER)),
    Row("a path that is absolute", changed(path="https://localhost/open/x"), None, (400, 404, *NO_ANSWER)),
    Row("a path with a space", changed(path="/open/x HTTP/1.1"), None, (400, 404, *NO_ANSWER)),
    Row("a path of a star", changed(path="*"), None, (400, 404, *NO_ANSWER)),
    Row("a path with a fragment", changed(path="/open/x#/../secured"), None, (400, 404, *NO_ANSWER)),
    Row("a path with dots", changed(path="/open/../secured/r"), None, (401,)),
    Row("a path that is not UTF-8", changed(path="/open/%c0%af..%c0%afsecured"), None, (400,)),
    Row("an authority with a user", changed(authority="victim@localhost"), None, (400, 404, *NO_ANSWER)),
    Row("an authority that is a list", changed(authority="localhost,evil.example.test"), None, (400, 404, *NO_ANSWER)),
    Row("an unknown authority", changed(authority="evil.example.test"), None, (404,)),
    Row("a scheme that lies", changed(scheme="http"), None, (200, 400, *NO_ANSWER), 1),
    Row("a scheme of files", changed(scheme="file"), None, (200, 400, *NO_ANSWER), 1),
    Row("CONNECT", [(":method", "CONNECT"), (":authority", "localhost:443")], None, (400, 405, *NO_ANSWER)),
    Row("CONNECT that is extended", changed(GET, (":protocol", "websocket"), method="CONNECT"), None,
        (400, 403, 405, *NO_ANSWER)),
    Row("CONNECT for UDP", changed(GET, (":protocol", "connect-udp"), method="CONNECT"), None,
        (400, 403, 405, *NO_ANSWER)),
    Row("a method with a space", changed(method="GET /secured/smuggled")),
    Row("300 lines", changed(GET, *((f"x-{number}", "y") for number in range(300))), None, (431, *NO_ANSWER)),
    Row("a line of 60 KB", changed(GET, ("x-a", "b" * 60_000)), None, (431, *NO_ANSWER)),
    Row("a line of 17 KB", changed(GET, ("x-a", "b" * 17_000)), None, (431, *NO_ANSWER)),
)  # fmt: skip

ROWS = [pytest.param(row, id=row.name) for row in (*INJECTED, *DOWNGRADED, *PSEUDO)]


@pytest.mark.parametrize("row", ROWS)
def test_a_hostile_stream_is_refused_or_judged_as_one_request(attacked, recorder, row: Row):
    """Its stream ends without an answer, or with a refusal; nothing in it becomes a line or a request upstream."""
    before = len(recorder.requests)
    with Http2(attacked) as http2:
        http2.send(whole(http2, row))
        outcome = http2.outcome(1)
    arrived = [one.target for one in recorder.requests[before:]]
    assert outcome in row.outcomes, (outcome, arrived)
    assert len(arrived) == (row.reaches if outcome == 200 else 0), (outcome, arrived)


def whole(http2: Http2, row: Row) -> bytes:
    """Return the frames of one request; a head beyond a frame's size goes on in CONTINUATION."""
    block = http2.encoder.encode(row.fields)
    pieces = [block[at : at + frames.DEFAULT_FRAME_SIZE] for at in range(0, len(block), frames.DEFAULT_FRAME_SIZE)]
    ends = 0 if row.body is not None else frames.END_STREAM
    sent = b""
    for number, piece in enumerate(pieces):
        last = frames.END_HEADERS if number == len(pieces) - 1 else 0
        kind, flags = (frames.HEADERS, last | ends) if number == 0 else (frames.CONTINUATION, last)
        sent += frames.frame(kind, flags, 1, piece)
    if row.body is not None:
        sent += frames.frame(frames.DATA, 0 if row.trailers else frames.END_STREAM, 1, row.body)
    return sent + (http2.head(1, row.trailers) if row.trailers else b"")


def head_then(*more: bytes) -> Callable[[Http2], bytes]:
    return lambda http2: http2.head(1, POST, frames.END_HEADERS) + b"".join(more)


WINDOW = frames.MAX_WINDOW.to_bytes(4, "big")
BROKEN = {
    "DATA on a stream that is none": lambda _: frames.frame(frames.DATA, 1, 1, b"x"),
    "DATA on the connection": lambda _: frames.frame(frames.DATA, 1, 0, b"x"),
    "HEADERS on an even stream": lambda http2: http2.head(2),
    "HEADERS on the connection": lambda http2: http2.head(0),
    "CONTINUATION of nothing": lambda http2: frames.frame(frames.CONTINUATION, 4, 1, http2.encoder.encode(GET)),
    "something between HEADERS and CONTINUATION": lambda http2: http2.head(1, GET, frames.END_STREAM)
    + frames.frame(frames.PING, 0, 0, bytes(8)),
    "HPACK that is none": lambda _: frames.frame(frames.HEADERS, 5, 1, b"\xff\xff\xff\xff\xff\xff\xff\xff"),
    "an index beyond the table": lambda _: frames.frame(frames.HEADERS, 5, 1, b"\xfe"),
    "a table larger than allowed": lambda _: frames.frame(frames.HEADERS, 5, 1, b"\x3f\xe1\xff\xff\xff\x07\x82"),
    "a frame larger than allowed": head_then(frames.frame(frames.DATA, 1, 1, bytes(20_000))),
    "more padding than frame": head_then(frames.frame(frames.DATA, frames.PADDED | 1, 1, b"\xffx")),
    "a window update of nothing": lambda _: frames.frame(frames.WINDOW_UPDATE, 0, 0, bytes(4)),
    "a window that overflows": lambda _: frames.frame(frames.WINDOW_UPDATE, 0, 0, WINDOW) * 2,
    "a window beyond the most in SETTINGS": lambda _: frames.settings({frames.INITIAL_WINDOW_SIZE: 2**31}),
    "a frame size beyond the most in SETTINGS": lambda _: frames.settings({frames.MAX_FRAME_SIZE: 2**24}),
    "push that is neither": lambda _: frames.settings({frames.ENABLE_PUSH: 7}),
    "SETTINGS of an odd length": lambda _: frames.frame(frames.SETTINGS, 0, 0, b"12345"),
    "SETTINGS of a stream": lambda _: frames.frame(frames.SETTINGS, 0, 1),
    "an ACK with a payload": lambda _: frames.frame(frames.SETTINGS, frames.ACK, 0, bytes(6)),
    "PING of an odd length": lambda _: frames.frame(frames.PING, 0, 0, b"1"),
    "PING on a stream": lambda _: frames.frame(frames.PING, 0, 1, bytes(8)),
    "a reset of a stream that is none": lambda _: frames.reset(1, frames.CANCEL),
    "a push from a client": lambda _: frames.frame(frames.PUSH_PROMISE, 4, 1, bytes(4)),
}  # fmt: skip


def test_a_peer_that_breaks_the_protocol_is_sent_away(attacked, recorder):
    """RFC 9113 §5.4.1: the connection ends, and no request of it goes on. All at once: each end takes a second."""
    before = len(recorder.requests)
    with ExitStack() as stack:
        peers = {name: stack.enter_context(Http2(attacked)) for name in BROKEN}
        for name, peer in peers.items():
            peer.send(BROKEN[name](peer))
        assert [name for name, peer in peers.items() if not peer.until_closed()] == []
    assert not [one for one in recorder.requests[before:] if one.target != "/open/x"]


def test_an_unknown_frame_is_nothing(attacked):
    """RFC 9113 §5.5: ignored, so that the protocol can grow."""
    with Http2(attacked) as http2:
        http2.send(frames.frame(0xBE, 0xFF, 0, b"grease") + http2.head(1))
        assert http2.outcome(1) == 200


def test_a_stream_number_that_goes_back_opens_nothing(attacked, recorder):
    """RFC 9113 §5.1.1: 3 is closed once 5 is open. Envoy takes no notice of it."""
    before = len(recorder.requests)
    with Http2(attacked) as http2:
        http2.send(http2.head(5) + http2.head(3, changed(path="/open/back")))
        assert http2.outcome(5) == 200
        http2.send(http2.head(7))
        assert http2.outcome(7) in (200, CLOSED)
    assert "/open/back" not in [one.target for one in recorder.requests[before:]]
