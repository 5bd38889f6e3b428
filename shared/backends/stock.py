"""The stock transport: httpcore2's pool behind httpx's seam, reaching one backend the way our own client does.

Owns httpcore2 and its exceptions. It is the maintained fork of httpcore, whose own pool loses a slot to every call that
is cancelled while it connects (encode/httpcore#1093, field case S1); httpx would take that one.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

import httpcore2
import httpx

from shared.backends.wire.dial import Dialer, why
from shared.backends.wire.names import Address, Resolver
from shared.backends.wire.origin import Origin
from shared.backends.wire.pool import PoolPolicy
from shared.clock import Clock

# Most specific first: the first row that fits wins.
ERRORS: Final[tuple[tuple[type[Exception], type[httpx.TransportError]], ...]] = (
    (httpcore2.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore2.PoolTimeout, httpx.PoolTimeout),
    (httpcore2.WriteTimeout, httpx.WriteTimeout),
    (httpcore2.TimeoutException, httpx.ReadTimeout),
    (httpcore2.ConnectError, httpx.ConnectError),
    (httpcore2.WriteError, httpx.WriteError),
    (httpcore2.NetworkError, httpx.ReadError),
    (httpcore2.LocalProtocolError, httpx.LocalProtocolError),
    (httpcore2.UnsupportedProtocol, httpx.UnsupportedProtocol),
    (httpcore2.ProtocolError, httpx.RemoteProtocolError),
)


class StockTransport(httpx.AsyncBaseTransport):
    """httpcore2 to one origin."""

    def __init__(self, dialer: Dialer, policy: PoolPolicy) -> None:
        self._dialer = dialer
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=dialer.tls,
            max_connections=policy.max_connections,
            max_keepalive_connections=policy.max_connections,
            keepalive_expiry=policy.idle_timeout.total_seconds(),
            uds=dialer.origin.socket_path,
            network_backend=_Network(dialer),
        )
        self._timeout_s = policy.connect_timeout.total_seconds()

    @classmethod
    def to(
        cls, backend: str, origin: Origin, policy: PoolPolicy, clock: Clock, resolver: Resolver | None = None
    ) -> Self:
        """Return the transport to an origin. Raises ValueError when the policy's CA file is none."""
        return cls(policy.dialer(backend, origin, clock, resolver), policy)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; its response's body comes as it is read. Raises httpx's own exceptions."""
        url = request.url
        extensions: dict[str, Any] = {"sni_hostname": self._dialer.server_name, **request.extensions}
        extensions["timeout"] = {"connect": self._timeout_s, **(_said(request.extensions.get("timeout")))}
        sent = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=extensions,
        )
        with _as_httpx(self._dialer):
            got = await self._pool.handle_async_request(sent)
        return httpx.Response(
            got.status, headers=got.headers, stream=_Body(got, self._dialer), extensions=got.extensions
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()
        await self._dialer.aclose()


def _said(timeouts: dict[str, float | None] | None) -> dict[str, float | None]:
    """Return the timeouts that the client set; "none" leaves ours."""
    return {name: value for name, value in (timeouts or {}).items() if value is not None}


class _Body(httpx.AsyncByteStream):
    """A response's body on its way."""

    def __init__(self, response: httpcore2.Response, dialer: Dialer) -> None:
        self._response = response
        self._dialer = dialer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        stream = self._response.stream
        assert isinstance(stream, AsyncIterable)  # noqa: S101 - an async pool's is
        with _as_httpx(self._dialer):
            async for part in stream:
                yield part

    async def aclose(self) -> None:
        await self._response.aclose()


@contextmanager
def _as_httpx(dialer: Dialer) -> Iterator[None]:
    """Say httpcore2's exceptions in httpx's words, and tell the operator about those of connecting."""
    try:
        yield
    except Exception as error:
        theirs = next((httpx_s for ours, httpx_s in ERRORS if isinstance(error, ours)), None)
        if theirs is None:
            raise
        if isinstance(error, httpcore2.ConnectError | httpcore2.ConnectTimeout):
            dialer.noticed(why(_root(error)))
        raise theirs(str(error)) from error
    else:
        dialer.noticed(None)


def _root(error: BaseException) -> OSError:
    """Return what the operating system or OpenSSL said: httpcore2 has it as an argument, anyio as the cause."""
    inner: Any = error
    while inner is not None:
        error, inner = inner, inner.args[0] if inner.args else None
        if not isinstance(inner, BaseException):
            inner = error.__cause__
    return error if isinstance(error, OSError) else ConnectionResetError()  # anyio's own words for it


class _Network(httpcore2.AnyIOBackend):
    """Connects as our own client does: same lookups, same race, same turns."""

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer

    async def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - the origin's, which the dialer knows
        port: int,  # noqa: ARG002 - same
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's seam
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Return a stream to the first address that answers."""
        to_one = super().connect_tcp

        async def connect(address: Address) -> httpcore2.AsyncNetworkStream:
            try:
                return await to_one(address.ip, address.port, None, local_address, socket_options)
            except httpcore2.ConnectError as error:
                raise _root(error) from None

        try:
            async with asyncio.timeout(timeout):
                return await self._dialer.first_of(connect, httpcore2.AsyncNetworkStream.aclose)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(error) from error
        except OSError as error:
            raise httpcore2.ConnectError(error) from error
