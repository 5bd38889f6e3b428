"""One section from one backend, whose policies a test sets and whose gates it looks at. On a hand-turned clock."""

import asyncio
from datetime import timedelta
from typing import Any

from shared.backends.backend import Backend, BackendState, Call
from shared.backends.fanout import COMPOSE_RESERVE
from shared.backends.sections import Sections, nullable
from shared.errors import Reason
from shared.resilience.breaker import BreakerPolicy, BreakerState
from shared.resilience.hedge import HedgePolicy
from shared.resilience.retry import RetryPolicy
from shared.testing.scripted import Scripted, Step, reply
from tests.shared.backends.screen import Item, World, backend

OK, SECOND = reply({"id": 1}), reply({"id": 2})
ONCE = RetryPolicy(max_attempts=1)
NOW = RetryPolicy(max_attempts=2, first_wait=timedelta(0))
HEDGE = HedgePolicy(after=timedelta(milliseconds=100))
TOUCHY = BreakerPolicy(minimum_calls=2, jitter=0.0)
PATIENT = timedelta(seconds=60)
RESERVE_S = COMPOSE_RESERVE.total_seconds()


class Meeting:
    """One section from one backend called ``orders``, and what came of asking for it."""

    def __init__(self, *steps: Step, declare: Any = nullable, method: str = "GET", **policy: Any) -> None:
        self.backend: Backend = backend("orders", **policy)
        self.channel = Scripted(*steps)
        self.world = World({self.backend: self.channel})
        call = Call(self.backend, method, "/orders", Item.model_validate_json)
        self.screen = type("Screen", (Sections,), {"orders": declare(call)})

    @property
    def state(self) -> BackendState:
        return self.world.backends.state(self.backend)

    @property
    def sent(self) -> int:
        return len(self.channel.requests)

    async def ask(self, **fields: Any) -> tuple[Any, Reason | None, float]:
        """Return the section's value, why it is missing, and how long it took."""
        began = self.world.clock.now_s()
        got = await self.world.run(self.screen, **fields)
        took = round(self.world.clock.now_s() - began, 6)
        return got.orders, got.degraded[0].reason if got.degraded else None, took

    def begin(self, **fields: Any) -> asyncio.Task[Any]:
        return asyncio.ensure_future(self.world.fetch(self.screen, **fields))

    async def trip(self) -> None:
        """Let two calls fail, so that a touchy breaker opens."""
        for _ in range(2):
            await self.ask()
        assert self.state.breaker.state is BreakerState.OPEN
