"""TLS to a backend: real handshakes over loopback, one certificate for each way to be wrong."""

import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import structlog

from shared.backends.channel import Channel
from shared.backends.transports import Network
from shared.backends.wire.pool import PoolPolicy
from shared.backends.wire.tls import TlsPolicy
from shared.clock import LoopClock
from shared.errors import BackendUnreachable
from tests.shared.backends.raw import OK, Line, RawBackend, answers, ask, hangs_up, http, request, then_close
from tests.shared.backends.wire.certificates import NOW, Authority, old_server, signed_by_itself
from tests.shared.backends.wire.pools import status_of

HOST = "orders.test"


class Loopback:
    """Every name is this machine."""

    async def resolve(self, _host: str) -> list[str]:
        return ["127.0.0.1"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(params=["wire", "httpx"])  # the backends here speak HTTP/1.1
def transport(request: Any) -> Any:
    return request.param


def channel_to(backend: RawBackend, transport: Any, trusted: Path | None, **tls: Any) -> Channel:
    network = Network(transport=transport, ca=trusted, resolver=Loopback())
    return network.open("orders", backend.url, PoolPolicy(tls=TlsPolicy(**tls)), LoopClock())


async def test_a_backend_with_a_good_certificate_is_called(authority: Authority, transport: Any) -> None:
    """Its authority is trusted because the setting says so; the name asked for is the URL's, without its last dot."""
    asked: list[str | None] = []
    context = authority.server(HOST)
    context.sni_callback = lambda _object, name, _context: asked.append(name)
    async with RawBackend(answers(http(b"[1]")), tls=context, host=f"{HOST}.") as backend:
        channel = channel_to(backend, transport, authority.file)
        outcomes = [await ask(channel) for _ in range(3)]
        await channel.aclose()

    assert [status_of(one) for one in outcomes] == [200] * 3
    assert outcomes[0].body == b"[1]"
    assert asked == [HOST]
    assert backend.accepted == 1


async def test_a_backends_own_name_can_be_declared(authority: Authority, transport: Any) -> None:
    """Called by its address, verified by its name."""
    async with RawBackend(answers(OK), tls=authority.server(HOST)) as backend:
        channel = channel_to(backend, transport, None, ca=authority.file, server_name=HOST)
        assert status_of(await ask(channel)) == 200
        await channel.aclose()


class Wrong(NamedTuple):
    """How the backend is wrong, whether its authority is trusted, and what the operator reads."""

    tls: Callable[[Authority, Path], ssl.SSLContext | None]
    said: str
    trusted: bool = True


WRONG = {
    "another name": Wrong(lambda ca, _: ca.server("users.test"), "TLS: its certificate is for another name"),
    "unknown authority": Wrong(lambda ca, _: ca.server(HOST), "FRONTAGE_BACKEND_CA", trusted=False),
    "expired": Wrong(lambda ca, _: ca.server(HOST, until=NOW - timedelta(hours=1)), "TLS: its certificate has expired"),
    "signed by itself": Wrong(lambda _, tmp: signed_by_itself(tmp, HOST), "TLS: its certificate is signed by itself"),
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
async def test_what_cannot_be_verified_is_not_called(
    wrong: Wrong, method: str, authority: Authority, transport: Any, tmp_path: Path
) -> None:
    """Unreachable, provably unsent, no byte of HTTP on the line; the operator reads why, and what to do, once."""
    with structlog.testing.capture_logs() as lines:
        async with RawBackend(answers(OK), tls=wrong.tls(authority, tmp_path), host=HOST) as backend:
            channel = channel_to(backend, transport, authority.file if wrong.trusted else None)
            outcomes = [await ask(channel, request(method, body=b"{}" if method == "POST" else b"")) for _ in range(2)]
            await channel.aclose()

    for outcome in outcomes:
        assert isinstance(outcome, BackendUnreachable)
        assert not outcome.sent
    assert backend.requests == []
    (line,) = [line for line in lines if line["event"] == "backend_does_not_connect"]
    assert wrong.said in line["why"]
    assert (line["log_level"], line["backend"], line["where"]) == ("warning", "orders", f"{HOST}:{backend.port}")


async def speaks_tls_1_1(line: Line) -> None:
    """Answer the client's hello as a server does that knows nothing newer."""
    hello, alert = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello.write(await line.some())
    with pytest.raises(ssl.SSLError):
        old_server().wrap_bio(hello, alert, server_side=True).do_handshake()
    await line.write(alert.read())
    await line.gone()


async def speaks_no_tls(line: Line) -> None:
    """Answer the client's first words as an HTTP server would."""
    await line.write(http(b"", status="400 Bad Request"))
    await line.gone()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (speaks_no_tls, "it does not speak TLS on this port"),
        (speaks_tls_1_1, "it offers no TLS of version 1.2 or newer"),
        (hangs_up, "it hung up"),
    ],
    ids=["plain HTTP", "TLS 1.1", "hangs up"],
)
async def test_what_is_no_tls_server_is_said_to_be_none(script: Any, said: str, transport: Any) -> None:
    """A wrong port or scheme is the commonest mistake: it has words of its own."""
    with structlog.testing.capture_logs() as lines:
        async with RawBackend(script) as backend:
            network = Network(transport=transport)
            channel = network.open("orders", backend.url.replace("http:", "https:"), PoolPolicy(), LoopClock())
            outcome = await ask(channel)
            await channel.aclose()

    assert isinstance(outcome, BackendUnreachable)
    assert not outcome.sent
    assert said in lines[0]["why"]


async def test_an_operator_reads_of_the_end_of_trouble_too(transport: Any) -> None:
    """One line when it begins, one when it is over; nothing in between, nothing while all is well."""
    backend = RawBackend(answers(OK))
    with structlog.testing.capture_logs() as lines:
        async with backend:
            pass
        url = backend.url
        channel = Network(transport=transport).open("orders", url, PoolPolicy(), LoopClock())
        for _ in range(3):
            await ask(channel)
        async with RawBackend(answers(OK), port=backend.port):
            for _ in range(3):
                assert status_of(await ask(channel)) == 200
            await channel.aclose()

    assert [line["event"] for line in lines] == ["backend_does_not_connect", "backend_connects_again"]
    assert lines[0]["why"] == "nobody listens there"


async def test_a_body_without_end_is_whole_only_if_the_backend_said_so(authority: Authority) -> None:
    """Over TLS, whoever cuts the line cannot say goodbye: a body framed by the close is then cut short, not whole."""
    body_without_length = b"HTTP/1.1 200 OK\r\n\r\n[1]"

    async def cut(line: Line) -> None:
        await line.request()
        await line.write(body_without_length)
        line.cut()

    async with RawBackend(then_close(body_without_length), tls=authority.server(HOST), host=HOST) as backend:
        channel = channel_to(backend, "wire", authority.file)
        said = await ask(channel)
        backend.script = cut
        unsaid = await ask(channel)
        await channel.aclose()

    assert status_of(said) == 200
    assert isinstance(unsaid, BackendUnreachable)


def test_a_file_without_authorities_is_refused_at_start(tmp_path: Path) -> None:
    """The message has the file, what is wrong with it, and the remedy."""
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing here\n")
    for file, fault in ((empty, "holds no certificate"), (tmp_path / "absent.pem", "No such file")):
        with pytest.raises(ValueError, match=fault) as refused:
            Network(ca=file).open("orders", "https://orders.test", PoolPolicy(), LoopClock())
        assert str(file) in str(refused.value)
        assert "give a PEM file" in str(refused.value)


def test_nothing_older_than_tls_1_2_is_spoken() -> None:
    """And verification is on, whatever the defaults of the day."""
    context = TlsPolicy().context()

    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
