"""Backends that speak HTTP/2, over the ``h2`` transport: what holds for HTTP/1.1 holds here."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from shared.backends.transports import Network
from shared.backends.wire.pool import PoolPolicy
from shared.clock import LoopClock
from shared.errors import BackendInvalid, BackendUnreachable
from tests.shared.backends.h2backend import H2Backend, asked
from tests.shared.backends.raw import Inbox, ask, until

LIMIT = 2


def channel(backend: H2Backend, ca: Path | None = None) -> Any:
    network = Network(transport="h2", ca=ca)
    url = backend.url("localhost" if ca else "127.0.0.1")
    return network.open("orders", url, PoolPolicy(max_connections=LIMIT), LoopClock())


async def test_calls_at_once_share_a_connection() -> None:
    """Twenty answers, each to whoever asked for it, over one connection."""
    async with H2Backend() as backend:
        calls = channel(backend)
        first: Any = await ask(calls, asked("/first"))
        answers: list[Any] = await asyncio.gather(*(ask(calls, asked(f"/n{number}")) for number in range(20)))
        await calls.aclose()

    assert (first.status, first.body, first.header("x-name")) == (200, b'"first"', "first")
    assert [one.body for one in answers] == [f'"n{number}"'.encode() for number in range(20)]
    assert backend.accepted == 1


async def test_statuses_and_bodies_arrive_as_they_are() -> None:
    """An error is an answer, nothing is nothing, and a body goes out whole."""
    async with H2Backend() as backend:
        calls = channel(backend)
        busy: Any = await ask(calls, asked("/busy"))
        nothing: Any = await ask(calls, asked("/nothing"))
        posted: Any = await ask(calls, asked("/posted", "POST", b"{}" * 1000))
        await calls.aclose()

    assert (busy.status, nothing.status, nothing.body, posted.status) == (503, 204, b"", 200)
    assert {one[":method"] for one in backend.seen} == {"GET", "POST"}
    assert all("cookie" not in one for one in backend.seen)


async def test_tls_is_verified_and_must_find_http2(tmp_path: Path) -> None:
    """By name and authority; a stranger's certificate, and a server of HTTP/1.1 alone, are no backend of ours."""
    authority, stranger = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    outcomes = {}
    servers = (("ours", authority, "h2"), ("stranger", stranger, "h2"), ("older", authority, "http/1.1"))
    for name, issuer, protocol in servers:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        issuer.issue_cert("localhost").configure_cert(context)
        context.set_alpn_protocols([protocol])
        async with H2Backend(context) as backend:
            calls = channel(backend, tmp_path / "ca.pem")
            outcomes[name] = await ask(calls, asked("/x"))
            await calls.aclose()
            assert len(backend.seen) == (name == "ours")

    assert outcomes["ours"].status == 200  # type: ignore[union-attr]
    for name in ("stranger", "older"):
        assert isinstance(refused := outcomes[name], BackendUnreachable)
        assert not refused.sent


async def test_whoever_leaves_ends_his_own_stream_only() -> None:
    """The backend hears of it; the others on the connection get their answers."""
    async with H2Backend() as backend:
        calls = channel(backend)
        await ask(calls, asked("/warm"))
        inbox = Inbox()
        silent = calls.send(asked("/silent"), inbox)
        await until(lambda: len(backend.seen) == 2, "the request is there")
        silent.abort()
        await until(lambda: backend.resets["/silent"] == 1, "the backend hears that nobody waits")
        after: Any = await ask(calls, asked("/after"))
        await calls.aclose()

    assert (after.body, inbox.heard) == (b'"after"', [])


async def test_case_s1_cancelled_calls_leave_no_slot_behind() -> None:
    """A hundred rounds of five that leave at any moment; then a call is answered, and no connection is left over."""
    async with H2Backend() as backend:
        calls = channel(backend)
        for number in range(100):
            leaving = [calls.send(asked("/silent"), Inbox()) for _ in range(5)]
            for _ in range(number % 7):
                await asyncio.sleep(0)
            for one in leaving:
                one.abort()
        healthy: Any = await ask(calls, asked("/healthy"))
        assert healthy.body == b'"healthy"'
        assert len(backend.live) <= LIMIT
        await calls.aclose()
        await until(lambda: not backend.live, "every connection is closed")


@pytest.mark.parametrize(
    ("path", "error"), [("/large", BackendInvalid), ("/reset", BackendUnreachable), ("/vanish", BackendUnreachable)]
)
async def test_what_goes_wrong_is_told_once_and_the_next_call_is_well(path: str, error: type[Exception]) -> None:
    """Too large, a stream reset, a connection that is gone: of this call alone."""
    async with H2Backend() as backend:
        calls = channel(backend)
        wrong = await ask(calls, asked(path))
        after: Any = await ask(calls, asked("/after"))
        await calls.aclose()

    assert isinstance(wrong, error)
    assert not isinstance(wrong, BackendUnreachable) or wrong.sent
    assert after.body == b'"after"'


async def test_a_backend_that_says_goodbye_gets_no_more_calls_there() -> None:
    """GOAWAY ends the connection after the answers that are due; the next call takes another."""
    async with H2Backend() as backend:
        calls = channel(backend)
        last: Any = await ask(calls, asked("/last"))
        after: Any = await ask(calls, asked("/after"))
        await calls.aclose()

    assert (last.body, after.body) == (b'"last"', b'"after"')
    assert backend.accepted == 2
