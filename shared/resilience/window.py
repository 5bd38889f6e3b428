"""Counts of the last calls, forgotten slice by slice as time passes.

Owns the arithmetic of a time window. What the counts mean is the breaker's business. Counting is one comparison and one
addition; adding up is for the moment when something went wrong.
"""

from datetime import timedelta
from typing import Final, NamedTuple

# Ten: old counts leave in steps of a tenth, so a judgement is never more than a tenth of the window out of date.
SLICES: Final = 10


class Counts(NamedTuple):
    """Of the last window."""

    calls: int
    failures: int
    slow: int


class Window:
    """Calls, failures and slow calls of the last ``length``."""

    __slots__ = ("_current", "_ends_s", "_slice", "_slice_s", "_slices")

    def __init__(self, length: timedelta) -> None:
        self._slice_s = length.total_seconds() / SLICES
        self.forget()

    def forget(self) -> None:
        """Begin with nothing."""
        self._slices = [[0, 0, 0] for _ in range(SLICES)]
        self._slice = 0
        self._current = self._slices[0]
        self._ends_s = 0.0

    def count_well(self, now_s: float) -> None:
        """Count one call that ended now, and of which there is nothing to say: the usual one."""
        if now_s >= self._ends_s:
            self._turn(now_s)
        self._current[0] += 1

    def count(self, now_s: float, *, failed: bool, slow: bool) -> None:
        """Count one call that ended now, whatever came of it."""
        if now_s >= self._ends_s:
            self._turn(now_s)
        self._current[0] += 1
        if failed:
            self._current[1] += 1
        if slow:
            self._current[2] += 1

    def totals(self) -> Counts:
        """Add up what the window held when the last call was counted."""
        return Counts(*(sum(kind) for kind in zip(*self._slices, strict=True)))

    def _turn(self, now_s: float) -> None:
        """Forget the slices that are older than the window."""
        current = int(now_s / self._slice_s)
        for late in range(max(self._slice + 1, current - SLICES + 1), current + 1):
            self._slices[late % SLICES][:] = (0, 0, 0)
        self._slice = current
        self._current = self._slices[current % SLICES]
        self._ends_s = (current + 1) * self._slice_s
