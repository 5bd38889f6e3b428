"""Pools over scripted backends on real sockets, and what a test asks about them."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from shared.backends.wire.pool import PoolPolicy, WirePool
from shared.clock import LoopClock
from shared.errors import CallFailed
from tests.shared.backends.raw import (
    RawBackend,
    until,
)


@asynccontextmanager
async def pool_for(backend: RawBackend, clock: Any = None, **policy: Any) -> AsyncIterator[WirePool]:
    pool = WirePool("raw", backend.url, PoolPolicy(**policy), clock or LoopClock())
    try:
        yield pool
    finally:
        await pool.aclose()
        assert (pool.connections, pool.active) == (0, 0)
        await until(lambda: backend.open == 0, "the backend saw every connection close")


def sockets() -> int:
    """Count the sockets of this process."""
    names = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            names.append(entry.readlink().name)
        except FileNotFoundError:
            continue
    return sum(name.startswith("socket:") for name in names)


def status_of(outcome: Any) -> int:
    assert not isinstance(outcome, CallFailed), outcome
    return int(outcome.status)


@asynccontextmanager
async def slow_to_accept() -> AsyncIterator[str]:
    """A listener whose queue is full: connecting to it takes until somebody accepts, which nobody does."""
    listener = socket.socket()
    fillers: list[socket.socket] = []
    try:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        for one in (*fillers, listener):
            one.close()
