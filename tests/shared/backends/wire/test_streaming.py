"""Bodies that flow through httpx's face, both ways, with whoever is slower setting the pace.

What httpx's users know must hold over ours as over httpx's own transport: where both can be asked, both are.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.backends.wire.pool import PoolPolicy
from shared.backends.wire.streaming import HIGH_WATER
from shared.backends.wire.transport import WireTransport
from tests.shared.backends.raw import OK, Line, RawBackend, Script, answers, fields_of, http, never_answers, until
from tests.shared.backends.wire.pools import slow_to_accept

TRANSPORTS: dict[str, Callable[[], httpx.AsyncBaseTransport]] = {
    "wire": WireTransport,
    "httpx": httpx.AsyncHTTPTransport,
}
PART = b"x" * 65536


@pytest.fixture(params=list(TRANSPORTS))
def transport(request: Any) -> httpx.AsyncBaseTransport:
    return TRANSPORTS[request.param]()


@asynccontextmanager
async def client_of(script: Script, transport: httpx.AsyncBaseTransport | None = None, **policy: Any) -> Any:
    """A backend, and a client of it; afterwards no slot and no connection may be left."""
    transport = transport or WireTransport(PoolPolicy(**policy))
    async with RawBackend(script) as backend:
        async with httpx.AsyncClient(transport=transport, base_url=backend.url) as client:
            yield client, backend
        await until(lambda: backend.open == 0, "every connection is closed")
        if isinstance(transport, WireTransport):
            for pool in transport._pools.values():
                assert (pool.connections, pool.active) == (0, 0)


def pool_of(client: httpx.AsyncClient) -> Any:
    (pool,) = client._transport._pools.values()
    return pool


def head(*lines: str) -> bytes:
    return "\r\n".join(("HTTP/1.1 200 OK", *lines)).encode() + b"\r\n\r\n"


CHUNKED = head("transfer-encoding: chunked")


async def test_parts_arrive_while_the_backend_still_writes(transport: httpx.AsyncBaseTransport) -> None:
    """Each is handed on before the next is written."""
    seen = asyncio.Semaphore(0)

    async def script(line: Line) -> None:
        await line.request()
        await line.write(CHUNKED)
        for part in (b"one", b"two", b"three"):
            await line.write(b"%x\r\n%b\r\n" % (len(part), part))
            await seen.acquire()
        await line.write(b"0\r\n\r\n")
        await line.gone()

    async with client_of(script, transport) as (client, _), client.stream("GET", "/") as response:
        got = []
        async for part in response.aiter_bytes():
            got.append(part)
            seen.release()

    assert got == [b"one", b"two", b"three"]


async def test_a_slow_reader_makes_the_backend_wait() -> None:
    """Of thirty megabytes no more is held than the bound; all of it arrives in the end."""
    parts = 480

    async def script(line: Line) -> None:
        await line.request()
        await line.write(head(f"content-length: {parts * len(PART)}"))
        for _ in range(parts):
            await line.write(PART)
        await line.gone()

    async with client_of(script) as (client, _), client.stream("GET", "/") as response:
        (connection,) = pool_of(client)._active
        await until(lambda: connection._paused, "the connection is not read any more")
        held = connection._flow._held
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)

    assert HIGH_WATER < held <= HIGH_WATER + 256 * 1024
    assert size == parts * len(PART)


async def test_a_slow_backend_makes_the_upload_wait() -> None:
    """The iterator is asked for no more than fits on the way; all of it arrives in the end."""
    parts, asked = 480, 0
    reading = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        nonlocal asked
        for _ in range(parts):
            asked += 1
            yield PART

    async def script(line: Line) -> None:
        assert b"transfer-encoding: chunked" in await line.head()
        await reading.wait()
        size = sum([len(part) async for part in line.chunks()])
        await line.write(http(str(size).encode()))
        await line.gone()

    async with client_of(script) as (client, _):
        posting = asyncio.ensure_future(client.post("/", content=body()))
        await until(lambda: asked > 0, "it is under way")
        (connection,) = pool_of(client)._active
        await until(lambda: not connection._flow._writable.is_set(), "the upload waits")
        waited_at = asked
        reading.set()
        answer = await posting

    assert waited_at < parts
    assert answer.text == str(parts * len(PART))


async def test_an_upload_of_known_length_is_not_chunked(transport: httpx.AsyncBaseTransport) -> None:
    """As the caller declared it."""

    async def body() -> AsyncIterator[bytes]:
        yield b"abc"
        yield b""
        yield b"def"

    async with client_of(answers(OK), transport) as (client, backend):
        await client.put("/", content=body(), headers={"content-length": "6"})
        await client.post("/", content=body())

    assert backend.requests[0].endswith(b"\r\n\r\nabcdef")
    assert "transfer-encoding" not in fields_of(backend.requests[0])
    assert backend.requests[1].endswith(b"\r\n\r\nabcdef")
    assert fields_of(backend.requests[1])["transfer-encoding"] == "chunked"


@pytest.mark.parametrize(("declared", "said"), [("5", "longer"), ("7", "shorter")])
async def test_a_length_that_is_not_kept_is_told_and_costs_the_connection(declared: str, said: str) -> None:
    """What was declared would frame the next request wrongly."""

    async def body() -> AsyncIterator[bytes]:
        yield b"abc"
        yield b"def"

    async with client_of(answers(OK)) as (client, backend):
        with pytest.raises(httpx.LocalProtocolError, match=said):
            await client.put("/", content=body(), headers={"content-length": declared})
        await until(lambda: backend.open == 0, "the connection is closed")


async def test_an_iterator_that_raises_is_the_callers_own_error(transport: httpx.AsyncBaseTransport) -> None:
    """It comes out where the request was made; what was begun is not finished."""

    class OwnError(Exception):
        pass

    async def body() -> AsyncIterator[bytes]:
        yield b"abc"
        raise OwnError

    async with client_of(answers(OK), transport) as (client, backend):
        with pytest.raises(OwnError):
            await client.post("/", content=body())
        await until(lambda: backend.open == 0, "the connection is closed")
    assert backend.requests == []


async def test_an_early_refusal_ends_the_upload() -> None:
    """413 before the body is there: it is the answer; the iterator is closed, the connection not used again."""
    closed: list[bool] = []

    async def body() -> AsyncIterator[bytes]:
        try:
            yield b"abc"
            await asyncio.sleep(60)
        finally:
            closed.append(True)

    async def script(line: Line) -> None:
        await line.head()
        assert await anext(line.chunks()) == b"abc"
        await line.write(http(b"too much", status="413 Content Too Large"))
        await line.gone()

    async with client_of(script) as (client, backend):
        answer = await client.post("/", content=body())
        assert closed == [True]
        await until(lambda: backend.open == 0, "the connection is closed")

    assert (answer.status_code, answer.text) == (413, "too much")


async def test_both_bodies_may_flow_at_once() -> None:
    """A backend that answers each part of the request with a part of its answer."""

    async def script(line: Line) -> None:
        await line.head()
        await line.write(CHUNKED)
        async for part in line.chunks():
            await line.write(b"%x\r\n%b\r\n" % (len(part), part.upper()))
        await line.write(b"0\r\n\r\n")
        await line.gone()

    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def body() -> AsyncIterator[bytes]:
        yield b"a"
        while (part := await asyncio.wait_for(heard.get(), 5)) != b"AAAA":
            yield part.lower() + b"a"

    async with client_of(script) as (client, _):
        async with client.stream("POST", "/", content=body()) as response:
            async for part in response.aiter_bytes():
                heard.put_nowait(part)
        assert pool_of(client).connections == 1  # both were whole: it is kept


async def test_closing_early_frees_the_slot(transport: httpx.AsyncBaseTransport) -> None:
    """The backend sees the close; the next request has its turn, though there may be one connection only."""

    async def endless(line: Line) -> None:
        await line.request()
        await line.write(CHUNKED)
        while line.open:
            await line.write(b"1\r\nx\r\n")
            await asyncio.sleep(0)

    limited = WireTransport(PoolPolicy(max_connections=1)) if isinstance(transport, WireTransport) else transport
    async with client_of(endless, limited) as (client, backend):
        async with client.stream("GET", "/") as response:
            async for _ in response.aiter_bytes():
                break
        await until(lambda: backend.open == 0, "the backend saw the close")
        backend.script = answers(OK)
        assert (await client.get("/")).json() == []


async def test_a_whole_body_frees_its_connection_before_it_is_read() -> None:
    """A reader who dawdles holds memory, not a connection."""
    async with client_of(answers(http(b"[1]"))) as (client, backend), client.stream("GET", "/") as response:
        await until(lambda: pool_of(client).active == 0, "the connection is free")
        assert (await client.get("/")).json() == [1]
        assert await response.aread() == b"[1]"
        assert backend.accepted == 1


@pytest.mark.parametrize("when", ["queued", "uploading", "waiting", "reading"])
async def test_a_caller_that_leaves_leaves_nothing(when: str) -> None:
    """At whatever point: no slot, no task, no open connection; the next request is answered."""
    uploading = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"abc"
        uploading.set()
        await asyncio.sleep(60)

    async def begins(line: Line) -> None:
        await line.request()
        await line.write(head("content-length: 10") + b"abc")
        await line.gone()

    script = begins if when == "reading" else never_answers
    async with client_of(script, max_connections=1) as (client, backend):
        holding = asyncio.ensure_future(client.get("/")) if when == "queued" else None
        if holding is not None:
            await until(lambda: len(backend.requests) == 1, "the only connection is taken")
        content = body() if when == "uploading" else None
        leaving = asyncio.ensure_future(client.post("/", content=content) if content else client.get("/"))
        if when == "uploading":
            await uploading.wait()
        elif when == "queued":
            await until(lambda: len(pool_of(client)._waiting) == 1, "it waits")
        else:
            await until(lambda: len(backend.requests) == 1, "it is under way")

        for one in filter(None, (leaving, holding)):
            one.cancel()
            await asyncio.wait([one])

        await until(lambda: backend.open == 0 and pool_of(client).active == 0, "nothing is held")
        backend.script = answers(OK)
        assert (await client.get("/")).json() == []
    await until(lambda: len(asyncio.all_tasks()) == 1, "no task is left")


async def test_every_timeout_is_the_one_that_httpx_names() -> None:
    """Pool, connect, write, read; and a read's begins when the request is out, however long that took."""

    async def slow_body() -> AsyncIterator[bytes]:
        for _ in range(4):
            await asyncio.sleep(0.05)
            yield b"x"

    async def never_reads(line: Line) -> None:
        await line.head()
        await asyncio.sleep(5)

    async def endless_body() -> AsyncIterator[bytes]:
        while True:
            yield PART

    async with client_of(never_answers, max_connections=1) as (client, backend):
        holding = asyncio.ensure_future(client.get("/"))
        await until(lambda: len(backend.requests) == 1, "the only connection is taken")
        with pytest.raises(httpx.PoolTimeout):
            await client.get("/", timeout=httpx.Timeout(5, pool=0.02, connect=0.02))
        holding.cancel()
        await asyncio.wait([holding])
    async with slow_to_accept() as url, httpx.AsyncClient(transport=WireTransport()) as client:
        with pytest.raises(httpx.ConnectTimeout):
            await client.get(url, timeout=httpx.Timeout(5, pool=0.02, connect=0.02))
    async with client_of(never_reads) as (client, backend):
        with pytest.raises(httpx.WriteTimeout):
            await client.post("/", content=endless_body(), timeout=httpx.Timeout(5, write=0.05))
    async with client_of(answers(OK)) as (client, _):
        answer = await client.post("/", content=slow_body(), timeout=httpx.Timeout(5, read=0.15))
        assert answer.status_code == 200


async def test_an_answer_that_is_cut_short_says_so_after_what_came(transport: httpx.AsyncBaseTransport) -> None:
    """Never half a body that looks whole."""

    async def script(line: Line) -> None:
        await line.request()
        await line.write(head("content-length: 10") + b"abc")

    got: list[bytes] = []

    async def read(response: httpx.Response) -> None:
        async for part in response.aiter_bytes():
            got.append(part)  # noqa: PERF401 - what came before the error counts

    async with client_of(script, transport) as (client, _), client.stream("GET", "/") as response:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await read(response)
    assert got == [b"abc"]


async def test_a_stale_connection_is_not_noticed() -> None:
    """A GET goes once more over a new one; an upload looks at the connection first (field case O2)."""

    async def script(line: Line) -> None:
        await line.request()
        await line.write(OK)

    async with client_of(script) as (client, backend):
        for _ in range(3):
            assert (await client.get("/")).status_code == 200
            await until(lambda: backend.open == 0, "the backend closed it")
            assert (await client.post("/", content=b"{}")).status_code == 200
            await until(lambda: backend.open == 0, "the backend closed it")
    assert len(backend.requests) == 6


async def test_no_body_where_none_belongs(transport: httpx.AsyncBaseTransport) -> None:
    """HEAD, 204 and 304, whatever their length says; and the connection goes on."""
    script = answers(
        head("content-length: 7"),
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + http(b"[]"),
    )
    async with client_of(script, transport) as (client, _):
        got = [await client.head("/"), await client.get("/"), await client.get("/"), await client.get("/")]

    assert [(one.status_code, one.content) for one in got] == [(200, b""), (204, b""), (304, b""), (200, b"[]")]


async def test_a_header_cannot_add_another(transport: httpx.AsyncBaseTransport) -> None:
    """A line break in a value is refused before anything is sent."""
    async with client_of(answers(OK), transport) as (client, backend):
        with pytest.raises(httpx.LocalProtocolError):
            await client.get("/", headers={"x-a": "1\r\nx-b: 2"})
    assert backend.requests == []


async def test_an_answer_beyond_the_transports_bound_is_an_error() -> None:
    """For documents whose size is known to be small: the bound holds while it streams."""
    transport = WireTransport(max_body_bytes=1000)
    async with client_of(answers(http(b"x" * 1000), http(b"x" * 1001)), transport) as (client, _):
        assert len((await client.get("/")).content) == 1000
        with pytest.raises(httpx.RemoteProtocolError, match="more than 1000 bytes"):
            await client.get("/")


async def test_a_unix_socket_stands_for_every_host(tmp_path: Path) -> None:
    """``uds``, as in httpx's own transport."""
    transport = WireTransport(uds=str(tmp_path / "s"))
    async with (
        RawBackend(answers(OK), path=tmp_path / "s") as backend,
        httpx.AsyncClient(transport=transport) as client,
    ):
        assert (await client.get("http://orders/x")).status_code == 200
    assert fields_of(backend.requests[0])["host"] == "orders"
