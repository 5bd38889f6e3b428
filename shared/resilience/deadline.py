"""The deadline: one point in time for the whole request, from the edge to the last backend.

Owns the arithmetic and the wire form (``x-deadline-ms``, milliseconds left). Who enforces it is ``backends/fanout.py``;
where it is opened, ``asgi/deadline.py``.
"""

from datetime import timedelta
from typing import Final

import msgspec

HEADER: Final = "x-deadline-ms"

# Timers may fire up to a clock tick early; a deadline this near counts as reached.
TICK_S: Final = 0.001


class Deadline(msgspec.Struct, frozen=True, gc=False):
    """A point on the clock's monotonic axis, in seconds."""

    at_s: float

    @classmethod
    def after(cls, budget: timedelta, now_s: float) -> "Deadline":
        """Return the deadline that lies ``budget`` from now."""
        return cls(now_s + budget.total_seconds())

    def remaining_s(self, now_s: float) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at_s - now_s)

    def passed(self, now_s: float) -> bool:
        """Whether it is over, within one clock tick."""
        return self.at_s - now_s <= TICK_S

    def earlier(self, reserve: timedelta) -> "Deadline":
        """Return the same deadline with ``reserve`` kept back for the work after it."""
        return Deadline(self.at_s - reserve.total_seconds())

    def header_ms(self, now_s: float) -> int:
        """Milliseconds left as the header says them: whole, at least 1 while any time is left."""
        return left_ms(self.at_s, now_s)


def left_ms(at_s: float, now_s: float) -> int:
    """Milliseconds until a point in time: whole, at least 1."""
    return max(1, int((at_s - now_s) * 1000))


def budget_from_header(value: str | None, ceiling: timedelta) -> timedelta:
    """Read ``x-deadline-ms``; a caller may shorten the ceiling, never extend it, and garbage does not count."""
    if value is None or not (value.isascii() and value.isdigit()) or len(value) > 9:  # noqa: PLR2004 - 10^9 ms is 11 days
        return ceiling
    return min(ceiling, timedelta(milliseconds=max(1, int(value))))
