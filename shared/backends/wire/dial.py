"""Connecting to a backend: its addresses raced, TLS on the one that won, and the failure said to the operator.

Owns everything between "a connection is needed" and the first byte of a request; so whatever fails here was provably
not sent. It is the one place with tasks, and only while connecting. Whoever needs a connection is ``pool.py``.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from shared.backends.wire.eyeballs import race
from shared.backends.wire.names import Address, Names, NamesPolicy, Resolver, SystemResolver
from shared.backends.wire.origin import Origin
from shared.backends.wire.tls import TlsPolicy, tls_reason
from shared.clock import Clock
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

T = TypeVar("T")
P = TypeVar("P", bound=asyncio.BaseProtocol)


class Dialer:
    """The way to one origin.

    ``why_not`` is what stands in its way, as the operator was told; None when all is well. ``tls`` and ``server_name``
    are what a handshake needs, None where there is none.
    """

    def __init__(
        self, backend: str, origin: Origin, tls: TlsPolicy, clock: Clock, connect_timeout: timedelta,
        resolver: Resolver | None = None, names: NamesPolicy | None = None, *, alpn: str = "http/1.1",
    ) -> None:  # fmt: skip
        self.backend = backend
        self.origin = origin
        self.why_not: str | None = None
        self._clock = clock
        self._timeout_s = connect_timeout.total_seconds()
        self.tls = tls.context() if origin.tls else None
        if self.tls is not None:
            self.tls.set_alpn_protocols([alpn])
        self._alpn = alpn
        self.server_name = (tls.server_name or origin.server_name) if origin.tls else None
        self._names = Names(resolver or SystemResolver(), clock, names or NamesPolicy())

    async def open(self, factory: Callable[[], P]) -> P:
        """Return a connected protocol of the factory's. Raises OSError, which ssl's and the timeout's errors are."""
        try:
            async with asyncio.timeout(self._timeout_s):
                protocol = await self._open(factory)
        except OSError as error:
            self.noticed(why(error))
            raise
        self.noticed(None)
        return protocol

    async def _open(self, factory: Callable[[], P]) -> P:
        loop, origin = asyncio.get_running_loop(), self.origin
        if origin.socket_path is not None:
            return (await loop.create_unix_connection(factory, origin.socket_path))[1]
        sock = await self.first_of(connected, closed)
        try:
            transport, protocol = await loop.create_connection(
                factory, sock=sock, ssl=self.tls, server_hostname=self.server_name
            )
            self._check_alpn(transport.get_extra_info("ssl_object"))
        except BaseException:
            sock.close()
            raise
        return protocol

    def _check_alpn(self, session: ssl.SSLObject | None) -> None:
        """Raise OSError when TLS was to find HTTP/2 and did not; every server knows what HTTP/1.1 is."""
        if session is not None and self._alpn == "h2" and session.selected_alpn_protocol() != "h2":
            raise OSError("TLS: it does not offer HTTP/2 (ALPN h2); call it with the transport wire")

    async def first_of(
        self, connect: Callable[[Address], Coroutine[Any, Any, T]], discard: Callable[[T], Awaitable[None]]
    ) -> T:
        """Return the first connection to any address of the host. Raises OSError when there is none."""
        addresses = await self._names.addresses(self.origin.host, self.origin.port)
        return await race(addresses, connect, discard, self._names.put_behind, self._clock)

    def noticed(self, why_not: str | None) -> None:
        """Tell the operator about a change, and only about changes: a backend that is down is called all the time."""
        if why_not == self.why_not:
            return
        self.why_not = why_not
        if why_not is None:
            log.info("backend_connects_again", backend=self.backend)
        else:
            where = self.origin.socket_path or f"{self.origin.host}:{self.origin.port}"
            log.warning("backend_does_not_connect", backend=self.backend, where=where, why=why_not)

    async def aclose(self) -> None:
        """Give up whatever is being looked up."""
        await self._names.aclose()


def why(error: BaseException) -> str:
    """Say why a connection could not be made. For operators: clients are told no more than that it could not."""
    if isinstance(error, ssl.SSLError):
        return tls_reason(error)
    if isinstance(error, TimeoutError):
        return "connecting took too long"
    if isinstance(error, socket.gaierror):
        return f"its name was not found: {error.strerror}"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(error, ConnectionResetError | ConnectionAbortedError):
        return "it hung up while connecting"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return type(error).__name__  # a bug: its text may hold anything


async def connected(address: Address) -> socket.socket:
    """Return a connected TCP socket. Raises OSError."""
    sock = socket.socket(address.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        await asyncio.get_running_loop().sock_connect(sock, (address.ip, address.port))
    except BaseException:
        sock.close()
        raise
    return sock


async def closed(sock: socket.socket) -> None:
    """Close a socket that lost."""
    sock.close()
