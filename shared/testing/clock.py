"""A clock that tests turn by hand: "+0.1 s" is then exact, and nothing really waits.

clock = ManualClock()
screen = await clock.run(compose_dashboard(fetch, "u-1", clock))   # timers fire as soon as nothing else can happen
"""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

# Enough turns of the loop for a chain of callbacks to settle: a task's start, a future's wake-up, a done callback.
SETTLE_TURNS: Final = 25


class ManualTimer:
    """A timer of a ``ManualClock``."""

    __slots__ = ("callback", "cancelled")

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        """Forget the call."""
        self.cancelled = True


class ManualClock:
    """Implements ``shared.clock.Clock``; time moves only in ``advance``, ``turn`` and ``run``.

    ``settling`` returns when nothing can happen any more before time moves: with real sockets in play, that takes
    ``shared.testing.loopback``.
    """

    def __init__(
        self, start_s: float = 1_000.0, wall_s: float = 1_795_000_000.0,
        settling: "Callable[[], Awaitable[None]] | None" = None,
    ) -> None:  # fmt: skip
        self._settle = settling or settle
        self._now_s = start_s
        self._wall_offset_s = wall_s - start_s
        self._timers: list[tuple[float, int, ManualTimer]] = []
        self._order = itertools.count()

    def now_s(self) -> float:
        """Seconds on the hand-turned clock."""
        return self._now_s

    def wall_s(self) -> float:
        """Seconds since the Unix epoch, moving in step."""
        return self._now_s + self._wall_offset_s

    @property
    def pending(self) -> int:
        """How many timers are set: what a test that looks for leaks asks at its end."""
        return sum(not timer.cancelled for _, _, timer in self._timers)

    def call_later(self, delay_s: float, callback: Callable[..., None], *args: Any) -> ManualTimer:
        """Call ``callback(*args)`` when the clock has been turned that far."""
        timer = ManualTimer(lambda: callback(*args))
        heapq.heappush(self._timers, (self._now_s + delay_s, next(self._order), timer))
        return timer

    async def sleep(self, delay_s: float) -> None:
        """Return when the clock has been turned that far."""
        woken = asyncio.get_running_loop().create_future()
        timer = self.call_later(delay_s, lambda: None if woken.done() else woken.set_result(None))
        try:
            await woken
        finally:
            timer.cancel()

    async def advance(self, seconds: float) -> None:
        """Turn the clock, firing timers in order, each at its own moment."""
        target = self._now_s + seconds
        await self._settle()
        while (due := self._next_due()) is not None and due <= target:
            self._fire()
            await self._settle()
        self._now_s = target

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` to its end; whenever nothing can happen any more, the next timer's moment comes."""
        task = asyncio.ensure_future(work)
        try:
            await self._settle()
            while not task.done():
                assert self._next_due() is not None, "nothing will ever happen: no timer is set, the work is not done"  # noqa: S101 - a kit for tests
                self._fire()
                await self._settle()
        except BaseException:
            task.cancel()
            raise
        return task.result()

    def turn(self, seconds: float) -> None:
        """Turn the clock where no loop runs, as in a state machine: timers fire in order, nothing is awaited."""
        target = self._now_s + seconds
        while (due := self._next_due()) is not None and due <= target:
            self._fire()
        self._now_s = target

    def _next_due(self) -> float | None:
        while self._timers and self._timers[0][2].cancelled:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def _fire(self) -> None:
        due, _, timer = heapq.heappop(self._timers)
        self._now_s = max(self._now_s, due)
        timer.callback()


async def settle() -> None:
    """Let everything that is ready run."""
    for _ in range(SETTLE_TURNS):
        await asyncio.sleep(0)
