"""An answer's head and body leave together.

uvicorn writes them apart. Between the two the process may lose its turn, and the edge, which has passed the head on by
then, can only cut the answer off when the route's time is up: the client gets a 200 and half a body, where a problem
was due. The chaos test saw it once in a thousand answers on a busy machine.
"""

import asyncio
from typing import Any


class OneWrite:
    """A transport that keeps what is written until the next write, or until the loop turns."""

    __slots__ = ("_held", "_transport")

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._held = b""

    def write(self, data: bytes) -> None:
        """Write both, or keep this one for a moment."""
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held + data)
        else:
            self._held = data
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)

    def close(self) -> None:
        """Close, after what was kept."""
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether the connection is being closed."""
        return bool(self._transport.is_closing())
