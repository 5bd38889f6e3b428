"""The same connections under httpx's own seam, for everything that is not a declared call.

``httpx.AsyncClient(transport=WireTransport(...))`` behaves as httpx users know it; bodies are whole, not streamed yet.
"""

import asyncio

import httpx

from shared.backends.channel import OutboundRequest, Reply
from shared.backends.wire.message import WireReply
from shared.backends.wire.pool import PoolPolicy, WirePool
from shared.clock import Clock, LoopClock
from shared.errors import BackendUnreachable, CallFailed

# Documents such as key sets and discovery: far below; a stream of unknown length: never.
MAX_BODY_BYTES = 4 * 1024 * 1024

# Set anew for each request, or of one connection only (RFC 9110 §7.6.1).
NOT_FORWARDED = frozenset({"host", "content-length", "connection", "transfer-encoding", "accept-encoding"})


class WireTransport(httpx.AsyncBaseTransport):
    """One pool for each origin, made when it is first asked for."""

    def __init__(self, policy: PoolPolicy | None = None, clock: Clock | None = None) -> None:
        self._policy = policy or PoolPolicy()
        self._clock = clock or LoopClock()
        self._pools: dict[str, WirePool] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and return its whole response. Raises httpx's own exceptions."""
        body = await request.aread()
        headers = tuple((k.lower(), v) for k, v in request.headers.multi_items() if k.lower() not in NOT_FORWARDED)
        outbound = OutboundRequest(
            request.method, request.url.raw_path.decode("ascii"), headers, body,
            idempotent=request.method in {"GET", "HEAD", "OPTIONS"}, max_body_bytes=MAX_BODY_BYTES,
        )  # fmt: skip
        waiter = _Waiter(request)
        exchange = self._pool(request.url).send(outbound, waiter)
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("read")):
                reply = await waiter.future
        except TimeoutError:
            raise httpx.ReadTimeout("no answer in time", request=request) from None
        finally:
            exchange.abort()
        assert isinstance(reply, WireReply)  # noqa: S101 - our pool makes no other
        return httpx.Response(reply.status, headers=list(reply.headers), content=reply.body, request=request)

    def _pool(self, url: httpx.URL) -> WirePool:
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        if origin not in self._pools:
            self._pools[origin] = WirePool(url.host, origin, self._policy, self._clock)
        return self._pools[origin]

    async def aclose(self) -> None:
        """Close every connection of every pool."""
        for pool in self._pools.values():
            await pool.aclose()


class _Waiter:
    def __init__(self, request: httpx.Request) -> None:
        self.future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._request = request

    def replied(self, reply: Reply) -> None:
        if not self.future.done():
            self.future.set_result(reply)

    def broke(self, error: CallFailed) -> None:
        if not self.future.done():
            self.future.set_exception(_as_httpx(error, self._request))


def _as_httpx(error: CallFailed, request: httpx.Request) -> httpx.TransportError:
    """ConnectError only when provably nothing was sent: callers retry anything on it."""
    if isinstance(error, BackendUnreachable):
        return (httpx.ReadError if error.sent else httpx.ConnectError)(error.detail, request=request)
    return httpx.RemoteProtocolError(error.detail, request=request)
