"""What an execution waits for: noted while it goes through the answer, started together, taken as it comes.

Owns tasks and futures. What becomes of a value that came is ``run.py``. We cancel what we started, and nothing else: a
future that a resolver handed out may have others waiting for it, as a loader's has.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from types import CoroutineType
from typing import Any

from shared.plans.place import Place, is_within

Then = Callable[[Any], Any]


class Wait:
    """What to wait for, and the place of what comes; ``then`` completes it where that is not the place's own value."""

    __slots__ = ("awaitable", "dropped", "ours", "place", "then")

    def __init__(self, awaitable: Awaitable[Any], place: Place, then: Then | None) -> None:
        self.awaitable = awaitable
        self.place = place
        self.then = then
        self.ours = False
        self.dropped = False


class Waits:
    """Everything that one execution waits for. ``resume`` is called with each wait and what came of it."""

    def __init__(self, resume: Callable[[Wait, Any], None]) -> None:
        self._resume = resume
        self._fresh: list[Wait] = []
        self._live: dict[Wait, asyncio.Future[Any]] = {}
        self._done: asyncio.Future[None] | None = None

    def add(self, awaitable: Awaitable[Any], place: Place, then: Then | None = None) -> None:
        """Note one more; it starts when the traversal is through."""
        self._fresh.append(Wait(awaitable, place, then))

    async def drain(self) -> None:
        """Wait until nothing is left to wait for. When cancelled, so is everything that was started."""
        while self._fresh:
            if len(self._fresh) == 1:
                await self._alone(self._fresh.pop())
            else:
                await self._together()

    async def _alone(self, wait: Wait) -> None:
        try:
            outcome = await wait.awaitable
        except Exception as error:  # noqa: BLE001 - whatever a resolver raises is an error of its field
            outcome = error
        self._resume(wait, outcome)

    async def _together(self) -> None:
        self._done = asyncio.get_running_loop().create_future()
        self._start()
        try:
            await self._done
        except BaseException:
            ours = [future for wait, future in self._live.items() if wait.ours]
            self.drop_all()
            await asyncio.gather(*ours, return_exceptions=True)
            raise

    def _start(self) -> None:
        fresh, self._fresh = self._fresh, []
        loop = asyncio.get_running_loop()
        for wait in fresh:
            awaitable = wait.awaitable
            future: asyncio.Future[Any]
            if type(awaitable) is CoroutineType:
                future = loop.create_task(awaitable)
            elif type(awaitable) is asyncio.Future:
                future = awaitable
            else:
                future = asyncio.ensure_future(awaitable)
            self._live[wait] = future
            wait.ours = future is not awaitable
            future.add_done_callback(partial(self._came, wait))

    def _came(self, wait: Wait, future: asyncio.Future[Any]) -> None:
        """Take what has come; the last one ends the waiting."""
        error = None if future.cancelled() else future.exception()
        done = self._done
        if self._live.pop(wait, None) is None or done is None or done.done():
            return
        if wait.dropped:
            pass
        elif future.cancelled():
            done.cancel()
        elif error is not None and not isinstance(error, Exception):
            done.set_exception(error)
        else:
            self._resume(wait, future.result() if error is None else error)
            self._start()
        if not self._live and not done.done():
            done.set_result(None)

    def drop_fresh(self, within: Place) -> None:
        """Let go of what was noted below a place in this traversal: that is what was noted last."""
        while self._fresh and is_within(self._fresh[-1].place, within):
            self._close(self._fresh.pop())

    def drop_live(self, within: Place) -> None:
        """Let go of what was started below a place; its end is still waited for, so that nothing runs on behind us."""
        for wait in [one for one in self._live if is_within(one.place, within)]:
            self._cancel(wait)

    def drop_all(self) -> None:
        """Let go of everything."""
        for wait in list(self._live):
            self._cancel(wait)
        while self._fresh:
            self._close(self._fresh.pop())

    def _cancel(self, wait: Wait) -> None:
        wait.dropped = True
        if wait.ours:
            self._live[wait].cancel()
        else:
            del self._live[wait]

    def _close(self, wait: Wait) -> None:
        if isinstance(wait.awaitable, CoroutineType):
            wait.awaitable.close()
