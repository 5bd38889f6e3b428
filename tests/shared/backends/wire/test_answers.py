"""What a backend may answer, and what comes of it: one table, for both channels, on real sockets."""

import gzip
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from shared.backends.httpx_channel import HttpxChannel
from shared.backends.wire.pool import PoolPolicy, WirePool
from shared.clock import LoopClock
from shared.errors import BackendInvalid, BackendUnreachable, CallFailed
from tests.shared.backends.raw import (
    OK,
    RawBackend,
    Script,
    answers,
    ask,
    fields_of,
    hangs_up,
    http,
    request,
    then_close,
    then_reset,
)

BODY = b'{"a":1}'
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n" + BODY[:3] + b"\r\n4;ext=1\r\n" + BODY[3:]
HUGE = b"[" + b"1," * (5 << 20) + b"1]"

CHANNELS = {
    "wire": lambda url: WirePool("raw", url, PoolPolicy(), LoopClock()),
    "httpx": lambda url: HttpxChannel("raw", url),
}


@pytest.fixture(params=list(CHANNELS))
def open_channel(request: Any) -> Callable[[str], Any]:
    return CHANNELS[request.param]


class Row(NamedTuple):
    """What the backend does, and the reply (status, body) or the failures that may come of it."""

    script: Script
    outcome: tuple[int, bytes] | type[CallFailed] | tuple[type[CallFailed], ...]
    method: str = "GET"


# httpx tells "not HTTP" and "cut short" apart only in its texts: there, both are unreachable.
NOT_HTTP = (BackendInvalid, BackendUnreachable)


def head(*lines: str) -> bytes:
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


TABLE = {
    "framed by its length": Row(answers(http(BODY)), (200, BODY)),
    "empty": Row(answers(http(b"")), (200, b"")),
    "a reason phrase left out": Row(answers(head("HTTP/1.1 200 ", "content-length: 7") + BODY), (200, BODY)),
    "chunked, with extension and trailers": Row(answers(CHUNKED + b"\r\n0\r\nx-t: 1\r\n\r\n"), (200, BODY)),
    "framed by the close": Row(then_close(head("HTTP/1.1 200 OK") + BODY), (200, BODY)),
    "HTTP/1.0": Row(then_close(head("HTTP/1.0 200 OK") + BODY), (200, BODY)),
    "closes after": Row(then_close(http(BODY, "connection: close")), (200, BODY)),
    "1xx first": Row(
        answers(head("HTTP/1.1 100 Continue") + head("HTTP/1.1 103 Early Hints", "link: </x>") + http(BODY)),
        (200, BODY),
    ),
    "an empty line first, then cut short": Row(then_close(b"\r\n" + http(BODY)[:-1]), BackendUnreachable),
    "no HTTP status": Row(answers(head("HTTP/1.1 042 Answer", "content-length: 7") + BODY), NOT_HTTP),
    "204": Row(answers(head("HTTP/1.1 204 No Content")), (204, b"")),
    "304": Row(answers(head("HTTP/1.1 304 Not Modified", 'etag: "x"')), (304, b"")),
    "HEAD with a length": Row(answers(head("HTTP/1.1 200 OK", "content-length: 7")), (200, b""), "HEAD"),
    "HEAD, chunked": Row(answers(head("HTTP/1.1 200 OK", "transfer-encoding: chunked")), (200, b""), "HEAD"),
    "HTML": Row(answers(http(b"<html>", status="502 Bad Gateway")), (502, b"<html>")),
    "a redirect, not followed": Row(answers(http(b"", "location: /elsewhere", status="302 Found")), (302, b"")),
    "an error with a body": Row(answers(http(BODY, status="500 Oops")), (500, BODY)),
    "more after the answer": Row(answers(http(BODY) + b"HTTP/1.1 500 Evil\r\ncontent-length: 0\r\n\r\n"), (200, BODY)),
    "junk after the answer": Row(answers(http(BODY) + b"junk"), (200, BODY)),
    "10 MB": Row(answers(http(HUGE)), BackendInvalid),
    "10 MB without a length": Row(then_close(head("HTTP/1.1 200 OK") + HUGE), BackendInvalid),
    "hangs up on accept": Row(hangs_up, BackendUnreachable),
    "closes without an answer": Row(then_close(b""), BackendUnreachable),
    "closes within the head": Row(then_close(b"HTTP/1.1 200 OK\r\nconte"), BackendUnreachable),
    "closes within the body": Row(then_close(http(BODY)[:-1]), BackendUnreachable),
    "closes within a chunk": Row(then_close(CHUNKED), BackendUnreachable),
    "resets without an answer": Row(then_reset(b""), BackendUnreachable),
    "resets within the body": Row(then_reset(http(BODY)[:-1]), BackendUnreachable),
    "resets a body without a length": Row(then_reset(head("HTTP/1.1 200 OK") + BODY), BackendUnreachable),
    "not HTTP": Row(then_close(b"220 mail.example ESMTP\r\n\r\n"), NOT_HTTP),
    "a TLS alert": Row(then_close(b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n"), NOT_HTTP),
    "two lengths": Row(answers(head("HTTP/1.1 200 OK", "content-length: 7", "content-length: 3") + BODY), NOT_HTTP),
    "a negative length": Row(answers(head("HTTP/1.1 200 OK", "content-length: -7") + BODY), NOT_HTTP),
    "a header with NUL": Row(answers(head("HTTP/1.1 200 OK", "x: a\0b", "content-length: 7") + BODY), NOT_HTTP),
    "a chunk size beyond all bounds": Row(
        then_close(head("HTTP/1.1 200 OK", "transfer-encoding: chunked") + b"f" * 18 + b"\r\n" + BODY), NOT_HTTP
    ),
    "a head without end": Row(then_close(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 40_000), NOT_HTTP),
    "1xx without end": Row(then_close(head("HTTP/1.1 103 Early Hints", "link: </x>") * 10_000), NOT_HTTP),
}


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
async def test_what_comes_of_an_answer(row: Row, open_channel: Callable[[str], Any]) -> None:
    """The reply, or the failure of the right kind, told exactly once; and no connection is left after the close."""
    async with RawBackend(row.script) as backend:
        channel = open_channel(backend.url)
        outcome = await ask(channel, request(row.method))
        await channel.aclose()

    if isinstance(row.outcome, tuple) and isinstance(row.outcome[0], int):
        assert not isinstance(outcome, CallFailed), outcome
        assert (outcome.status, outcome.body) == row.outcome
    else:
        assert isinstance(outcome, row.outcome), outcome


async def test_nobody_there(open_channel: Callable[[str], Any]) -> None:
    """A refused connection is unreachable, and provably nothing was sent."""
    async with RawBackend(answers(OK)) as gone:
        pass
    channel = open_channel(gone.url)

    outcome = await ask(channel)

    assert isinstance(outcome, BackendUnreachable)
    assert not outcome.sent
    await channel.aclose()


async def test_case_s10_a_backends_cookie_is_never_sent_back(open_channel: Callable[[str], Any]) -> None:
    """By name and by address, also after a redirect that sets one: the next caller's request carries no Cookie."""
    tagged = http(b"[]", "set-cookie: sid=A; path=/", "set-cookie: lang=de; domain=localhost")
    async with RawBackend(
        answers(tagged, http(b"", "location: /", "set-cookie: b=2", status="302 Found"), OK)
    ) as backend:
        for host in ("localhost", "127.0.0.1"):
            channel = open_channel(f"http://{host}:{backend.port}")
            for user in ("a", "b", "c"):
                await ask(channel, request(headers=(("authorization", f"Bearer {user}"),)))
            await channel.aclose()

    assert len(backend.requests) == 6
    for sent in backend.requests:
        assert "cookie" not in fields_of(sent)


async def test_a_request_arrives_as_it_was_declared(open_channel: Callable[[str], Any]) -> None:
    """Method, target, host and headers, each once, and nothing compressed is asked for."""
    async with RawBackend(answers(OK)) as backend:
        channel = open_channel(f"{backend.url}/base")
        await ask(
            channel, request(target="/a%2Fb?c=%26", headers=(("traceparent", "00-1"), ("accept", "application/json")))
        )
        await channel.aclose()

    first = backend.requests[0].split(b"\r\n")[0]
    fields = fields_of(backend.requests[0])
    assert first == b"GET /base/a%2Fb?c=%26 HTTP/1.1"
    assert fields["host"] == f"127.0.0.1:{backend.port}"
    assert (fields["traceparent"], fields["accept"]) == ("00-1", "application/json")
    assert fields.get("accept-encoding", "identity") == "identity"
    assert "content-length" not in fields


async def test_a_body_arrives_whole(open_channel: Callable[[str], Any]) -> None:
    """With its length, and with length zero when a POST has none."""
    async with RawBackend(answers(OK)) as backend:
        channel = open_channel(backend.url)
        await ask(channel, request("POST", body=BODY))
        await ask(channel, request("POST"))
        await channel.aclose()

    assert backend.requests[0].endswith(b"\r\n\r\n" + BODY)
    assert [fields_of(sent)["content-length"] for sent in backend.requests] == ["7", "0"]


async def test_an_answer_that_is_compressed_all_the_same_is_not_unpacked(open_channel: Callable[[str], Any]) -> None:
    """Ten kilobytes that unpack to ten megabytes stay ten kilobytes: the body's bound holds for what comes in."""
    packed = gzip.compress(HUGE)
    async with RawBackend(answers(http(packed, "content-encoding: gzip"))) as backend:
        channel = open_channel(backend.url)
        outcome = await ask(channel)
        await channel.aclose()

    assert not isinstance(outcome, CallFailed)
    assert outcome.body == packed


async def test_headers_can_be_asked_for(open_channel: Callable[[str], Any]) -> None:
    """By lower-case name, the first of several, None when absent."""
    early = head("HTTP/1.1 103 Early Hints", "retry-after: 9")
    async with RawBackend(answers(early + http(b"", "Retry-After:  3 ", "x-a: 1", "X-A: 2"))) as backend:
        channel = open_channel(backend.url)
        outcome = await ask(channel)
        await channel.aclose()

    assert not isinstance(outcome, CallFailed)
    assert outcome.header("retry-after") == "3"
    assert outcome.header("x-a") == "1"
    assert outcome.header("content-encoding") is None
