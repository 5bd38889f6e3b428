"""Tail keeping: which traces are told although the head did not sample them, because of how they ended.

Owns the judgement (failed, degraded, slow) and the ceiling. Whose decision not to sample may be overruled is
``asgi/observe.py``'s question; a caller's own never is (ADR 9).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from shared.telemetry.ledger import Ledger


class Why(StrEnum):
    """Why a trace is kept; the first that holds is said."""

    FAILED = "failed"
    DEGRADED = "degraded"
    SLOW = "slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepPolicy:
    """What is worth keeping. ``routes`` has the templates whose own idea of slow differs from ``slow_after``."""

    why: frozenset[Why] = frozenset(Why)
    # Twice what a person calls at once; a screen that took that long went through a retry or a queue.
    slow_after: timedelta = timedelta(seconds=1)
    routes: Mapping[str, timedelta] = field(default_factory=dict)
    # In an outage every request is worth keeping, and they are all alike; this many cost about a thirtieth.
    most_per_s: int = 100


class Keeper:
    """The live part: the limits of each route, and how many were kept in this second."""

    def __init__(self, policy: KeepPolicy) -> None:
        self._why = policy.why
        slow = Why.SLOW in policy.why
        self._slow_s = policy.slow_after.total_seconds() if slow else float("inf")
        self._routes_s = {route: after.total_seconds() for route, after in policy.routes.items()} if slow else {}
        # What ended well and sooner than this is not worth a trace on any route: most requests, in one comparison.
        self.least_s = min(self._slow_s, *self._routes_s.values(), float("inf"))
        self._most = policy.most_per_s
        self._second = 0
        self._kept = 0

    def why(self, ledger: Ledger) -> Why | None:
        """Judge a finished request."""
        if ledger.failed:
            found = Why.FAILED
        elif ledger.degraded:
            found = Why.DEGRADED
        elif ledger.ended_s - ledger.started_s >= self._routes_s.get(ledger.route, self._slow_s):
            return Why.SLOW
        else:
            return None
        return found if found in self._why else None

    def admits(self, ledger: Ledger) -> bool:
        """Tell whether one more is affordable in the second in which it ended."""
        second = int(ledger.ended_s)
        if second != self._second:
            self._second, self._kept = second, 0
        self._kept += 1
        return self._kept <= self._most
