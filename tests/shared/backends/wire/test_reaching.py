"""How a backend is reached, whichever client carries the call: addresses, families, unix sockets."""

import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.backends.transports import Network
from shared.backends.wire.names import NamesPolicy
from shared.backends.wire.origin import Origin
from shared.backends.wire.pool import PoolPolicy
from shared.clock import LoopClock
from shared.errors import BackendUnreachable
from tests.shared.backends.raw import OK, RawBackend, answers, ask, fields_of, http, then_close
from tests.shared.backends.wire.pools import status_of

PATIENT = timedelta(seconds=5)


@pytest.fixture(params=["wire", "httpx"])  # the backends here speak HTTP/1.1
def transport(request: Any) -> Any:
    return request.param


class Knows:
    """A resolver with one answer, which tests change."""

    def __init__(self, *ips: str) -> None:
        self.ips = ips

    async def resolve(self, _host: str) -> list[str]:
        return list(self.ips)


async def test_an_address_where_nobody_listens_does_not_keep_the_next_from_being_tried(transport: Any) -> None:
    """An IPv6 that goes nowhere, an IPv4 that refuses, and one that answers: one call, one answer."""
    async with RawBackend(answers(OK)) as backend:
        network = Network(transport=transport, resolver=Knows("::1", "127.0.0.3", "127.0.0.1"))
        url = f"http://orders.test:{backend.port}"
        channel = network.open("orders", url, PoolPolicy(connect_timeout=PATIENT), LoopClock())
        assert status_of(await ask(channel)) == 200
        await channel.aclose()

    assert fields_of(backend.requests[0])["host"] == f"orders.test:{backend.port}"


async def test_new_connections_are_spread_and_one_that_left_dns_gets_none(transport: Any) -> None:
    """Two servers, a connection for each call: half each; then one address is gone, and so are its calls."""
    each_asks_anew = PoolPolicy(names=NamesPolicy(max_age=timedelta(0)))
    once = then_close(http(b"[]", "connection: close"))
    async with RawBackend(once) as first, RawBackend(once, bind="127.0.0.2", port=first.port) as second:
        knows = Knows("127.0.0.1", "127.0.0.2")
        network = Network(transport=transport, resolver=knows)
        channel = network.open("orders", f"http://orders.test:{first.port}", each_asks_anew, LoopClock())
        for _ in range(6):
            assert status_of(await ask(channel)) == 200
        assert (first.accepted, second.accepted) == (3, 3)

        knows.ips = ("127.0.0.2",)
        for _ in range(4):
            assert status_of(await ask(channel)) == 200
        await channel.aclose()

        assert (first.accepted, second.accepted) == (3, 7)


async def test_a_name_that_nobody_knows_is_unreachable_and_nothing_was_sent(transport: Any) -> None:
    """As every failure of connecting."""

    class Nobody:
        async def resolve(self, _host: str) -> list[str]:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    network = Network(transport=transport, resolver=Nobody())
    channel = network.open("orders", "http://orders.test", PoolPolicy(), LoopClock())
    outcome = await ask(channel)
    await channel.aclose()

    assert isinstance(outcome, BackendUnreachable)
    assert not outcome.sent


async def test_a_backend_behind_a_unix_socket_is_called(transport: Any, tmp_path: Path) -> None:
    """``unix:///path`` is its URL; connections are kept as over TCP; Host is what such servers expect."""
    async with RawBackend(answers(OK), path=tmp_path / "orders.sock") as backend:
        channel = Network(transport=transport).open("orders", backend.url, PoolPolicy(), LoopClock())
        assert [status_of(await ask(channel)) for _ in range(3)] == [200] * 3
        await channel.aclose()

    assert backend.accepted == 1
    assert fields_of(backend.requests[0])["host"] == "localhost"
    assert backend.requests[0].startswith(b"GET /x HTTP/1.1\r\n")


async def test_a_unix_socket_that_is_not_there_is_unreachable(transport: Any, tmp_path: Path) -> None:
    """Nothing was sent."""
    channel = Network(transport=transport).open("orders", f"unix://{tmp_path}/none", PoolPolicy(), LoopClock())
    outcome = await ask(channel)
    await channel.aclose()

    assert isinstance(outcome, BackendUnreachable)
    assert not outcome.sent


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://orders", Origin("orders", 80, "orders")),
        ("http://orders:8080/base/", Origin("orders", 8080, "orders:8080", "/base")),
        ("https://[::1]:8443", Origin("::1", 8443, "[::1]:8443", tls=True)),
        ("https://bücher.test", Origin("xn--bcher-kva.test", 443, "xn--bcher-kva.test", tls=True)),
        ("unix:///run/orders.sock", Origin("", 0, "localhost", socket_path="/run/orders.sock")),
    ],
)
def test_a_url_says_where_to_connect_and_what_to_ask_for(url: str, origin: Origin) -> None:
    """Default ports, a base path without its last slash, names as DNS and TLS know them."""
    assert Origin.of(url) == origin
