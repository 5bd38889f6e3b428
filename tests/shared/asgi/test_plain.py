"""The short reading of a plain request: never another one than the parser's, and no reading of anything odd."""

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.asgi.plain import fields_of, target_of

HEAD = b"GET /hot HTTP/1.1\r\n"
PLAIN = HEAD + b"host: t\r\nAuthorization: Bearer a.b.c\r\nx-text: a: b, c\r\n\r\n"


class Parsed:
    """What uvicorn's parser makes of the same bytes."""

    def __init__(self, data: bytes) -> None:
        self.url, self.headers, self.ended, self.begun, self.kept = b"", list[tuple[bytes, bytes]](), 0, 0, False
        self.body = b""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.begun += 1

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.ended += 1
        self.kept = self.parser.should_keep_alive() and not self.parser.should_upgrade()


def agrees(data: bytes) -> bool:
    """Whether it was read; and if so, the parser must read one whole request with the same target and headers."""
    fields = fields_of(data, b"/hot") if target_of(data) == b"/hot" else None
    if fields is None:
        return False
    parsed = Parsed(data)
    assert (parsed.begun, parsed.ended, parsed.kept, parsed.body) == (1, 1, True, b"")
    assert parsed.parser.get_method() == b"GET"
    assert parsed.parser.get_http_version() == "1.1"
    assert parsed.url == b"/hot"
    assert parsed.headers == list(fields.items())
    return True


def test_a_plain_request_is_read() -> None:
    """Its names in lower case, its values as they are."""
    assert target_of(PLAIN) == b"/hot"
    assert fields_of(PLAIN, b"/hot") == {b"host": b"t", b"authorization": b"Bearer a.b.c", b"x-text": b"a: b, c"}
    assert agrees(PLAIN)
    assert agrees(HEAD + b"x-a: b\r\n\r\n")


ODD = {
    "a part": PLAIN[:-2],
    "more behind it": PLAIN + b"G",
    "two": PLAIN + PLAIN,
    "a body": HEAD + b"content-length: 4\r\n\r\n\r\n\r\n",
    "a body in chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length behind a space": HEAD + b"content-length : 4\r\n\r\n",
    "a length behind a tab": HEAD + b"content-length\t: 4\r\n\r\n",
    "a say in the connection": HEAD + b"connection: close\r\n\r\n",
    "a say in a proxy's": HEAD + b"Proxy-Connection: close\r\n\r\n",
    "another protocol": HEAD + b"upgrade: h2c\r\n\r\n",
    "an answer before the answer": HEAD + b"expect: 100-continue\r\n\r\n",
    "one header twice": HEAD + b"x-a: 1\r\nX-A: 2\r\n\r\n",
    "a folded line": HEAD + b"x-a: 1\r\n 2: 3\r\n\r\n",
    "a bare line feed": HEAD + b"x-a: 1\nx-b: 2\r\n\r\n",
    "a bare line feed at the end": HEAD + b"x-a: 1\n\r\n\r\n",
    "a bare carriage return": HEAD + b"x-a: 1\rx-b: 2\r\n\r\n",
    "both, out of order": HEAD + b"x-a: 1\n\rx-b: 2\r\n\r\n",
    "a NUL": HEAD + b"x-a: \x00\r\n\r\n",
    "a name of nothing": HEAD + b": x\r\n\r\n",
    "a name with a space": HEAD + b"x a: x\r\n\r\n",
    "a value of nothing": HEAD + b"x-a: \r\n\r\n",
    "no colon": HEAD + b"x-a\r\n\r\n",
    "no space behind the colon": HEAD + b"x-a:1\r\n\r\n",
    "two spaces before a value": HEAD + b"x-a:  1\r\n\r\n",
    "a space behind a value": HEAD + b"x-a: 1 \r\n\r\n",
    "a tab in a value": HEAD + b"x-a: 1\t2\r\n\r\n",
    "not ASCII": HEAD + b"x-a: \xe4\r\n\r\n",
    "HTTP/1.0": b"GET /hot HTTP/1.0\r\nhost: t\r\n\r\n",
    "HTTP/0.9": b"GET /hot\r\n\r\n",
    "two spaces before the version": b"GET /hot  HTTP/1.1\r\nhost: t\r\n\r\n",
    "a target of two": b"GET /hot /hot HTTP/1.1\r\nhost: t\r\n\r\n",
    "a line end before it": b"\r\n" + PLAIN,
    "another method": b"POST /hot HTTP/1.1\r\nhost: t\r\n\r\n",
    "no header": HEAD + b"\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("what", ODD)
def test_what_is_odd_is_left_to_the_parser(what: str) -> None:
    """A body, a second request, a line that two could read in two ways."""
    assert not agrees(ODD[what])


PIECES = st.sampled_from([
    b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b": ", b"x-a", b"X-B", b"host", b"1", b"\x00", b"\xff", b"\x7f", b",",
    b"content-length", b"Content-Length: 0", b"transfer-encoding", b"chunked", b"close", b"connection", b"upgrade",
    b";", b"te", b"HTTP/1.1", b"HTTP/1.0", b"GET /hot ", b"x-c: d\r\n", b"\r\n\r\n", b"0\r\n\r\n", b"?q=1", b'"', b"(",
])  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.lists(PIECES, max_size=9), st.integers(0, len(PLAIN)), st.integers(0, 12))
def test_no_request_is_read_in_two_ways(pieces: list[bytes], at: int, cut: int) -> None:
    """Whatever stands anywhere in a plain request, or instead of a part of it."""
    agrees(PLAIN[:at] + b"".join(pieces) + PLAIN[at + cut :])


@settings(max_examples=500, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=4).map(b"".join), max_size=4))
def test_no_header_is_read_in_two_ways(lines: list[bytes]) -> None:
    """Nor a block of lines that were never meant to be headers."""
    agrees(HEAD + b"".join(line + b"\r\n" for line in lines) + b"\r\n")
