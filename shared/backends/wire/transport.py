"""The same connections under httpx's own seam, for everything that is not a declared call.

``httpx.AsyncClient(transport=WireTransport(...))`` behaves as httpx users know it: bodies stream both ways, closing a
response early frees its connection, timeouts and exceptions are httpx's. Answers in br, zstd or gzip come unpacked
within bounds, and then without Content-Encoding and Content-Length.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

import httpx

from shared.backends.wire.exchange import WireExchange
from shared.backends.wire.names import Resolver
from shared.backends.wire.outgoing import Outgoing
from shared.backends.wire.pool import PoolPolicy, WirePool
from shared.backends.wire.streaming import Flow, FlowConnection, FlowHead
from shared.backends.wire.unpacking import DECODERS, UnfitBodyError, Unpacking
from shared.clock import Clock, LoopClock
from shared.errors import BackendUnreachable, CallFailed

# What is safe to send again over a new connection when a kept one had ended (RFC 9110 §9.2.2).
REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})


class WireTransport(httpx.AsyncBaseTransport):
    """One pool for each origin, made when it is first asked for."""

    def __init__(
        self, policy: PoolPolicy | None = None, clock: Clock | None = None, *, uds: str | None = None,
        unpack: bool = True, max_body_bytes: int = sys.maxsize, resolver: Resolver | None = None,
    ) -> None:  # fmt: skip
        """Begin. ``uds`` is a unix socket that stands for every host, as in httpx's own transport.

        ``unpack=False`` leaves content codings, and the request's Accept-Encoding, to the caller. An answer over
        ``max_body_bytes``, as it comes or unpacked, raises httpx.RemoteProtocolError or DecodingError.
        """
        self._policy = policy or PoolPolicy()
        self._clock = clock or LoopClock()
        self._uds = uds
        self._unpack = unpack
        self._limit = max_body_bytes
        self._resolver = resolver
        self._pools: dict[str, WirePool] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; returns when the head of its answer is there. Raises httpx's own exceptions."""
        outgoing = await Outgoing.of(request, unpack=self._unpack)
        flow = Flow(sent=outgoing.stream is None)
        again = outgoing.stream is None and request.method in REPEATABLE
        head = FlowHead.of(outgoing.head, request.method, flow, self._limit)
        exchange = WireExchange(pool := self._pool(request.url), head, flow, idempotent=again)
        body = _Body(flow, exchange, request)
        try:
            with _as_httpx(request):
                pool.start(exchange)
                await self._begun(exchange, flow, body)
                if outgoing.stream is not None:
                    body.uploading(outgoing)
                return await body.response(self._limit if self._unpack else None)
        except BaseException:
            await body.aclose()
            raise

    async def _begun(self, exchange: WireExchange, flow: Flow, body: "_Body") -> None:
        """Wait for a connection, as long as the caller's timeouts for the pool and for connecting allow together."""
        connect_s = body.timeout("connect")
        if connect_s is None:
            connect_s = self._policy.connect_timeout.total_seconds()
        pool_s = body.timeout("pool")
        try:
            async with asyncio.timeout(None if pool_s is None else pool_s + connect_s):
                await flow.begun.wait()
        except TimeoutError:
            queued = exchange.task is None
            raise (httpx.PoolTimeout if queued else httpx.ConnectTimeout)("no connection in time") from None

    def _pool(self, url: httpx.URL) -> WirePool:
        origin = f"unix://{self._uds}" if self._uds is not None else f"{url.scheme}://{url.netloc.decode('ascii')}"
        if origin not in self._pools:
            self._pools[origin] = WirePool(
                url.host, origin, self._policy, self._clock, self._resolver, connection=FlowConnection
            )
        return self._pools[origin]

    async def aclose(self) -> None:
        """Close every connection of every pool."""
        for pool in self._pools.values():
            await pool.aclose()


class _Body(httpx.AsyncByteStream):
    """The body of an answer on its way, and whatever else of the exchange is not over."""

    def __init__(self, flow: Flow, exchange: WireExchange, request: httpx.Request) -> None:
        self._flow = flow
        self._exchange = exchange
        self._request = request
        self._unpacking: Unpacking | None = None
        self._upload: asyncio.Task[None] | None = None

    def timeout(self, kind: str) -> float | None:
        """Return one of the caller's timeouts, in seconds."""
        said: float | None = self._request.extensions.get("timeout", {}).get(kind)
        return said

    def uploading(self, outgoing: Outgoing) -> None:
        """Begin to send the request's body, beside waiting for the answer: a backend may answer before it has it."""
        self._upload = asyncio.ensure_future(outgoing.upload(self._flow, self.timeout("write")))

    async def response(self, unpack_up_to: int | None) -> httpx.Response:
        """Wait for the head of the answer; its time runs from the moment when the whole request is sent."""
        read_s, loop = self.timeout("read"), asyncio.get_running_loop()
        try:
            async with asyncio.timeout(read_s if self._flow.sent else None) as waiting:
                self._flow.when_sent = lambda: waiting.reschedule(None if read_s is None else loop.time() + read_s)
                reply = await self._flow.answered()
        except TimeoutError:
            raise httpx.ReadTimeout("no answer in time", request=self._request) from None
        finally:
            self._flow.when_sent = None
        headers = reply.headers
        coding = ",".join(value for name, value in headers if name == "content-encoding").strip().lower()
        if unpack_up_to is not None and coding in DECODERS:
            self._unpacking = Unpacking(coding, unpack_up_to)
            headers = tuple(pair for pair in headers if pair[0] not in {"content-encoding", "content-length"})
        extensions = {"http_version": b"HTTP/1.1"}
        # As bytes: of text httpx would take ASCII only, and a value may hold what it likes (RFC 9110 §5.5).
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return httpx.Response(reply.status, headers=raw, stream=self, extensions=extensions)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx(self._request):
            while (part := await self._next()) is not None:
                if self._unpacking is None:
                    yield part
                    continue
                for piece in self._unpacking.pieces(part):
                    yield piece
            if self._unpacking is not None:
                self._unpacking.finish()

    async def _next(self) -> bytes | None:
        try:
            async with asyncio.timeout(self.timeout("read")):
                return await self._flow.part()
        except TimeoutError:
            raise httpx.ReadTimeout("no more of the answer in time", request=self._request) from None

    async def aclose(self) -> None:
        """Give up what is not over; its connection closes, its slot is free."""
        self._exchange.abort()
        if self._upload is not None:
            self._upload.cancel()
            await asyncio.wait([self._upload])


@contextmanager
def _as_httpx(request: httpx.Request) -> Iterator[None]:
    """ConnectError only when provably nothing was sent: callers retry anything on it."""
    try:
        yield
    except UnfitBodyError as unfit:
        raise httpx.DecodingError(str(unfit), request=request) from None
    except BackendUnreachable as error:
        raise (httpx.ReadError if error.sent else httpx.ConnectError)(error.detail, request=request) from None
    except CallFailed as error:
        raise httpx.RemoteProtocolError(error.detail, request=request) from None
