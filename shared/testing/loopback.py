"""When nothing can happen any more, with real sockets in play: so that a clock may be turned by hand.

All parties of a test (client, BFF, backends) run on one loop and talk over loopback. What one has sent is usually in
the other's buffer at once, but a busy kernel may deliver it a moment later. It delivers in order: when a byte of ours
has crossed, so has all that was sent before it.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from shared.testing.clock import ManualClock, settle

# The longest way from one wait to the next: client, BFF, backend and back, each perhaps a hop of its own, with a
# connection to be made at each.
HOPS: Final = 8


class Fence:
    """A connection of our own."""

    def __init__(self) -> None:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen(1)
            self._near = socket.create_connection(listening.getsockname())
            self._far, _ = listening.accept()
        self._near.setblocking(False)
        self._far.setblocking(False)

    async def cross(self) -> None:
        """Return when what was sent before has arrived."""
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._near, b".")
        await loop.sock_recv(self._far, 1)

    async def settle(self) -> None:
        """Let everything that is ready run, and everything that is under way arrive."""
        for _ in range(HOPS):
            await self.cross()
            await settle()

    def close(self) -> None:
        """Take it down."""
        self._near.close()
        self._far.close()


@asynccontextmanager
async def clock_over_sockets() -> AsyncIterator[ManualClock]:
    """Give a clock turned by hand, for tests whose parties talk over loopback."""
    fence = Fence()
    try:
        yield ManualClock(settling=fence.settle)
    finally:
        fence.close()
