"""Which connection carries which request, and which is never used again."""

import asyncio

import pytest

from shared.backends.wire.message import MAX_HEADERS
from shared.errors import BackendInvalid, CallFailed
from tests.shared.backends.raw import (
    OK,
    Line,
    RawBackend,
    answers,
    ask,
    http,
    request,
    until,
)
from tests.shared.backends.wire.pools import pool_for, status_of


async def test_one_connection_carries_one_request_after_another() -> None:
    """Keep-alive: ten calls in a row, one handshake."""
    async with RawBackend(answers(OK)) as backend, pool_for(backend) as pool:
        for _ in range(10):
            assert status_of(await ask(pool)) == 200

        assert (backend.accepted, pool.connections, pool.active) == (1, 1, 0)


async def test_a_chunked_answer_leaves_its_connection_usable() -> None:
    """The end of the body is the last chunk, not the close."""
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n"
    async with RawBackend(answers(chunked)) as backend, pool_for(backend) as pool:
        assert [status_of(await ask(pool)) for _ in range(3)] == [200] * 3
        assert backend.accepted == 1


@pytest.mark.parametrize(
    "raw",
    [
        http(b"[]", "connection: close"),
        http(b"[]") + b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        http(b"[]") + b"\0",
        b"HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n[]",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n[]",
    ],
    ids=["it says close", "a second answer", "junk", "a 204 with a body", "HTTP/1.0"],
)
async def test_a_connection_in_doubt_is_not_used_again(raw: bytes) -> None:
    """Or the rest of one user's answer would be the next user's."""
    async with RawBackend(answers(raw)) as backend, pool_for(backend) as pool:
        for _ in range(3):
            status_of(await ask(pool))

        assert (backend.accepted, pool.connections) == (3, 0)


async def test_bytes_that_nobody_asked_for_close_an_idle_connection() -> None:
    """They can be no answer to the next request."""
    stray = asyncio.Event()

    async def script(line: Line) -> None:
        while await line.request() is not None:
            await line.write(http(b'"%d"' % len(line.backend.requests)))
            if len(line.backend.requests) == 1:
                await stray.wait()
                await line.write(http(b'"poison"'))

    async with RawBackend(script) as backend, pool_for(backend) as pool:
        await ask(pool)
        stray.set()
        await until(lambda: pool.connections == 0, "the poisoned connection is closed")

        second = await ask(pool)
        assert not isinstance(second, CallFailed)
        assert second.body == b'"2"'


async def test_an_answer_split_at_every_byte_is_the_same_answer() -> None:
    """Where the network cuts means nothing: each split into two, then one byte at a time."""
    early = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
    raws = [
        early + http(b'{"a":1}', "x-a: 1"),
        b"HTTP/1.1 200 OK\r\nx-a: 1\r\ntransfer-encoding: chunked\r\n\r\n3\r\n" + b'{"a\r\n4\r\n":1}\r\n0\r\n\r\n',
    ]
    for raw in raws:
        cuts = [(raw[:at], raw[at:]) for at in range(1, len(raw))] + [tuple(bytes([one]) for one in raw)]

        async def script(line: Line, cuts: list[tuple[bytes, ...]] = cuts) -> None:
            while await line.request() is not None:
                for piece in cuts[len(line.backend.requests) - 1]:
                    await line.write(piece)
                    await asyncio.sleep(0.0005)

        async with RawBackend(script) as backend, pool_for(backend) as pool:
            for _ in cuts:
                outcome = await ask(pool)
                assert not isinstance(outcome, CallFailed), outcome
                assert (outcome.status, outcome.body, outcome.header("x-a")) == (200, b'{"a":1}', "1")
            assert backend.accepted == 1


FORMS = {
    "a folded header": b"HTTP/1.1 200 OK\r\nx-a: 1\r\n content-length: 3\r\ncontent-length: 2\r\n\r\n[]",
    "bare line feeds": b"HTTP/1.1 200 OK\ncontent-length: 2\n\n[]",
    "a space before the colon": b"HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\n[]",
    "the same length twice": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n[]",
    "a list of lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\n[]",
    "a length and chunks": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    "no HTTP status": b"HTTP/1.1 042 Answer\r\ncontent-length: 2\r\n\r\n[]",
}


@pytest.mark.parametrize("raw", FORMS.values(), ids=FORMS.keys())
async def test_what_two_parsers_could_read_in_two_ways_is_invalid(raw: bytes) -> None:
    """Whatever stands between us and a backend may see other borders: refused at once, and the connection with it."""
    async with RawBackend(answers(raw)) as backend, pool_for(backend) as pool:
        assert isinstance(await ask(pool), BackendInvalid)
        assert pool.connections == 0


async def test_the_body_bound_is_the_calls_own() -> None:
    """Two calls over one connection, each with its bound; the one that is too large costs the connection."""
    async with RawBackend(answers(http(b"x" * 100))) as backend, pool_for(backend) as pool:
        assert status_of(await ask(pool, request(max_body_bytes=100))) == 200
        assert isinstance(await ask(pool, request(max_body_bytes=99)), BackendInvalid)
        assert pool.connections == 0
        assert backend.accepted == 1


@pytest.mark.parametrize(("count", "fits"), [(MAX_HEADERS, True), (MAX_HEADERS + 1, False)])
async def test_an_answer_has_no_more_headers_than_anybody_needs(count: int, fits: bool) -> None:
    """Counted once the whole head is there; those of a 1xx before it are not this one's."""
    early = b"HTTP/1.1 103 Early Hints\r\n" + b"link: </x>\r\n" * 100 + b"\r\n"
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n" + b"a:\r\n" * (count - 1) + b"\r\n[]"
    async with RawBackend(answers(early + answer)) as backend, pool_for(backend) as pool:
        outcome = await ask(pool)

    assert isinstance(outcome, BackendInvalid) is not fits
