"""Our connections under httpx's own client."""

import asyncio

import httpx
import pytest

from shared.backends.wire.transport import WireTransport
from tests.shared.backends.raw import OK, RawBackend, Script, answers, fields_of, http, never_answers, then_close, until


async def test_it_answers_as_httpx_users_know_it() -> None:
    """Status, headers, JSON; query and body as given; repeated headers stay repeated."""
    answer = http(b'{"a": 1}', "x-a: 1", "x-a: 2")
    async with RawBackend(answers(answer)) as backend, httpx.AsyncClient(transport=WireTransport()) as client:
        got = await client.get(f"{backend.url}/keys", params={"q": "a b"})
        posted = await client.post(f"{backend.url}/token", json={"b": 2})

    assert (got.status_code, got.json(), got.headers.get_list("x-a")) == (200, {"a": 1}, ["1", "2"])
    assert posted.json() == {"a": 1}
    assert backend.requests[0].startswith(b"GET /keys?q=a+b HTTP/1.1\r\n")
    assert backend.requests[1].endswith(b'{"b":2}')
    assert fields_of(backend.requests[1])["content-length"] == "7"
    assert backend.accepted == 1


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (then_close(b""), httpx.ReadError),
        (then_close(http(b"{}")[:-1]), httpx.ReadError),
        (then_close(b"not http\r\n\r\n"), httpx.RemoteProtocolError),
        (answers(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"), httpx.ReadTimeout),
        (never_answers, httpx.ReadTimeout),
    ],
    ids=["no answer", "cut short", "not HTTP", "a body that does not come", "never answers"],
)
async def test_it_fails_with_httpx_own_exceptions(script: Script, error: type[httpx.HTTPError]) -> None:
    """So that code written for httpx handles them; the connection is closed."""
    async with RawBackend(script) as backend:
        async with httpx.AsyncClient(transport=WireTransport(), timeout=0.05) as client:
            with pytest.raises(error):
                await client.get(backend.url)
        await until(lambda: backend.open == 0, "the connection is closed")


async def test_nobody_there_is_a_connect_error() -> None:
    """The one error that says: nothing was sent."""
    async with RawBackend(answers(OK)) as gone:
        pass
    async with httpx.AsyncClient(transport=WireTransport()) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(gone.url)


async def test_a_cancelled_request_closes_its_connection() -> None:
    """The backend sees it; a later request has a connection of its own."""
    async with RawBackend(never_answers) as backend, httpx.AsyncClient(transport=WireTransport()) as client:
        asking = asyncio.ensure_future(client.get(backend.url))
        await until(lambda: len(backend.requests) == 1, "it is under way")

        asking.cancel()
        await asyncio.wait([asking])

        await until(lambda: backend.open == 0, "the backend saw the close")
        backend.script = answers(OK)
        assert (await client.get(backend.url)).json() == []
