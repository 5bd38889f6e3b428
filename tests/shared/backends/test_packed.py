"""Compressed answers to declared calls, over whichever transport."""

import gzip
import json
from typing import Any

import brotli
import pytest
from backports import zstd

from shared.backends.transports import Network
from shared.backends.wire.pool import PoolPolicy
from shared.clock import LoopClock
from shared.errors import BackendInvalid, CallFailed
from tests.shared.backends.raw import RawBackend, answers, ask, fields_of, http, request

BODY = json.dumps([{"id": number} for number in range(500)]).encode()
PACK = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstd.compress, "identity": bytes}


@pytest.fixture(params=["wire", "httpx"])  # the backends here speak HTTP/1.1
def transport(request: Any) -> Any:
    return request.param


def open_(transport: Any, url: str, *, compression: bool = True) -> Any:
    return Network(transport=transport).open("orders", url, PoolPolicy(compression=compression), LoopClock())


@pytest.mark.parametrize("coding", list(PACK))
async def test_a_backend_that_is_asked_may_pack_its_answer(coding: str, transport: Any) -> None:
    """What is handed out is what was packed; its other headers are there."""
    packed = http(PACK[coding](BODY), f"content-encoding: {coding}", "etag: x")
    async with RawBackend(answers(packed)) as backend:
        channel = open_(transport, backend.url)
        outcome = await ask(channel)
        await channel.aclose()

    assert not isinstance(outcome, CallFailed)
    assert (outcome.status, outcome.body, outcome.header("etag")) == (200, BODY, "x")
    assert outcome.headers_among(frozenset({b"etag"})) == (("etag", "x"),)
    assert fields_of(backend.requests[0])["accept-encoding"] == "br, zstd, gzip"


async def test_a_backend_that_is_not_asked_is_not(transport: Any) -> None:
    """The default: no offer, and what is packed all the same is not unpacked."""
    packed = gzip.compress(BODY)
    async with RawBackend(answers(http(packed, "content-encoding: gzip"))) as backend:
        channel = open_(transport, backend.url, compression=False)
        outcome = await ask(channel)
        await channel.aclose()

    assert not isinstance(outcome, CallFailed)
    assert outcome.body == packed
    assert fields_of(backend.requests[0]).get("accept-encoding", "identity") == "identity"


@pytest.mark.parametrize(
    ("body", "coding", "said"),
    [
        (gzip.compress(bytes(16 << 20)), "gzip", "answered more than 1048576 bytes"),
        (brotli.compress(bytes(16 << 20)), "br", "unpacks to over 100 times its size"),
        (gzip.compress(BODY)[:-4], "gzip", "cut short"),
        (BODY, "zstd", "not zstd"),
        (BODY, "deflate", "nobody asked for"),
        (brotli.compress(gzip.compress(BODY)), "gzip, br", "nobody asked for"),
    ],
    ids=["a gzip bomb", "a br bomb", "cut short", "not packed", "deflate", "packed twice"],
)
async def test_what_does_not_unpack_is_invalid(body: bytes, coding: str, said: str, transport: Any) -> None:
    """Told once, as the backend's fault, and not tried again; the connection is as good as before."""
    async with RawBackend(answers(http(body, f"content-encoding: {coding}"))) as backend:
        channel = open_(transport, backend.url)
        outcomes = [await ask(channel, request()) for _ in range(2)]
        await channel.aclose()

    for outcome in outcomes:
        assert isinstance(outcome, BackendInvalid)
        assert said in outcome.detail
        assert not outcome.transient
    assert backend.accepted == 1
