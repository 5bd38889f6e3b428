"""Whether the store is worth asking: after some failures it is not, until it answers again.

Owns the skip window. While it lasts nobody asks, so nobody waits; a probe of our own asks behind everybody's back. That
is what a half-open breaker cannot do (``shared/resilience/breaker.py``): its probes are somebody's requests.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final

from shared.clock import Clock
from shared.resilience.window import Window
from shared.store.errors import StoreError


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingPolicy:
    """When the store is not worth asking, and how often a probe asks whether it is again."""

    # What counts is lately. Two seconds hold many answers of a store that is well, and few of its last trouble.
    window: timedelta = timedelta(seconds=2)
    # One is an accident (a restart breaks every connection once); three that each cost somebody a timeout are enough.
    failures: int = 3
    # A fifth: one of three shards being away is enough, for every request has several keys.
    failure_rate: float = 0.2
    # With a connection to be made (half a second at most) it is back within two seconds of being back (field case L2).
    probe_every: timedelta = timedelta(milliseconds=500)
    # So that the processes that saw one outage do not ask together.
    jitter: float = 0.2


@dataclass(frozen=True, slots=True)
class StoreTurnedEvent:
    """The store is asked again, or not any more; ``cause`` is an outcome of ``errors.py``, and what it said."""

    up: bool
    cause: str = ""


Listener = Callable[[StoreTurnedEvent], None]


def nobody(_: StoreTurnedEvent) -> None:
    """Listen to nothing."""


JITTER: Final = Random()  # noqa: S311 - jitter, not a secret


class Standing:
    """The live part. ``probe`` asks the store for nothing in particular and raises StoreError when that fails."""

    def __init__(
        self, policy: StandingPolicy, clock: Clock, probe: Callable[[], Awaitable[object]], listener: Listener = nobody
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._probe = probe
        self._listener = listener
        self._window = Window(policy.window)
        self._probing: asyncio.Task[None] | None = None
        self.up = True

    def well(self) -> None:
        """Count an answer."""
        self._window.count_well(self._clock.now_s())

    def failed(self, error: StoreError) -> None:
        """Count a failure; with this one it may be enough."""
        if not self.up:
            return
        self._window.count(self._clock.now_s(), failed=True, slow=False)
        asked, failures, _ = self._window.totals()
        if failures >= self._policy.failures and failures >= self._policy.failure_rate * asked:
            self._turn(StoreTurnedEvent(up=False, cause=str(error)))
            self._probing = asyncio.get_running_loop().create_task(self._until_it_answers())

    def close(self) -> None:
        """Probe no more."""
        if self._probing is not None:
            self._probing.cancel()

    def _turn(self, event: StoreTurnedEvent) -> None:
        self.up = event.up
        self._window.forget()
        self._listener(event)

    async def _until_it_answers(self) -> None:
        every_s, jitter = self._policy.probe_every.total_seconds(), self._policy.jitter
        while True:
            await self._clock.sleep(every_s * JITTER.uniform(1 - jitter, 1 + jitter))
            try:
                await self._probe()
            except StoreError:
                continue
            self._turn(StoreTurnedEvent(up=True))
            return
