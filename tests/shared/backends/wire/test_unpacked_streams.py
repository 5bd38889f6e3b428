"""Packed answers through httpx's face."""

import gzip
import json

import brotli
import httpx
import pytest
from backports import zstd

from shared.backends.wire.transport import WireTransport
from tests.shared.backends.raw import RawBackend, answers, fields_of, http

BODY = json.dumps([{"id": number} for number in range(2000)]).encode()
PACK = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstd.compress}

every_coding = pytest.mark.parametrize("coding", list(PACK))


@every_coding
async def test_a_packed_answer_comes_unpacked(coding: str) -> None:
    """Read whole or as a stream; its headers speak of what is handed out."""
    packed = http(PACK[coding](BODY), f"content-encoding: {coding}")
    async with RawBackend(answers(packed)) as backend, httpx.AsyncClient(transport=WireTransport()) as client:
        whole = await client.get(backend.url)
        async with client.stream("GET", backend.url) as response:
            streamed = b"".join([part async for part in response.aiter_raw()])

    assert whole.json() == json.loads(BODY)
    assert streamed == BODY
    assert "content-encoding" not in whole.headers
    assert "content-length" not in whole.headers
    assert fields_of(backend.requests[0])["accept-encoding"] == "br, zstd, gzip"
    assert backend.accepted == 1


@every_coding
async def test_a_bomb_is_an_error_and_no_memory(coding: str) -> None:
    """DecodingError, as httpx users know it; the pieces before it are few."""
    bomb = http(PACK[coding](bytes(32 << 20)), f"content-encoding: {coding}")
    sizes: list[int] = []

    async def read(client: httpx.AsyncClient, url: str) -> None:
        async with client.stream("GET", url) as response:
            async for part in response.aiter_bytes():
                sizes.append(len(part))  # noqa: PERF401 - what came before the error counts

    async with RawBackend(answers(bomb)) as backend, httpx.AsyncClient(transport=WireTransport()) as client:
        with pytest.raises(httpx.DecodingError, match="unpacks to over"):
            await read(client, backend.url)
    assert 0 < sum(sizes) <= 2 << 20


async def test_a_packed_answer_that_is_cut_short_is_an_error() -> None:
    """Though its length was right."""
    packed = http(gzip.compress(BODY)[:-4], "content-encoding: gzip")
    async with RawBackend(answers(packed)) as backend, httpx.AsyncClient(transport=WireTransport()) as client:
        with pytest.raises(httpx.DecodingError, match="cut short"):
            await client.get(backend.url)


async def test_whoever_wants_none_gets_none() -> None:
    """``identity`` is sent as it is said."""
    async with RawBackend(answers(http(BODY))) as backend, httpx.AsyncClient(transport=WireTransport()) as client:
        await client.get(backend.url, headers={"accept-encoding": "identity"})
    assert fields_of(backend.requests[0])["accept-encoding"] == "identity"


async def test_codings_can_be_left_to_the_caller() -> None:
    """``unpack=False``: what a proxy needs. The raw bytes are there, and httpx unpacks what it can by itself."""
    packed = gzip.compress(BODY)
    transport = WireTransport(unpack=False)
    async with (
        RawBackend(answers(http(packed, "content-encoding: gzip"))) as backend,
        httpx.AsyncClient(transport=transport, headers={"accept-encoding": "gzip"}) as client,
    ):
        async with client.stream("GET", backend.url) as response:
            raw = b"".join([part async for part in response.aiter_raw()])
        whole = await client.get(backend.url)

    assert raw == packed
    assert whole.content == BODY
    assert whole.headers["content-encoding"] == "gzip"
    assert fields_of(backend.requests[0])["accept-encoding"] == "gzip"
