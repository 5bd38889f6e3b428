"""Which of several addresses: whichever connects first, each with a head start over the next (RFC 8305).

Owns the race alone: no socket, no DNS. An address that failed, or lost though it had its head start, is reported.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from typing import Any, Final, TypeVar

from shared.backends.wire.names import Address
from shared.clock import Clock

T = TypeVar("T")

# RFC 8305 §5: the recommended "connection attempt delay".
HEAD_START_S: Final = 0.25


async def race(
    addresses: Sequence[Address],
    connect: Callable[[Address], Coroutine[Any, Any, T]],
    discard: Callable[[T], Awaitable[None]],
    slow: Callable[[Address], None],
    clock: Clock,
) -> T:
    """Return the first connection; what loses is closed before that. Raises the last OSError when none connects."""
    if len(addresses) == 1:
        return await connect(addresses[0])
    left = deque(addresses)
    under_way: dict[asyncio.Task[T], Address] = {}
    last = OSError("no address")
    try:
        while left or under_way:
            if left:
                address = left.popleft()
                under_way[asyncio.ensure_future(connect(address))] = address
            for task in await _first_done(under_way, clock if left else None):
                address = under_way.pop(task)
                if (error := task.exception()) is None:
                    for overtaken in set(under_way.values()) & set(addresses[: addresses.index(address)]):
                        slow(overtaken)
                    return task.result()
                slow(address)
                if not isinstance(error, OSError):
                    raise error
                last = error
    finally:
        await _end(list(under_way), discard)
    raise last


async def _first_done(tasks: Collection[asyncio.Task[T]], clock: Clock | None) -> list[asyncio.Task[T]]:
    """Wait for the first to end, or, with a clock, for the next one's turn; return what has ended."""
    turn: list[asyncio.Future[Any]] = []
    if clock is not None:
        turn.append(asyncio.ensure_future(clock.sleep(HEAD_START_S)))
    try:
        await asyncio.wait([*turn, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for timer in turn:
            timer.cancel()
    return [task for task in tasks if task.done()]


async def _end(tasks: list[asyncio.Task[T]], discard: Callable[[T], Awaitable[None]]) -> None:
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(ended, BaseException):
            await discard(ended)
