"""A try awaited: the way from callbacks to a coroutine, for the few calls that are tried again."""

import asyncio
from collections.abc import Callable
from typing import Any

from shared.errors import CallError
from shared.resilience.hedge import Done, Running


async def ended(start: Callable[[Done], Running]) -> Any:
    """Start a try and return its value, or raise its error; when cancelled, give it up."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def done(value: Any, error: CallError | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

    under_way = start(done)
    try:
        return await future
    finally:
        under_way.cancel()
