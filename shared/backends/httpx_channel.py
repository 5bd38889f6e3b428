"""The stock channel: any httpx transport (httpcore, ``MockTransport``, instrumented ones) behind the same seam.

Slower than ``wire/`` and always correct; chosen by the ``transport`` setting.
"""

import asyncio
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from shared.backends.channel import OutboundRequest, PlainReply, Receiver
from shared.backends.failures import failure_of
from shared.errors import BackendInvalid, CallFailed


def client_for(url: str, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    """Return a client that keeps no cookies (field case S10), follows no redirect and leaves time to the deadline."""
    jar = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return httpx.AsyncClient(
        base_url=url, transport=transport, cookies=jar, follow_redirects=False, timeout=None, trust_env=False  # noqa: S113 - the fan-out's timer ends every attempt
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
        self._backend = backend
        self._client = client_for(url, transport)
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, request: OutboundRequest, receiver: Receiver) -> HttpxExchange:
        """Start an exchange in a task."""
        task = asyncio.get_running_loop().create_task(self._exchange(request, receiver))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return HttpxExchange(task)

    async def _exchange(self, request: OutboundRequest, receiver: Receiver) -> None:
        try:
            reply = await self._read(request)
        except httpx.HTTPError as error:
            receiver.broke(failure_of(self._backend, error))
        except CallFailed as error:
            receiver.broke(error)
        else:
            receiver.replied(reply)

    async def _read(self, request: OutboundRequest) -> PlainReply:
        headers = list(request.headers)
        async with self._client.stream(
            request.method, request.target, headers=headers, content=request.body or None
        ) as response:
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > request.max_body_bytes:
                    raise BackendInvalid(self._backend, f"answered more than {request.max_body_bytes} bytes")
            fields = tuple((name.lower(), value) for name, value in response.headers.multi_items())
            return PlainReply(response.status_code, bytes(body), fields)

    async def aclose(self) -> None:
        """Cancel what is under way and close every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()
