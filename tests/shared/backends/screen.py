"""A screen with made-up sections, and a way to fetch it from scripted backends on a hand-turned clock."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from random import Random
from typing import Any, TypeVar

from pydantic import BaseModel

from shared.backends.backend import Backend, Backends, CallPolicy
from shared.backends.content import Content
from shared.backends.fanout import NOTHING_SENT, Caller, fan_out
from shared.backends.sections import Sections
from shared.resilience.deadline import Deadline
from shared.telemetry.ledger import Ledger, TraceOrigin
from shared.testing.clock import ManualClock
from shared.testing.scripted import Scripted

S = TypeVar("S", bound=Sections)

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
ALICE = Caller(scope="app\nalice", authorization="Bearer alice")
BOB = Caller(scope="app\nbob", authorization="Bearer bob")


class Item(BaseModel):
    id: int


class World:
    """Scripted backends, a clock and a ledger: everything one fan-out needs."""

    def __init__(self, channels: Mapping[Backend, Scripted], clock: ManualClock | None = None, seed: int = 7) -> None:
        self.clock = clock or ManualClock()
        self.channels = channels
        for channel in channels.values():
            channel.clock = self.clock
        self.backends = Backends(channels, self.clock, Random(seed))
        self.ledger = self.new_ledger()

    def new_ledger(self, *, sampled: bool = True, tracestate: str = "") -> Ledger:
        origin = TraceOrigin(TRACE_ID, None, sampled, tracestate)
        return Ledger(origin, "GET", self.clock.now_s())

    async def fetch(
        self,
        sections: type[S],
        caller: Caller = ALICE,
        budget_s: float = 3.0,
        only: Collection[str] | None = None,
        contents: Mapping[str, Content] = NOTHING_SENT,
        **parameters: str,
    ) -> S:
        """Run a fan-out as a request would; its ledger is ``self.ledger``."""
        self.ledger = self.new_ledger()
        return await fan_out(
            sections,
            backends=self.backends,
            deadline=Deadline.after(timedelta(seconds=budget_s), self.clock.now_s()),
            caller=caller,
            ledger=self.ledger,
            parameters=parameters,
            contents=contents,
            only=only,
        )

    async def run(self, sections: type[S], *args: Any, **fields: Any) -> S:
        """The same, to its end: the clock turns whenever nothing else can happen."""
        return await self.clock.run(self.fetch(sections, *args, **fields))

    def assert_nothing_left(self) -> None:
        """No permit, no timer, no open attempt record, no exchange that nobody ended."""
        for backend, channel in self.channels.items():
            assert self.backends.state(backend).bulkhead.in_flight == 0, backend.name
            assert all(exchange.over for exchange in channel.exchanges), backend.name
        for section in self.ledger.sections:
            assert section.ended_s >= section.started_s > 0
            for attempt in section.attempts:
                assert attempt.ended_s >= attempt.started_s > 0
        assert self.clock.pending == 0


def backend(name: str, **policy: Any) -> Backend:
    return Backend(name, CallPolicy(**policy))
