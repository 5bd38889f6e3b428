"""Some hundreds of answers a backend might give: well-formed, odd, hostile. One family a function, one case a line.

Read ``taken`` as *must be taken as an answer*, ``closing`` as *taken, but the connection must not serve again*,
``until_close`` as *taken once the backend closes*, ``refused``, ``cut`` and ``waiting`` as in ``cases.Fate``.
"""

from collections.abc import Iterator

from tests.shared.backends.wire.cases import (
    BODY,
    CHUNKED,
    CHUNKS,
    LENGTH,
    OK,
    Case,
    End,
    closing,
    cut,
    head,
    refused,
    taken,
    until_close,
    waiting,
)

EVIL = head("HTTP/1.1 418 Evil", "content-length: 4") + b"evil"
FRAMED = head(OK, LENGTH) + BODY
HEAD_CHUNKED = head(OK, CHUNKED)


def well_formed() -> Iterator[Case]:
    every_byte = bytes(range(256))
    large = BODY * 30_000
    yield taken("by length", FRAMED)
    yield taken("by length, empty", head(OK, "content-length: 0"), body=b"")
    yield taken("by length, every byte there is", head(OK, "content-length: 256") + every_byte, body=every_byte)
    yield taken(
        "by length, a body that looks like a head", head(OK, "content-length: 4") + b"\r\n\r\n", body=b"\r\n\r\n"
    )
    yield taken(
        "by length, a body that looks like an answer", head(OK, f"content-length: {len(EVIL)}") + EVIL, body=EVIL
    )
    yield taken("by length, 210 KB", head(OK, f"content-length: {len(large)}") + large, body=large)
    yield taken("by length, head and body apart", head(OK, LENGTH), BODY)
    yield until_close("by the close", head(OK) + BODY)
    yield until_close("by the close, empty", head(OK), body=b"")
    yield until_close("by the close, in three parts", head(OK), BODY[:3], BODY[3:])
    yield until_close("by the close, a body that looks like an answer", head(OK) + EVIL, body=EVIL)
    yield taken("chunked", HEAD_CHUNKED + CHUNKS)
    yield taken("chunked, empty", HEAD_CHUNKED + b"0\r\n\r\n", body=b"")
    yield taken("chunked, several", HEAD_CHUNKED + b"3\r\n" + BODY[:3] + b"\r\n4\r\n" + BODY[3:] + b"\r\n0\r\n\r\n")
    yield taken("chunked, byte by byte", HEAD_CHUNKED + b"".join(b"1\r\n%c\r\n" % one for one in BODY) + b"0\r\n\r\n")
    yield taken(
        "chunked, a chunk that looks like the last", HEAD_CHUNKED + b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", body=b"0\r\n\r\n"
    )
    yield taken("chunked, 210 KB", HEAD_CHUNKED + b"%x\r\n" % len(large) + large + b"\r\n0\r\n\r\n", body=large)
    yield taken("chunked, each line apart", HEAD_CHUNKED, b"7\r\n", BODY + b"\r\n", b"0\r\n", b"\r\n")
    yield taken("CHUNKED", head(OK, "TRANSFER-ENCODING: CHUNKED") + CHUNKS)
    yield taken("Content-LENGTH", head(OK, "Content-LENGTH: 7") + BODY)
    for status in (200, 201, 202, 203, 205, 206, 226, 299):
        yield taken(f"{status} with a body", head(f"HTTP/1.1 {status} Fine", LENGTH) + BODY, status=status)
    for status in (300, 301, 302, 303, 305, 307, 308):
        yield taken(
            f"{status} with a body", head(f"HTTP/1.1 {status} There", "location: /x", LENGTH) + BODY, status=status
        )
    for status in (400, 401, 404, 407, 408, 409, 412, 413, 416, 417, 421, 425, 426, 429, 431, 451, 499):
        yield taken(f"{status} with a body", head(f"HTTP/1.1 {status} No", LENGTH) + BODY, status=status)
    for status in (500, 501, 502, 503, 504, 505, 511, 599):
        yield taken(f"{status} with a body", head(f"HTTP/1.1 {status} Oops", LENGTH) + BODY, status=status)


def lengths() -> Iterator[Case]:
    def of(value: str | bytes) -> bytes:
        return head(OK, b"content-length:" + (value if isinstance(value, bytes) else value.encode())) + BODY

    yield taken("length, no space before it", of("7"))
    yield taken("length, spaces and tabs around it", of(" \t 7 \t "))
    yield taken("length, leading zeros", of(" 0007"))
    yield refused("length, negative", of(" -7"))
    yield refused("length, minus zero", of(" -0"))
    yield refused("length, plus sign", of(" +7"))
    yield refused("length, hexadecimal", of(" 0x7"))
    yield refused("length, hexadecimal without prefix", of(" a"))
    yield refused("length, underscore", of(" 0_7"))
    yield refused("length, decimal point", of(" 7.0"))
    yield refused("length, exponent", of(" 7e0"))
    yield refused("length, space within", of(" 7 7"))
    yield refused("length, parameter", of(" 7;x=1"))
    yield refused("length, trailing comma", of(" 7,"))
    yield refused("length, leading comma", of(" ,7"))
    yield refused("length, quoted", of(' "7"'))
    yield refused("length, a word", of(" seven"))
    yield refused("length, empty", of(""))
    yield refused("length, only spaces", of("   "))
    yield refused("length, full-width digit", of(" \uff17"))
    yield refused("length, superscript digit", of(b" \xb2"))
    yield refused("length, NUL after it", of(b" 7\0"))
    yield refused("length, vertical tab before it", of(b" \x0b7"))
    yield refused("length, form feed after it", of(b" 7\x0c"))
    yield refused("length, no-break space before it", of(b" \xa07"))
    yield refused("length, 2^64", of(f" {2**64}"))
    yield refused("length, 2^64 + 7", of(f" {2**64 + 7}"))
    yield refused("length, 10^30", of(f" {10**30}"))
    yield refused("length, a thousand digits", of(" " + "9" * 1000))
    yield waiting("length, 2^63", of(f" {2**63}"))  # refused once the body passes the bound of the call
    yield waiting("length, 2^40", of(f" {2**40}"))
    # RFC 9110 §8.6 leaves the choice: refuse, or take the one value.
    yield refused("length, twice the same", head(OK, LENGTH, LENGTH) + BODY)
    yield refused("length, the same in a list", of(" 7, 7"))
    yield refused("length, two that differ", head(OK, LENGTH, "content-length: 3") + BODY)
    yield refused("length, two that differ, the larger last", head(OK, "content-length: 3", LENGTH) + BODY)
    yield refused("length, two that differ in a list", of(" 7, 3"))
    yield refused("length, two that differ in case of name", head(OK, LENGTH, "CONTENT-LENGTH: 3") + BODY)
    yield refused(
        "length, two that differ, others between", head(OK, LENGTH, "x: 1", "y: 2", "content-length: 0") + BODY
    )
    yield refused("length, one good and one empty", head(OK, LENGTH, "content-length:") + BODY)
    yield refused("length, one good and one negative", head(OK, LENGTH, "content-length: -1") + BODY)
    yield closing("length, shorter than what comes", head(OK, "content-length: 3") + BODY, body=BODY[:3])
    yield closing("length, zero, and yet a body", head(OK, "content-length: 0") + BODY, body=b"")
    yield cut("length, longer than what comes", head(OK, "content-length: 8") + BODY)
    yield waiting("length, longer than what has come", head(OK, "content-length: 8") + BODY)
    yield until_close("length, spelt with an underscore", head(OK, "content_length: 3") + BODY)
    yield until_close("length, in another header's name", head(OK, "x-content-length: 3") + BODY)
    yield until_close("length, in another header's value", head(OK, "x: content-length: 3") + BODY)


def codings() -> Iterator[Case]:
    def of(value: str | bytes) -> bytes:
        return head(OK, b"transfer-encoding:" + (value if isinstance(value, bytes) else value.encode()))

    yield taken("coding, no space before it", of("chunked") + CHUNKS)
    yield taken("coding, space after it", of(" chunked ") + CHUNKS)
    yield refused("coding, tab before it", of("\tchunked") + CHUNKS)
    yield refused("coding, tab after it", of("chunked\t") + CHUNKS)
    yield refused("coding, with a length", head(OK, CHUNKED, LENGTH) + CHUNKS)
    yield refused("coding, after a length", head(OK, LENGTH, CHUNKED) + CHUNKS)
    yield refused(
        "coding, with a length that covers the chunks", head(OK, CHUNKED, f"content-length: {len(CHUNKS)}") + CHUNKS
    )
    yield refused("coding, with a length of zero", head(OK, CHUNKED, "content-length: 0") + CHUNKS)
    yield refused("coding, with a bad length", head(OK, CHUNKED, "content-length: x") + CHUNKS)
    yield refused("coding, with two lengths", head(OK, CHUNKED, LENGTH, "content-length: 3") + CHUNKS)
    yield refused("coding, identity and a length", head(OK, "transfer-encoding: identity", LENGTH) + BODY)
    yield refused("coding, unknown and a length", head(OK, "transfer-encoding: cow", LENGTH) + BODY)
    for value in (
        "identity", "gzip", "deflate", "compress", "cow", "xchunked", "chunkedx", "chunke", "x chunked", "chunked x",
        '"chunked"', "'chunked'", "chunked;q=1", "chunked; x", "gzip, chunked", "identity, chunked",
        "chunked, identity", "chunked, chunked", "chunked, gzip", "chunked gzip", "x", "0", "",
    ):  # fmt: skip
        raw = of(f" {value}") + CHUNKS
        yield refused(f"coding, {value or 'empty'}", raw, end=End.CLOSE)
    yield refused("coding, chunked twice", head(OK, CHUNKED, CHUNKED) + CHUNKS, end=End.CLOSE)
    yield refused(
        "coding, chunked, then identity", head(OK, CHUNKED, "transfer-encoding: identity") + CHUNKS, end=End.CLOSE
    )
    yield refused(
        "coding, identity, then chunked", head(OK, "transfer-encoding: identity", CHUNKED) + CHUNKS, end=End.CLOSE
    )
    yield refused("coding, vertical tab before it", of(b" \x0bchunked") + CHUNKS)
    yield refused("coding, NUL after it", of(b" chunked\0") + CHUNKS)
    yield refused("coding, no-break space before it", of(b" \xa0chunked") + CHUNKS, end=End.CLOSE)
    yield refused("coding, Kelvin sign", of(" chun\u212aed") + CHUNKS, end=End.CLOSE)
    yield refused("coding, on a folded line", of("\r\n chunked") + CHUNKS)
    yield refused("coding, space before the colon", head(OK, "transfer-encoding : chunked") + CHUNKS)
    yield until_close("coding, spelt with an underscore", head(OK, "transfer_encoding: chunked") + CHUNKS, body=CHUNKS)
    yield taken("coding, spelt with an underscore, and a length", head(OK, LENGTH, "transfer_encoding: chunked") + BODY)
    yield closing("coding, HTTP/1.0", head("HTTP/1.0 200 OK", CHUNKED) + CHUNKS)
    yield closing("coding, HTTP/1.0, kept alive", head("HTTP/1.0 200 OK", CHUNKED, "connection: keep-alive") + CHUNKS)


def sized(line: bytes) -> bytes:
    """Return an answer whose second chunk, of four bytes, is announced by ``line``."""
    return HEAD_CHUNKED + b"3\r\n" + BODY[:3] + b"\r\n" + line + BODY[3:] + b"\r\n0\r\n\r\n"


def chunk_sizes() -> Iterator[Case]:
    yield taken("chunk, leading zeros", sized(b"0004\r\n"))
    yield taken("chunk, sixteen digits", sized(b"0000000000000004\r\n"))
    yield taken("chunk, upper case", HEAD_CHUNKED + b"A\r\n0123456789\r\n0\r\n\r\n", body=b"0123456789")
    yield taken("chunk, lower case", HEAD_CHUNKED + b"a\r\n0123456789\r\n0\r\n\r\n", body=b"0123456789")
    yield refused("chunk, no size", sized(b"\r\n"))
    yield refused("chunk, only an extension", sized(b";ext\r\n"))
    yield refused("chunk, not hexadecimal", sized(b"g\r\n"))
    yield refused("chunk, prefix", sized(b"0x4\r\n"))
    yield refused("chunk, minus", sized(b"-4\r\n"))
    yield refused("chunk, plus", sized(b"+4\r\n"))
    yield refused("chunk, underscore", sized(b"0_4\r\n"))
    yield refused("chunk, space before the size", sized(b" 4\r\n"))
    yield refused("chunk, space after the size", sized(b"4 \r\n"))
    yield refused("chunk, tab after the size", sized(b"4\t\r\n"))
    yield refused("chunk, vertical tab after the size", sized(b"4\x0b\r\n"))
    yield refused("chunk, NUL after the size", sized(b"4\0\r\n"))
    yield refused("chunk, full-width digit", sized("\uff14\r\n".encode()))
    yield refused("chunk, comma", sized(b"4,4\r\n"))
    yield refused("chunk, decimal point", sized(b"4.0\r\n"))
    yield waiting("chunk, 2^64 - 1", sized(b"f" * 16 + b"\r\n"))
    yield refused("chunk, 2^64 + 4", sized(b"10000000000000004\r\n"))
    yield waiting("chunk, 2^63", sized(b"8000000000000000\r\n"))
    yield waiting("chunk, 2^32 + 4", sized(b"100000004\r\n"))
    yield refused("chunk, forty digits", sized(b"f" * 40 + b"\r\n"))
    yield refused("chunk, size ended by LF", sized(b"4\n"))
    yield refused("chunk, size ended by CR", sized(b"4\r"))
    yield refused("chunk, size ended by CR CR LF", sized(b"4\r\r\n"))
    yield refused("chunk, size ended by LF CR", sized(b"4\n\r"))


def chunk_extensions() -> Iterator[Case]:
    yield taken("chunk, extension", sized(b"4;ext\r\n"))
    yield taken("chunk, extension with a value", sized(b"4;ext=1\r\n"))
    yield taken("chunk, two extensions", sized(b"4;a=1;b=2\r\n"))
    yield taken("chunk, extension with a quoted value", sized(b'4;ext="a;b"\r\n'))
    yield taken("chunk, extension on the last", HEAD_CHUNKED + b"7\r\n" + BODY + b"\r\n0;end=1\r\n\r\n")
    yield refused("chunk, extension without a name", sized(b"4;\r\n"))
    yield refused("chunk, extension that quotes a line end", sized(b'4;ext="\r\n"\r\n'))
    yield refused("chunk, extension with a bare LF", sized(b"4;ext\nx\r\n"))
    yield refused("chunk, extension with a bare CR", sized(b"4;ext\rx\r\n"))
    yield refused("chunk, extension with NUL", sized(b"4;ext\0\r\n"))
    yield refused("chunk, extension without a semicolon", sized(b"4 ext\r\n"))
    yield refused(
        "chunk, extension of 200 KB", HEAD_CHUNKED + b"7;" + b"x" * 200_000 + b"\r\n" + BODY + b"\r\n0\r\n\r\n"
    )
    yield refused(
        "chunk, more extension than body", HEAD_CHUNKED + (b"1;" + b"x" * 1000 + b"\r\n1\r\n") * 200 + b"0\r\n\r\n"
    )


def chunk_ends() -> Iterator[Case]:
    yield refused("chunk, data one byte too long", HEAD_CHUNKED + b"6\r\n" + BODY + b"\r\n0\r\n\r\n")
    yield refused("chunk, data one byte too short", HEAD_CHUNKED + b"8\r\n" + BODY + b"\r\n0\r\n\r\n")
    yield refused("chunk, data ended by LF", HEAD_CHUNKED + b"7\r\n" + BODY + b"\n0\r\n\r\n")
    yield refused("chunk, data ended by nothing", HEAD_CHUNKED + b"7\r\n" + BODY + b"0\r\n\r\n")
    yield refused("chunk, data ended by two other bytes", HEAD_CHUNKED + b"7\r\n" + BODY + b"XX0\r\n\r\n")
    yield refused("chunk, data ended by LF CR", HEAD_CHUNKED + b"7\r\n" + BODY + b"\n\r0\r\n\r\n")
    yield refused("chunk, last one ended by LF", HEAD_CHUNKED + b"7\r\n" + BODY + b"\r\n0\n\n")
    yield refused("chunk, junk instead of the last", HEAD_CHUNKED + b"7\r\n" + BODY + b"\r\nEND\r\n\r\n")
    yield taken("chunk, last one with many zeros", HEAD_CHUNKED + b"7\r\n" + BODY + b"\r\n000000\r\n\r\n")
    yield cut("chunk, no last one", HEAD_CHUNKED + b"7\r\n" + BODY + b"\r\n")
    yield cut("chunk, last one without its line end", HEAD_CHUNKED + b"7\r\n" + BODY + b"\r\n0")
    yield cut("chunk, last one without the empty line", HEAD_CHUNKED + b"7\r\n" + BODY + b"\r\n0\r\n")
    yield cut("chunk, last one with half the empty line", HEAD_CHUNKED + b"7\r\n" + BODY + b"\r\n0\r\n\r")
    yield waiting("chunk, no last one yet", HEAD_CHUNKED + b"7\r\n" + BODY + b"\r\n")
    yield waiting("chunk, no empty line yet", HEAD_CHUNKED + b"7\r\n" + BODY + b"\r\n0\r\n")
    yield refused("chunk, a body without chunks", HEAD_CHUNKED + BODY)


def trailers() -> Iterator[Case]:
    def after(*lines: bytes) -> bytes:
        return HEAD_CHUNKED + CHUNKS.removesuffix(b"\r\n") + b"".join(lines) + b"\r\n"

    yield taken("trailer", after(b"x-checksum: 1\r\n"))
    yield taken("trailers", after(b"a: 1\r\n", b"b: 2\r\n", b"a: 3\r\n"))
    yield taken(
        "trailer, announced", head(OK, CHUNKED, "trailer: x-t") + CHUNKS.removesuffix(b"\r\n") + b"x-t: 1\r\n\r\n"
    )
    yield taken("trailer, a cookie, which is no header", after(b"set-cookie: sid=evil\r\n"))
    yield refused("trailer, a length", after(b"content-length: 3\r\n"))
    yield taken("trailer, a second status, which means nothing", after(b"status: 500\r\n"))
    yield closing("trailer, a coding", after(b"transfer-encoding: identity\r\n"))
    yield closing("trailer, connection close", after(b"connection: close\r\n"))
    yield refused("trailer, no colon", after(b"junk\r\n"))
    yield refused("trailer, no name", after(b": 1\r\n"))
    yield refused("trailer, space before the colon", after(b"x : 1\r\n"))
    yield refused("trailer, NUL", after(b"x: a\0b\r\n"))
    yield refused("trailer, bare LF", after(b"x: 1\n"))
    yield refused("trailer, bare CR", after(b"x: a\rb\r\n"))
    yield refused("trailer, folded", after(b"x: 1\r\n 2\r\n"))
    yield refused("trailer, an answer in its place", HEAD_CHUNKED + CHUNKS.removesuffix(b"\r\n") + EVIL)
    yield refused("trailer, 200 KB", after(b"x: " + b"x" * 200_000 + b"\r\n"))
    yield refused("trailers, 40,000", after(b"x: y\r\n" * 40_000))
    yield cut("trailer, then the close", HEAD_CHUNKED + CHUNKS.removesuffix(b"\r\n") + b"x: 1\r\n")
    yield cut("trailer, cut short", HEAD_CHUNKED + CHUNKS.removesuffix(b"\r\n") + b"x:")


def line_ends() -> Iterator[Case]:
    yield refused("LF everywhere", FRAMED.replace(b"\r\n", b"\n"))
    yield refused("LF after the status line", FRAMED.replace(b"\r\n", b"\n", 1))
    yield refused("LF after a header", b"HTTP/1.1 200 OK\r\ncontent-length: 7\n\r\n" + BODY)
    yield refused("LF after a header, another hidden behind it", head(OK, "x: 1\ncontent-length: 3", LENGTH) + BODY)
    yield refused("LF as the empty line", b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\n" + BODY)
    yield refused("CR everywhere", FRAMED.replace(b"\r\n", b"\r"))
    yield refused("CR after the status line", b"HTTP/1.1 200 OK\rcontent-length: 7\r\n\r\n" + BODY)
    yield refused("CR within a value", head(OK, "x: a\rb", LENGTH) + BODY)
    yield refused("CR at the end of a value", head(OK, "x: a\r", LENGTH) + BODY)
    yield refused("CR within a name", head(OK, "x\ry: a", LENGTH) + BODY)
    yield refused("CR as the empty line", b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r" + BODY)
    yield refused("LF CR", FRAMED.replace(b"\r\n", b"\n\r"))
    yield refused("two heads in one by CR CR LF", head(OK, "x: a\r\r\ny: b", LENGTH) + BODY)


def fields() -> Iterator[Case]:
    """Headers that are right, if odd."""

    def with_(*lines: str | bytes) -> bytes:
        return head(OK, *lines, LENGTH) + BODY

    yield taken("header, no space after the colon", with_("x:a"))
    yield taken("header, much space around the value", with_("x: \t  a \t "))
    yield taken("header, space within the value", with_("x: a \t b"))
    yield taken("header, empty", with_("x:"))
    yield taken("header, only spaces", with_("x:    "))
    yield taken("header, colons in the value", with_("x: http://a:80/:"))
    yield taken("header, upper case", with_("X-UPPER: A"))
    yield taken("header, twice, in order", with_("x: 2", "y: 0", "X: 1"))
    yield taken("header, cookies stay apart", with_("set-cookie: a=1, b", "set-cookie: c=2"))
    yield taken("header, every character a name may have", with_("!#$%&'*+-.^_`|~09azAZ: a"))
    yield taken("header, UTF-8", with_("x: ü".encode()))
    yield taken("header, Latin-1", with_(b"x: \xfc"))
    yield taken("header, bytes that are no UTF-8", with_(b"x: \xc3\x28\xff\xfe"))
    yield taken("header, quotes", with_('x: "a\\"b"'))
    yield taken("header, looks like a status line", with_("x: HTTP/1.1 500 Evil"))
    yield taken("header, 1 KB of name", with_("x" * 1000 + ": a"))
    yield taken("header, 4 KB", with_("x: " + "y" * 4000))
    yield taken("header, 16 KB", with_("x: " + "y" * 16_000))
    yield taken("header, 60 KB", with_("x: " + "y" * 60_000))
    yield taken("headers, 100", with_(*(f"x-{number}: y" for number in range(100))))
    yield taken("headers, 250", with_(*(f"x-{number}: y" for number in range(250))))
    yield refused("headers, 2,000", with_(*(f"x-{number}: y" for number in range(2000))))
    yield taken("no header at all but the length", FRAMED)


def broken_fields() -> Iterator[Case]:
    def with_(*lines: str | bytes) -> bytes:
        return head(OK, *lines, LENGTH) + BODY

    yield refused("header, space before the colon", with_("x : a"))
    yield refused("header, tab before the colon", with_("x\t: a"))
    yield refused("header, space before the length's colon", head(OK, "content-length : 7") + BODY)
    yield refused("header, space within the name", with_("x y: a"))
    yield refused("header, no name", with_(": a"))
    yield refused("header, no colon", with_("junk"))
    yield refused("header, only a colon", with_(":"))
    yield refused("header, a line of spaces", with_("  "))
    yield refused("header, space before the first", with_(" x: a"))
    yield refused("header, tab before the first", with_("\tx: a"))
    yield refused("header, folded by a space", with_("x: a", " b"))
    yield refused("header, folded by a tab", with_("x: a", "\tb"))
    yield refused("header, folded many times", with_("x: a", *[" b"] * 50))
    yield refused("header, folded to nothing", with_("x: a", " "))
    yield refused("header, a length on a folded line", head(OK, "content-length:", " 7") + BODY)
    yield refused("header, a length hidden in a fold", head(OK, "x: a", " content-length: 3", LENGTH) + BODY)
    for byte, called in (
        (0, "NUL"),
        (1, "0x01"),
        (7, "BEL"),
        (8, "BS"),
        (11, "VT"),
        (12, "FF"),
        (27, "ESC"),
        (127, "DEL"),
    ):
        yield refused(f"header, {called} in the value", with_(b"x: a%cb" % byte))
    for byte, called in ((0, "NUL"), (1, "0x01"), (12, "FF"), (127, "DEL"), (128, "0x80"), (255, "0xff")):
        yield refused(f"header, {called} in the name", with_(b"x%cy: a" % byte))
    for mark in '()<>@,;\\"/[]?={}':
        yield refused(f"header, {mark} in the name", with_(f"x{mark}y: a"))
    yield refused("header, NUL at the end of the length's name", head(OK, b"content-length\0: 7") + BODY)
    yield refused("header, 200 KB", with_("x: " + "y" * 200_000))
    yield refused("header, a name of 200 KB", with_("x" * 200_000 + ": y"))
    yield refused("headers, 40,000", with_(*["x: y"] * 40_000))
    yield refused("headers without end", head(OK).removesuffix(b"\r\n") + b"x: y\r\n" * 40_000)
    yield refused("a header line without end", b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000)


def status_lines() -> Iterator[Case]:
    def of(line: str | bytes) -> bytes:
        return head(line, LENGTH) + BODY

    yield taken("status, no reason", of("HTTP/1.1 200 "))
    yield taken("status, no reason and no space", of("HTTP/1.1 200"))
    yield taken("status, long reason", of("HTTP/1.1 200 " + "so it is " * 100))
    yield taken("status, reason in UTF-8", of("HTTP/1.1 200 schön".encode()))
    yield taken("status, reason in Latin-1", of(b"HTTP/1.1 200 sch\xf6n"))
    yield taken("status, reason with tabs", of("HTTP/1.1 200 a\tb"))
    yield taken("status, another reason than the code's", of("HTTP/1.1 200 Internal Server Error"))
    yield taken("status, reason that looks like a header", of("HTTP/1.1 200 content-length: 3"))
    yield taken("status 600", of("HTTP/1.1 600 Beyond"), status=600)
    yield taken("status 999", of("HTTP/1.1 999 Beyond"), status=999)
    yield closing("HTTP/1.0", head("HTTP/1.0 200 OK", LENGTH) + BODY)
    yield until_close("HTTP/1.0, by the close", head("HTTP/1.0 200 OK") + BODY)
    yield taken("HTTP/1.0, kept alive", head("HTTP/1.0 200 OK", LENGTH, "connection: keep-alive") + BODY)
    yield until_close(
        "HTTP/1.0, kept alive, without a length", head("HTTP/1.0 200 OK", "connection: keep-alive") + BODY
    )
    yield taken("an empty line before the status line", b"\r\n" + FRAMED)
    for version in (
        "0.9",
        "2.0",
        "3.0",
        "1.2",
        "1.9",
        "0.8",
        "2",
        "1",
        "1.",
        ".1",
        "1.10",
        "01.1",
        "1,1",
        "1.x",
        "-1.1",
        "",
    ):
        yield refused(f"HTTP/{version or 'nothing'}", of(f"HTTP/{version} 200 OK"))
    for name in ("http", "Http", "HTTPS", "HTP", "XHTTP", "ICY", "RTSP", "ICE", "SIP", "SOURCE"):
        yield refused(f"{name}/1.1", of(f"{name}/1.1 200 OK"))
    yield refused("ICY 200 OK", of("ICY 200 OK"))
    for code in (
        "099",
        "000",
        "1000",
        "20",
        "2",
        "abc",
        "2OO",
        "+20",
        "-20",
        "0x1",
        "2 0",
        "20.",
        "\u0662\u0660\u0660",
    ):
        yield refused(f"status {code}", of(f"HTTP/1.1 {code} OK".encode()))
    yield refused("status, none", of("HTTP/1.1 "))
    yield refused("status, none, and no space", of("HTTP/1.1"))
    yield refused("status, only a reason", of("HTTP/1.1 OK"))
    yield refused("status, no space before it", of("HTTP/1.1200 OK"))
    yield refused("status, two spaces before it", of("HTTP/1.1  200 OK"))
    yield refused("status, tab before it", of("HTTP/1.1\t200 OK"))
    yield refused("status, tab after it", of("HTTP/1.1 200\tOK"))
    yield refused("status, no space after it", of("HTTP/1.1 200OK"))
    yield refused("status, space within the version", of("HTTP /1.1 200 OK"))
    # A client SHOULD ignore the reason phrase (RFC 9112 §4); a line end it may not hold.
    for byte, called in ((0, "NUL"), (1, "0x01"), (11, "VT"), (27, "ESC"), (127, "DEL")):
        yield taken(f"status, {called} in the reason", of(b"HTTP/1.1 200 a%cb" % byte))
    yield refused("status, CR in the reason", of(b"HTTP/1.1 200 a\rb"))
    yield refused("status, LF in the reason", of(b"HTTP/1.1 200 a\nb"))
    yield refused("status, reason of 200 KB", of("HTTP/1.1 200 " + "x" * 200_000))
    yield refused("status, reason without end", b"HTTP/1.1 200 " + b"x" * 200_000)


def not_http() -> Iterator[Case]:
    yield refused("space before the status line", b" " + FRAMED)
    yield refused("junk before the status line", b"junk\r\n" + FRAMED)
    yield refused("a byte order mark before the status line", b"\xef\xbb\xbf" + FRAMED)
    yield refused("NUL before the status line", b"\0" + FRAMED)
    yield refused("LF before the status line", b"\n" + FRAMED)
    yield refused("CR before the status line", b"\r" + FRAMED)
    yield refused("empty lines without end", b"\r\n" * 100_000)
    yield refused("HTTP/0.9: only a body", BODY, end=End.CLOSE)
    yield refused("HTML", b"<html><body>It works!</body></html>\n", end=End.CLOSE)
    yield refused("a request", b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    yield refused("an SSH banner", b"SSH-2.0-OpenSSH_9.2p1\r\n")
    yield refused("an SMTP greeting", b"220 mail.example ESMTP\r\n")
    yield refused("a TLS alert", b"\x15\x03\x01\x00\x02\x02\x46")
    yield refused("HTTP/2 settings", b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0d")
    yield refused("a Redis error", b"-ERR unknown command 'GET'\r\n")
    yield refused("zeros", b"\0" * 1000)
    yield refused("HTTP/1.1 and nothing more", b"HTTP/1.1\r\n\r\n")


def interim() -> Iterator[Case]:
    last = head(OK, LENGTH) + BODY
    plain = (("content-length", "7"),)
    for status in (100, 102, 103, 104, 199):
        yield taken(f"{status} first", head(f"HTTP/1.1 {status} Wait") + last, headers=plain)
    yield taken("100, apart", head("HTTP/1.1 100 Continue"), last, headers=plain)
    yield taken(
        "103 with headers, which are not the answer's",
        head("HTTP/1.1 103 Hints", "link: </x>", "set-cookie: a=1") + last,
        headers=plain,
    )
    yield taken("103, ten times", head("HTTP/1.1 103 Hints", "link: </x>") * 10 + last, headers=plain)
    yield taken(
        "100, then HEAD's answer",
        head("HTTP/1.1 100 Continue") + head(OK, LENGTH),
        headers=plain,
        body=b"",
        method="HEAD",
        reused=False,
    )
    yield taken(
        "100, then 204", head("HTTP/1.1 100 Continue") + head("HTTP/1.1 204 None"), status=204, body=b"", headers=()
    )
    yield taken(
        "100, then chunks",
        head("HTTP/1.1 100 Continue") + HEAD_CHUNKED + CHUNKS,
        headers=(("transfer-encoding", "chunked"),),
    )
    yield until_close("100, then by the close", head("HTTP/1.1 100 Continue") + head(OK) + BODY, headers=())
    yield refused("100 with a body", head("HTTP/1.1 100 Continue", LENGTH) + BODY + last)
    yield refused("100 with chunks", head("HTTP/1.1 100 Continue", CHUNKED) + CHUNKS + last)
    yield refused("100 in HTTP/1.0", head("HTTP/1.0 100 Continue") + last)
    yield refused("103 that says close", head("HTTP/1.1 103 Hints", "connection: close") + last)
    yield refused("103 without end", head("HTTP/1.1 103 Hints", "link: </x>") * 10_000)
    yield refused("103 without end, an answer behind", head("HTTP/1.1 103 Hints", "link: </x>") * 10_000 + last)
    yield refused(
        "101 that nobody asked for", head("HTTP/1.1 101 Switching", "connection: upgrade", "upgrade: ws") + b"\x81\0"
    )
    yield refused("101 without its headers", head("HTTP/1.1 101 Switching") + last)
    yield cut("100, then the close", head("HTTP/1.1 100 Continue"))
    yield cut("103, then half a status line", head("HTTP/1.1 103 Hints") + b"HTTP/1.1 2")
    yield waiting("100, then nothing", head("HTTP/1.1 100 Continue"))
    yield refused("100, then junk", head("HTTP/1.1 100 Continue") + b"junk\r\n\r\n")


def bodiless() -> Iterator[Case]:
    none = head("HTTP/1.1 204 None")
    yield taken("204", none, status=204, body=b"")
    yield taken("304", head("HTTP/1.1 304 Same", 'etag: "x"'), status=304, body=b"")
    yield taken("304 with the length of what it stands for", head("HTTP/1.1 304 Same", LENGTH), status=304, body=b"")
    yield taken("304, chunked in name only", head("HTTP/1.1 304 Same", CHUNKED), status=304, body=b"")
    yield closing("204 with a body nobody announced", none + BODY, status=204, body=b"")
    yield closing("204, and another answer behind", none + EVIL, status=204, body=b"")
    yield closing("304 with a body", head("HTTP/1.1 304 Same", LENGTH) + BODY, status=304, body=b"")
    yield closing("304, and another answer behind", head("HTTP/1.1 304 Same") + EVIL, status=304, body=b"")
    yield closing("204 with a length and a body", head("HTTP/1.1 204 None", LENGTH) + BODY, status=204, body=b"")
    yield closing("204 with chunks", head("HTTP/1.1 204 None", CHUNKED) + CHUNKS, status=204, body=b"")
    yield taken("204 with a length of zero", head("HTTP/1.1 204 None", "content-length: 0"), status=204, body=b"")
    yield closing("204, close", head("HTTP/1.1 204 None", "connection: close"), status=204, body=b"")
    yield refused("304 with two lengths", head("HTTP/1.1 304 Same", LENGTH, "content-length: 3"))
    for name, raw in {
        "HEAD, by length": head(OK, LENGTH),
        "HEAD, length zero": head(OK, "content-length: 0"),
        "HEAD, chunked": head(OK, CHUNKED),
        "HEAD, no framing": head(OK),
    }.items():
        yield closing(name, raw, body=b"", method="HEAD")
    yield closing("HEAD, with the body all the same", head(OK, LENGTH) + BODY, body=b"", method="HEAD")
    yield closing("HEAD, with chunks all the same", head(OK, CHUNKED) + CHUNKS, body=b"", method="HEAD")
    yield closing("HEAD, and another answer behind", head(OK, LENGTH) + EVIL, body=b"", method="HEAD")
    yield closing("HEAD, 404", head("HTTP/1.1 404 No", LENGTH), status=404, body=b"", method="HEAD")
    yield closing("HEAD, 204", none, status=204, body=b"", method="HEAD")
    yield closing("HEAD, close", head(OK, LENGTH, "connection: close"), body=b"", method="HEAD")
    yield closing("HEAD, huge length", head(OK, f"content-length: {10**15}"), body=b"", method="HEAD")
    yield refused("HEAD, two lengths", head(OK, LENGTH, "content-length: 3"), method="HEAD")
    yield refused("HEAD, length and coding", head(OK, LENGTH, CHUNKED), method="HEAD")
    yield cut("HEAD, cut within the head", head(OK, LENGTH)[:-2], method="HEAD")


def early_ends() -> Iterator[Case]:
    stages = {
        "before anything": b"",
        "after one byte": b"H",
        "within the version": b"HTTP/1.",
        "within the code": b"HTTP/1.1 20",
        "after the status line": b"HTTP/1.1 200 OK\r\n",
        "within a name": b"HTTP/1.1 200 OK\r\nconte",
        "within a length": b"HTTP/1.1 200 OK\r\ncontent-length: 1",
        "before the empty line": head(OK, LENGTH)[:-2],
        "within the empty line": head(OK, LENGTH)[:-1],
        "before the body": head(OK, LENGTH),
        "within the body": FRAMED[:-3],
        "one byte early": FRAMED[:-1],
        "before the chunks": HEAD_CHUNKED,
        "within a chunk's size": HEAD_CHUNKED + b"7",
        "after a chunk's size": HEAD_CHUNKED + b"7\r\n",
        "within a chunk": HEAD_CHUNKED + b"7\r\n" + BODY[:3],
        "after an empty line": b"\r\n",
    }
    for stage, raw in stages.items():
        yield cut(f"closes {stage}", *([raw] if raw else []))
        yield cut(f"resets {stage}", *([raw] if raw else []), end=End.RESET)
    yield cut("resets a body that the close would frame", head(OK) + BODY, end=End.RESET)
    yield cut("resets a body before its first byte", head(OK), end=End.RESET)
    yield closing("closes after the answer", FRAMED, end=End.CLOSE)
    yield closing("resets after the answer", FRAMED, end=End.RESET)
    yield closing("closes after the chunks", HEAD_CHUNKED + CHUNKS, end=End.CLOSE)


def surplus() -> Iterator[Case]:
    """What follows an answer belongs to nobody (RFC 9112 §9.2)."""
    yield closing("behind it, junk", FRAMED + b"junk")
    yield closing("behind it, one byte", FRAMED + b"x")
    yield closing("behind it, NUL", FRAMED + b"\0")
    yield closing("behind it, another answer", FRAMED + EVIL)
    yield closing("behind it, two more answers", FRAMED + EVIL + EVIL)
    yield closing("behind it, the same answer", FRAMED + FRAMED)
    yield closing("behind it, half an answer", FRAMED + b"HTTP/1.1 418 Evil\r\nx:")
    yield closing("behind it, the first byte of an answer", FRAMED + b"H")
    yield closing("behind it, a 1xx", FRAMED + head("HTTP/1.1 100 Continue"))
    yield closing("behind it, an answer that closes", FRAMED + EVIL, end=End.CLOSE)
    yield closing("behind chunks, junk", HEAD_CHUNKED + CHUNKS + b"junk")
    yield closing("behind chunks, another answer", HEAD_CHUNKED + CHUNKS + EVIL)
    yield closing("behind chunks, more chunks", HEAD_CHUNKED + CHUNKS + CHUNKS)
    yield closing("behind nothing, another answer", head(OK, "content-length: 0") + EVIL, body=b"")
    yield closing("behind a part, another answer", FRAMED[:-2], FRAMED[-2:] + EVIL)
    yield closing("later, another answer", FRAMED, late=EVIL)
    yield closing("later, junk", FRAMED, late=b"junk")
    yield closing("later, one byte", FRAMED, late=b"x")
    yield closing("later, half an answer", FRAMED, late=EVIL[:20])
    yield closing("later, a 1xx", FRAMED, late=head("HTTP/1.1 103 Hints"))
    yield closing("later, 408", FRAMED, late=head("HTTP/1.1 408 Idle", "connection: close", "content-length: 0"))
    yield closing("later, after chunks, another answer", HEAD_CHUNKED + CHUNKS, late=EVIL)
    yield closing("later, after 204, another answer", head("HTTP/1.1 204 None"), late=EVIL, status=204, body=b"")
    yield closing("later, the body of a HEAD", head(OK, LENGTH), late=BODY, body=b"", method="HEAD")
    yield taken("behind it, an empty line, which may be passed over", FRAMED + b"\r\n")
    yield closing("later, an empty line", FRAMED, late=b"\r\n")


def connections() -> Iterator[Case]:
    def with_(*lines: str) -> bytes:
        return head(OK, LENGTH, *lines) + BODY

    for value in (
        "close",
        "Close",
        "CLOSE",
        "keep-alive, close",
        "close, keep-alive",
        "x, close",
        "close,x",
        " close ",
        ",close,",
    ):
        yield closing(f"connection, {value}", with_(f"connection: {value}"))
    yield closing("connection, two headers, close last", with_("connection: keep-alive", "connection: close"))
    yield closing("connection, two headers, close first", with_("connection: close", "connection: keep-alive"))
    for value in ("keep-alive", "Keep-Alive", "x", "closed", "unclose", "te", ""):
        yield taken(f"connection, {value or 'empty'}", with_(f"connection: {value}"))
    yield taken("keep-alive with parameters", with_("keep-alive: timeout=5, max=100"))
    yield closing("proxy-connection, close", with_("proxy-connection: close"))
    yield taken("upgrade offered", with_("upgrade: h2c"))
    yield taken("upgrade offered and named", with_("upgrade: h2c", "connection: upgrade"))
    yield closing("connection, close, chunked", head(OK, CHUNKED, "connection: close") + CHUNKS)
    yield closing("connection, close, and another answer behind", with_("connection: close") + EVIL)
    yield taken("HTTP/1.0, Keep-Alive", head("HTTP/1.0 200 OK", LENGTH, "connection: Keep-Alive") + BODY)
    yield closing(
        "HTTP/1.0, keep-alive and close", head("HTTP/1.0 200 OK", LENGTH, "connection: keep-alive, close") + BODY
    )
    yield refused("connection, close, two lengths", with_("connection: close", "content-length: 3"))


def bounds() -> Iterator[Case]:
    """The call allows 1 MiB of body, the connection 128 KiB of head."""
    over = b"x" * ((1 << 20) + 1)
    whole = over[1:]
    yield taken("1 MiB by length", head(OK, f"content-length: {len(whole)}") + whole, body=whole)
    yield refused("over 1 MiB by length", head(OK, f"content-length: {len(over)}") + over)
    yield refused("over 1 MiB by chunks", HEAD_CHUNKED + b"%x\r\n" % len(over) + over + b"\r\n0\r\n\r\n")
    yield refused("over 1 MiB by the close", head(OK) + over, end=End.CLOSE)
    yield refused("over 1 MiB, an error's body", head("HTTP/1.1 500 Oops", f"content-length: {len(over)}") + over)


def dripped() -> Iterator[Case]:
    """Whatever the network makes of it: the same bytes, one by one."""
    hints = head("HTTP/1.1 103 Hints", "x: 1")
    whole = {
        "by length": taken("", FRAMED),
        "chunks and trailers": taken(
            "", HEAD_CHUNKED + b"3;a=1\r\n" + BODY[:3] + b"\r\n4\r\n" + BODY[3:] + b"\r\n0\r\nx: 1\r\n\r\n"
        ),
        "hints first": taken("", hints + FRAMED, headers=(("content-length", "7"),)),
        "by the close": until_close("", head(OK, "x: 1") + BODY),
        "HEAD": closing("", head(OK, LENGTH), body=b"", method="HEAD"),
        "204": taken("", head("HTTP/1.1 204 None", "x: 1"), status=204, body=b""),
        "two lengths": refused("", head(OK, LENGTH, "content-length: 3") + BODY),
        "length and coding": refused("", head(OK, LENGTH, CHUNKED) + CHUNKS),
        "a bad chunk": refused("", HEAD_CHUNKED + b"3\r\n" + BODY[:3] + b"X\n4\r\n" + BODY[3:]),
        "closes early": cut("", FRAMED[:-1]),
    }
    for name, case in whole.items():
        (raw,) = case.parts
        yield case.split(f"dripped, {name}", *(raw[at : at + 1] for at in range(len(raw))))


def split() -> Iterator[Case]:
    """Cut in two at every byte."""
    hints = head("HTTP/1.1 103 Hints")
    chunked = HEAD_CHUNKED + b"7;a=1\r\n" + BODY + b"\r\n0\r\nx: 1\r\n\r\n"
    for name, case in {
        "hints and length": taken("", hints + FRAMED, headers=(("content-length", "7"),)),
        "chunks and trailer": taken("", chunked),
        "an answer and another": closing(
            "", head(OK, "content-length: 1") + b"1" + head(OK, "content-length: 1") + b"2", body=b"1"
        ),
        "two lengths": refused("", head(OK, LENGTH, "content-length: 3") + BODY),
    }.items():
        (raw,) = case.parts
        for at in range(1, len(raw)):
            yield case.split(f"split, {name}, at {at}", raw[:at], raw[at:])


FAMILIES: dict[str, tuple[Case, ...]] = {
    family.__name__: tuple(family())
    for family in (
        well_formed, lengths, codings, chunk_sizes, chunk_extensions, chunk_ends, trailers, line_ends, fields,
        broken_fields, status_lines, not_http, interim, bodiless, early_ends, surplus, connections, bounds, dripped,
        split,
    )
}  # fmt: skip
CORPUS: tuple[Case, ...] = tuple(case for family in FAMILIES.values() for case in family)
# Others are asked about each kind of answer once, not about every place where the network may cut it.
NAMED: tuple[Case, ...] = tuple(case for name, family in FAMILIES.items() if name != "split" for case in family)
