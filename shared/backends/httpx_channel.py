"""The stock channel: any httpx transport (httpcore2, ``MockTransport``, instrumented ones) behind the same seam.

Slower than ``wire/`` and always correct; chosen by the ``transport`` setting.
"""

import asyncio
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from shared.backends.channel import OutboundRequest, PlainReply, Receiver
from shared.backends.failures import failure_of
from shared.backends.stock import StockTransport
from shared.backends.wire.origin import Origin
from shared.backends.wire.pool import PoolPolicy
from shared.clock import LoopClock
from shared.errors import BackendInvalid, BackendUnreachable, CallFailed


def client_for(origin: Origin, transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """Return a client that keeps no cookies (field case S10), follows no redirect and leaves time to the deadline."""
    jar = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    scheme = "https" if origin.tls else "http"
    # Nothing compressed: what is small on the wire may be huge in memory.
    return httpx.AsyncClient(
        base_url=f"{scheme}://{origin.authority}{origin.base_path}", transport=transport, cookies=jar,
        headers={"accept-encoding": "identity"}, follow_redirects=False, trust_env=False,
        timeout=None,  # noqa: S113 - the fan-out's timer ends every attempt
    )  # fmt: skip


class HttpxExchange:
    """One request under way in a task of its own."""

    __slots__ = ("task",)

    def __init__(self, task: asyncio.Task[None]) -> None:
        self.task = task

    def abort(self) -> None:
        """Cancel it; httpx closes the connection."""
        self.task.cancel()


class HttpxChannel:
    """A ``Channel`` over an ``httpx.AsyncClient``."""

    def __init__(self, backend: str, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        origin = Origin.of(url)
        self._backend = backend
        self._client = client_for(origin, transport or StockTransport.to(backend, origin, PoolPolicy(), LoopClock()))
        self._receivers: dict[asyncio.Task[None], Receiver] = {}

    def send(self, request: OutboundRequest, receiver: Receiver) -> HttpxExchange:
        """Start an exchange in a task."""
        task = asyncio.get_running_loop().create_task(self._exchange(request, receiver))
        self._receivers[task] = receiver
        task.add_done_callback(lambda done: self._receivers.pop(done, None))
        return HttpxExchange(task)

    async def _exchange(self, request: OutboundRequest, receiver: Receiver) -> None:
        try:
            reply = await self._read(request)
        except httpx.HTTPError as error:
            receiver.broke(failure_of(self._backend, error))
        except CallFailed as error:
            receiver.broke(error)
        except (httpx.InvalidURL, RuntimeError, ValueError) as error:  # outside httpx's tree; one is a closed client
            receiver.broke(BackendUnreachable(self._backend, type(error).__name__))
        else:
            receiver.replied(reply)

    async def _read(self, request: OutboundRequest) -> PlainReply:
        headers = list(request.headers)
        async with self._client.stream(
            request.method, request.target, headers=headers, content=request.body or None
        ) as response:
            body = bytearray()
            assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - an async client's is
            async for part in response.stream:  # as it came, also from a transport that has read it already
                body += part
                if len(body) > request.max_body_bytes:
                    raise BackendInvalid(self._backend, f"answered more than {request.max_body_bytes} bytes")
            fields = tuple((name.lower(), value) for name, value in response.headers.multi_items())
            return PlainReply(response.status_code, bytes(body), fields)

    async def aclose(self) -> None:
        """Cancel what is under way, tell whoever still waits, and close every connection."""
        running = list(self._receivers.items())
        for task, receiver in running:
            if not task.done() and not task.cancelling():  # else its receiver was told, or does not want to hear
                task.cancel()
                receiver.broke(BackendUnreachable(self._backend, "channel closed"))
        await asyncio.gather(*(task for task, _ in running), return_exceptions=True)
        await self._client.aclose()
