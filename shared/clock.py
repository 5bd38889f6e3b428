"""Time, behind one seam, so that no test depends on wall-clock luck.

Owns the ``Clock`` protocol and the real one. The one that tests turn by hand is ``testing/clock.py``.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol


class Timer(Protocol):
    """What ``call_later`` gives back."""

    def cancel(self) -> None:
        """Forget the call, if it has not happened yet."""


class Clock(Protocol):
    """Monotonic seconds for measuring, wall time for showing, timers for waiting."""

    def now_s(self) -> float:
        """Seconds on a monotonic clock; only differences mean anything."""

    def wall_s(self) -> float:
        """Seconds since the Unix epoch."""

    def call_later(self, delay_s: float, callback: Callable[..., None], *args: Any) -> Timer:
        """Call ``callback(*args)`` once, ``delay_s`` seconds from now."""

    async def sleep(self, delay_s: float) -> None:
        """Return ``delay_s`` seconds from now."""


class LoopClock:
    """The real clock, on the running event loop's timers."""

    # Not loop.time(): uvloop caches it once per iteration with millisecond steps.
    now_s = staticmethod(time.monotonic)
    wall_s = staticmethod(time.time)

    def call_later(self, delay_s: float, callback: Callable[..., None], *args: Any) -> Timer:
        """Call ``callback(*args)`` once, ``delay_s`` seconds from now."""
        return asyncio.get_running_loop().call_later(delay_s, callback, *args)

    async def sleep(self, delay_s: float) -> None:
        """Return ``delay_s`` seconds from now."""
        await asyncio.sleep(delay_s)
