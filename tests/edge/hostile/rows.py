"""The corpus over HTTP/1.1, as a table: what is sent, what is answered first, how much of it an upstream may see.

``then``: what may follow on the same connection when an honest request is sent after it. "end": nothing, the edge has
closed; "on": that request's own answer, so both sides agree where the hostile one ended; "any": either, and no more;
"judged": what was hidden counts as a request, as the RFC has it, and its answer is a refusal.
"""

from dataclasses import dataclass
from typing import Literal

HOST = b"Host: localhost\r\n"
HIDDEN = b"GET /secured/smuggled HTTP/1.1\r\nHost: localhost\r\nX-User-Id: victim\r\n\r\n"
# An answer of none at all: the connection is closed without a word.
SILENCE = 0


@dataclass(frozen=True)
class Row:
    """One attack."""

    name: str
    sent: bytes
    statuses: tuple[int, ...] = (400,)
    reaches: int = 0
    then: Literal["end", "on", "any", "judged"] = "end"


def get(target: bytes | str, *lines: bytes, method: bytes = b"GET") -> bytes:
    target = target.encode() if isinstance(target, str) else target
    return b"%b %b HTTP/1.1\r\n%b" % (method, target, HOST) + b"".join(one + b"\r\n" for one in lines) + b"\r\n"


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return get(b"/open/x", *lines, method=b"POST") + body


def chunked(body: bytes) -> bytes:
    return post(b"Transfer-Encoding: chunked", body=body)


CHUNKED = b"Transfer-Encoding: chunked"
EMPTY_THEN_HIDDEN = b"0\r\n\r\n" + HIDDEN
LENGTH = b"Content-Length: %d" % len(EMPTY_THEN_HIDDEN)

# Which of two lengths counts: the front's or the back's (CL.TE, TE.CL, TE.TE, 0.CL).
SMUGGLING = (
    Row("CL.TE", post(LENGTH, CHUNKED, body=EMPTY_THEN_HIDDEN)),
    Row("TE.CL", post(CHUNKED, b"Content-Length: 4", body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN))),
    Row("TE.TE twice", post(CHUNKED, b"Transfer-Encoding: identity", LENGTH, body=EMPTY_THEN_HIDDEN)),
    Row("TE.TE unknown", post(b"Transfer-Encoding: xchunked", LENGTH, body=EMPTY_THEN_HIDDEN)),
    Row("TE.TE list", post(b"Transfer-Encoding: chunked, identity", LENGTH, body=EMPTY_THEN_HIDDEN)),
    Row("TE.TE gzip first", post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n")),
    Row("TE.TE chunked twice", post(CHUNKED, CHUNKED, body=EMPTY_THEN_HIDDEN)),
    Row("TE.TE space before the colon", post(b"Transfer-Encoding : chunked", LENGTH, body=EMPTY_THEN_HIDDEN)),
    Row("TE.TE tab before the colon", post(b"Transfer-Encoding\t: chunked", LENGTH, body=EMPTY_THEN_HIDDEN)),
    Row("TE.TE folded", post(b"Transfer-Encoding:\r\n chunked", LENGTH, body=EMPTY_THEN_HIDDEN)),
    Row("TE.TE behind a bare LF", post(b"X: y\nTransfer-Encoding: chunked", LENGTH, body=EMPTY_THEN_HIDDEN)),
    Row("TE.TE behind a bare CR", post(b"X: y\rTransfer-Encoding: chunked", LENGTH, body=EMPTY_THEN_HIDDEN), (200, 400),
        1, "any"),
    Row("TE.TE vertical tab", post(b"Transfer-Encoding: \x0bchunked", LENGTH, body=EMPTY_THEN_HIDDEN)),
    Row("TE.TE NUL", post(b"Transfer-Encoding: chunked\0", LENGTH, body=EMPTY_THEN_HIDDEN)),
    Row("TE.TE quoted", post(b'Transfer-Encoding: "chunked"', LENGTH, body=EMPTY_THEN_HIDDEN)),
    Row("TE.TE empty", post(b"Transfer-Encoding:", LENGTH, body=EMPTY_THEN_HIDDEN)),
    Row("TE underscore", post(b"Transfer_Encoding: chunked", LENGTH, body=EMPTY_THEN_HIDDEN), then="any"),
    Row("TE over HTTP/1.0", post(CHUNKED, LENGTH, body=EMPTY_THEN_HIDDEN).replace(b"1.1", b"1.0", 1), (400, 426)),
    Row("TE with a GET", get(b"/open/x", CHUNKED, LENGTH) + EMPTY_THEN_HIDDEN),
    Row("0.CL space before the colon", post(b"Content-Length : %d" % len(HIDDEN), body=HIDDEN)),
    Row("0.CL folded", post(b"Content-Length:\r\n %d" % len(HIDDEN), body=HIDDEN), (200, 400), 1, "any"),
    Row("0.CL underscore", post(b"Content_Length: %d" % len(HIDDEN), b"Content-Length: 0"), then="any"),
    Row("0.CL NUL", post(b"Content-Length\0: %d" % len(HIDDEN), body=HIDDEN)),
    Row("0.CL odd expectation", post(b"Expect: y 100-continue", b"Content-Length: %d" % len(HIDDEN), body=HIDDEN),
        (200, 417), 1, "any"),
    Row("expectation with a GET", get(b"/open/x", b"Expect: 100-continue", b"Content-Length: %d" % len(HIDDEN))
        + HIDDEN, (200,), 1, "on"),
    Row("a request as a body", post(b"Content-Length: %d" % len(HIDDEN), body=HIDDEN), (200,), 1, "on"),
    Row("a request behind a GET without a length", get(b"/open/x") + HIDDEN, (200,), 1, "judged"),
)  # fmt: skip

LENGTHS = (
    *(
        Row(f"Content-Length {value!r}", post(b"Content-Length: " + value, body=b"hello" + HIDDEN))
        for value in (
            b"5, 6", b"5,5", b"+5", b"-5", b"0x5", b"5 5", b"5;x", b"", b"9" * 40, b"18446744073709551621", b"5.0",
            b"5e0", b"5\0", b"\x0b5", b"five", b"\xd9\xa5", b"5_0", b"0, 5",
        )
    ),
    Row("two lengths", post(b"Content-Length: 5", b"Content-Length: 9", body=b"hello" + HIDDEN)),
    Row("two equal lengths", post(b"Content-Length: 5", b"Content-Length: 5", body=b"hello" + HIDDEN)),
    Row("a length in another case", post(b"Content-Length: 5", b"CONTENT-LENGTH: 0", body=b"hello" + HIDDEN)),
    Row("a length that is too long", post(b"Content-Length: 5000", body=HIDDEN), (408,)),
    Row("a length beyond the limit", post(b"Content-Length: 9999999", body=b"x" * 70_000), (413,)),
)  # fmt: skip

CHUNKS = (
    *(
        Row(f"chunk {name}", chunked(body), statuses)
        for name, body, statuses in (
            ("size zz", b"zz\r\n" + HIDDEN, (400,)),
            ("size -1", b"-1\r\nx\r\n0\r\n\r\n", (400,)),
            ("size +5", b"+5\r\nhello\r\n0\r\n\r\n", (400,)),
            ("size 0x5", b"0x5\r\nhello\r\n0\r\n\r\n", (400,)),
            ("size 5_0", b"5_0\r\nhello\r\n0\r\n\r\n", (400,)),
            ("size overflow", b"ffffffffffffffffff\r\nhello\r\n0\r\n\r\n", (400,)),
            ("size that wraps", b"10000000000000005\r\nhello\r\n0\r\n\r\n" + HIDDEN, (400,)),
            ("size empty", b"\r\nhello\r\n0\r\n\r\n", (400,)),
            ("without its CRLF", b"5\r\nhello0\r\n\r\n" + HIDDEN, (400,)),
            ("bare LF after the size", b"5\nhello\r\n0\r\n\r\n" + HIDDEN, (400,)),
            ("bare LF in an extension", b"5;a\nhello\r\n0\r\n\r\n" + HIDDEN, (400,)),
            ("bare CR in an extension", b"5;a\rb\r\nhello\r\n0\r\n\r\n" + HIDDEN, (400,)),
            ("no end", b"5\r\nhello\r\n", (408,)),
            ("beyond the limit", b"11170\r\n" + b"x" * 70_000 + b"\r\n0\r\n\r\n", (413,)),
        )
    ),
    Row("chunk extension", chunked(b'5;a=b;c="d"\r\nhello\r\n0\r\n\r\n'), (200,), 1, "on"),
    # What RFC 9112 lets a server skip: what is skipped is not sent on, so nobody can read it otherwise.
    Row("chunk longer than said", chunked(b"3\r\nhello\r\n0\r\n\r\n" + HIDDEN), (200, 400), 1, "judged"),
    Row("chunk with NUL in its extension", chunked(b"5;a\0b\r\nhello\r\n0\r\n\r\n" + HIDDEN), (200, 400), 1,
        "judged"),
    Row("chunk with 40 KB of extension", chunked(b"5;" + b"a" * 40_000 + b"\r\nhello\r\n0\r\n\r\n"), (200, 400), 1,
        "any"),
    Row("chunk after the last", chunked(b"0\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), (200,), 1, "judged"),
    Row("trailers that forge", chunked(b"5\r\nhello\r\n0\r\nX-User-Id: victim\r\nX-Deadline-Ms: 99999\r\n\r\n"),
        (200,), 1, "on"),
    Row("trailers that reframe", chunked(b"5\r\nhello\r\n0\r\nContent-Length: 99\r\n\r\n"), (200, 400), 1, "any"),
    Row("trailers that recode", chunked(b"5\r\nhello\r\n0\r\nTransfer-Encoding: x\r\n\r\n"), (200, 400), 1, "any"),
    Row("trailers without an end", chunked(b"0\r\n" + b"X: y\r\n" * 20_000 + b"\r\n"), (400, 413, 431)),
    Row("trailers with a bare LF", chunked(b"0\r\nX: y\nX-User-Id: victim\r\n\r\n"), (200, 400), 1, "any"),
)  # fmt: skip

REQUEST_LINES = (
    Row("two spaces", get(b" /open/x"), (200, 400), 1, "any"),
    Row("a tab", get(b"/open/x").replace(b" ", b"\t", 1), (200, 400), 1, "any"),
    Row("version 1.2", get(b"/open/x").replace(b"1.1", b"1.2", 1), (400, 426)),
    Row("version 1.10", get(b"/open/x").replace(b"1.1", b"1.10", 1)),
    Row("version 2.0", get(b"/open/x").replace(b"1.1", b"2.0", 1), (400, 426)),
    Row("version 0.9", b"GET /open/x\r\n\r\n", (400, 426)),
    Row("an HTTP/2 preface where HTTP/1.1 was agreed", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, SILENCE)),
    Row("a lower-case scheme name", get(b"/open/x").replace(b"HTTP", b"http", 1)),
    Row("a method with a bracket", get(b"/open/x", method=b"G(T")),
    Row("a method of 20 KB", get(b"/open/x", method=b"G" * 20_000), (400, 405, 431), then="any"),
    Row("a method that is a request", get(b"/open/x", method=b"GET /secured/smuggled HTTP/1.1\r\nX: y\r\n\r\nGET")),
    Row("CONNECT", get(b"localhost:443", method=b"CONNECT"), (400, 405), then="any"),
    Row("CONNECT with a path", get(b"/open/x", method=b"CONNECT"), (400, 405), then="any"),
    Row("OPTIONS *", get(b"*", method=b"OPTIONS"), (400, 404), then="any"),
    Row("GET *", get(b"*"), (400, 404), then="any"),
    Row("no leading slash", get(b"open/x"), (400, 404), then="any"),
    Row("an empty target", get(b""), (400,)),
    Row("a target of 60 KB", get(b"/open/" + b"x" * 60_000), (431,)),
    Row("absolute form", get(b"https://localhost/open/x"), (200,), 1, "on"),
    Row("absolute form of another host", get(b"https://evil.example.test/open/x"), (404,), then="any"),
    Row("absolute form with a user", get(b"https://victim:x@localhost/open/x"), (200, 400), 1, "any"),
    Row("absolute form of another scheme", get(b"file://localhost/open/x"), (200, 400), 1, "any"),
    Row("absolute form without a path", get(b"https://localhost"), (404,), then="any"),
    Row("absolute form that hides dots", get(b"https://localhost/open/../secured/x"), (401,), then="on"),
    Row("h2c upgrade", get(b"/open/x", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AA"),
        (200, 400, 403), 1, "any"),
    Row("WebSocket where none is served", get(
        b"/open/x", b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==") + HIDDEN, (400, 403, 404, 426), then="any"),
)  # fmt: skip


def hosted(*lines: bytes, target: bytes = b"/open/x") -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\n" + b"".join(one + b"\r\n" for one in lines) + b"\r\n"


HOSTS = (
    Row("two hosts", hosted(b"Host: localhost", b"Host: evil.example.test"), then="any"),
    Row("two equal hosts", hosted(b"Host: localhost", b"Host: localhost"), then="any"),
    Row("a host in each case", hosted(b"Host: localhost", b"HOST: evil.example.test"), then="any"),
    Row("absolute form against Host", hosted(b"Host: evil.example.test", target=b"https://localhost/open/x"), (200,), 1,
        "on"),
    *(Row(f"Host {value!r}", hosted(b"Host: " + value), (400, 404), then="any") for value in (
        b"localhost, evil.example.test", b"localhost@evil.example.test", b"evil.example.test#localhost", b"[::1",
        b"localhost/secured", b"local host", b"localhost\\", b"localhost%00", b"x" * 10_000, b"*", b".", b"localhost:x",
        b"evil.example.test:443", b"http://localhost",
    )),
    Row("Host with a NUL", hosted(b"Host: localhost\0")),
    Row("Host of another case, with a port and a dot", hosted(b"Host: LOCALHOST.:9"), (200,), 1, "on"),
)  # fmt: skip

HEADERS = (
    Row("a space in a name", get(b"/open/x", b"X Auth: 1")),
    Row("an empty name", get(b"/open/x", b": 1")),
    Row("no colon", get(b"/open/x", b"X-User-Id")),
    Row("a pseudo-header", get(b"/open/x", b":path: /secured/smuggled")),
    Row("a first line that is folded", b"GET /open/x HTTP/1.1\r\n X-User-Id: victim\r\n" + HOST + b"\r\n"),
    # RFC 9112 §2.2 and §5.2: refused, or a space stands for it; a line that ends in LF alone is a line.
    Row("a folded value", get(b"/open/x", b"X: a\r\n X-User-Id: victim"), (200, 400), 1, "any"),
    Row("NUL in a value", get(b"/open/x", b"X: a\0b")),
    Row("CR in a value", get(b"/open/x", b"X: a\rX-User-Id: victim"), (200, 400), 1, "any"),
    Row("LF in a value", get(b"/open/x", b"X: a\nX-User-Id: victim"), (200, 400), 1, "any"),
    Row("DEL in a value", get(b"/open/x", b"X: a\x7fb"), (200, 400), 1, "any"),
    Row("a name beyond ASCII", get(b"/open/x", b"X\xff: a")),
    Row("names in any case", get(b"/open/x", b"X-uSeR-iD: victim", b"X-FORWARDED-FOR: 6.6.6.6"), (200,), 1, "on"),
    Row("a forged name with an underscore", get(b"/open/x", b"X_User_Id: victim"), then="any"),
    Row("Connection names the stamp", get(b"/open/x", b"Connection: x-stamp, x-deadline-ms, x-forwarded-for"),
        (200, 400), 1, "any"),
    Row("a megabyte", get(b"/open/x", b"X: " + b"x" * 1_000_000), (431,)),
    Row("just beyond the limit", get(b"/open/x", b"X: " + b"x" * 17_000), (431,), then="on"),
    Row("70 lines", get(b"/open/x", *(b"X-%d: y" % number for number in range(70))), (431,), then="on"),
    Row("5,000 lines", get(b"/open/x", *(b"X-%d: y" % number for number in range(5_000))), (431,)),
    Row("5,000 equal lines", get(b"/open/x", *[b"X: y"] * 5_000), (431,)),
    Row("cookies without an end", get(b"/open/x", *[b"Cookie: a=" + b"b" * 500] * 60), (431,), then="any"),
    Row("a range without an end", get(b"/open/x", b"Range: bytes=" + b"0-," * 4_000), (200, 400, 431), 1, "any"),
    Row("a deadline beyond the route's", get(b"/open/x", b"X-Deadline-Ms: 86400000"), (200,), 1, "on"),
    Row("two deadlines", get(b"/open/x", b"X-Deadline-Ms: 1", b"X-Deadline-Ms: 86400000"), (200,), 1, "on"),
)  # fmt: skip

# The open door's route, and the secured one's: each spelling is refused, or judged as the path that it means.
PATHS = (
    *(
        Row(f"path {path}", get(path), (400, 401, 404), then="any")
        for path in (
            "/open/../secured/r", "/open/%2e%2e/secured/r", "/open/.%2E/secured/r", "/open%2F..%2Fsecured/r",
            "/open/..%2fsecured/r", "//secured/r", "///secured///r", "/secured;x=1/r", "/secured/;x",
            "/open;/../secured/r",
            "/./secured/r", "/open/%252e%252e/secured/r", "/open/%25252e%25252e/secured/r", "/open/..;/secured/r",
            "/open/..%5csecured/r", "/open/..\\secured/r", "\\secured\\r", "/open/%252fsecured", "/OPEN/../secured/r",
            "/open/%00/../../secured/r", "/open/x%00.html", "/open/%c0%ae%c0%ae/secured/r", "/open/%e0%80%ae/r",
            "/open/%c0%af..%c0%afsecured", "/open/%f0%80%80%af", "/open/%ff", "/open/%ed%a0%80",
            "/open/%0d%0aX-User-Id:v",
            "/open/%0a", "/open/%7f", "/open/x#/../../secured/r", "/open#", "/open/%u002e%u002e/secured", "/open/%",
            "/open/%2", "/open/%zz", "/%6fpen/../secured/r", "/secured/.", "/secured/..", "/open/...%2f",
            "/open/%2f%2fevil.example.test", "/openx", "/secure%64/r", "/SECURED/r",
        )
    ),
    *(Row(f"path of bytes {path!r}", get(path), (400, 404)) for path in (
        b"/open/\0", b"/open/\x01", b"/open/\x7f", b"/open/\xc0\xae", b"/open/\xc3\xa9", b"/open/\r/x",
    )),
    Row("path that stays open", get("/secured/../open/./a//b"), (200,), 1, "on"),
    Row("path that ends in a dot", get("/open/x/%2e"), (200, 400), 1, "any"),
    Row("path in UTF-8", get("/open/%C3%A9%E2%82%AC%F0%9F%98%80"), (200,), 1, "on"),
    Row("path with harmless escapes", get("/open/a%20b%3Dc"), (200,), 1, "on"),
    Row("a query that looks like a path", get("/open/x?next=/../secured/smuggling&a=%00%2f;b"), (200,), 1, "on"),
)  # fmt: skip

CORPUS = {
    "smuggling": SMUGGLING, "lengths": LENGTHS, "chunks": CHUNKS, "request lines": REQUEST_LINES, "hosts": HOSTS,
    "headers": HEADERS, "paths": PATHS,
}  # fmt: skip
