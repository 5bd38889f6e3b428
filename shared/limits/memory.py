"""Counters in this process' own memory: exact while nobody else counts the same."""

from collections.abc import Sequence
from typing import Final

from shared.clock import Clock
from shared.limits.decide import Check, State, Verdict, judge

# What a counter in memory weighs is a hundred bytes to a kilobyte.
MOST_COUNTERS: Final = 100_000


class Counters:
    """Judges and counts; when there are too many, the longest untouched make room, a tenth at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._states: dict[str, State] = {}

    def judge(self, checks: Sequence[Check]) -> list[Verdict]:
        """Judge the checks of one request: all or none are charged."""
        now_us = int(self._clock.now_s() * 1_000_000)
        if len(self._states) >= MOST_COUNTERS:
            for key in list(self._states)[: MOST_COUNTERS // 10]:
                del self._states[key]
        for check in checks:
            if check.key in self._states:
                self._states[check.key] = self._states.pop(check.key)
        return judge(self._states, checks, now_us)
