"""A request's body, whole, for handlers that read it themselves.

    @router.post("/notes")
    async def post_note(user: CurrentUser, body: Annotated[bytes, Depends(WholeBody(64 * 1024))]) -> Written: ...

Owns how long it may take and how large it may be. On the server's short way (``server_protocol.py``) it has come
already; everywhere else it is read here, within the request's deadline.
"""

import asyncio

from starlette.requests import Request

from shared.asgi.context import Context
from shared.clock import Clock
from shared.errors import ProblemCode, ProblemError


class WholeBody:
    """A dependency that gives the body, of at most so many bytes."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes

    async def __call__(self, context: Context, request: Request) -> bytes:
        """Return it. Raises a problem when it is too large, or not there in time."""
        if context.body is not None:
            return context.body
        clock: Clock = context.state.clock
        try:
            async with asyncio.timeout(context.deadline.remaining_s(clock.now_s())):
                return await self._read(request)
        except TimeoutError:
            raise ProblemError(ProblemCode.DEADLINE_EXCEEDED, "The body did not arrive in time.") from None

    async def _read(self, request: Request) -> bytes:
        raw = bytearray()
        async for part in request.stream():
            raw += part
            if len(raw) > self.most_bytes:
                raise ProblemError(ProblemCode.PAYLOAD_TOO_LARGE)
        return bytes(raw)
