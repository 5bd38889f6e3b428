"""Backends that do as they are told, at our own transport seam; time is the test's clock.

orders = Scripted(reply([{"id": 1}]))                # the same for every attempt
users = Scripted(status(503), reply(PROFILE))        # the first attempt, then the others
backends = scripted_backends(clock, {USERS: users, ORDERS: orders, ALERTS: Scripted(hang())})
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from shared.backends.backend import Backend, Backends
from shared.backends.channel import Headers, OutboundRequest, PlainReply, Receiver
from shared.clock import Clock, Timer
from shared.errors import BackendUnreachable, CallFailed

Act = Callable[[Receiver], None]


class Step:
    """What one attempt meets, and after how many seconds."""

    def __init__(self, act: Act | None, after_s: float = 0.0) -> None:
        self.act = act
        self.after_s = after_s

    def after(self, seconds: float) -> "Step":
        """Return the same, later."""
        return Step(self.act, seconds)


def reply(body: Any, status: int = 200, headers: Headers = ()) -> Step:
    """Answer with JSON; ``bytes`` go out as they are."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Step(lambda receiver: receiver.replied(PlainReply(status, raw, headers)))


def status(code: int, headers: Headers = ()) -> Step:
    """Answer with a bare status."""
    return reply(b"", code, headers)


def hang() -> Step:
    """Never answer."""
    return Step(None)


def broken(error: CallFailed | None = None) -> Step:
    """Fail as a transport fails: by default a connection refused before anything was sent."""
    return Step(lambda receiver: receiver.broke(error or BackendUnreachable("scripted", "refused", sent=False)))


class ScriptedExchange:
    """An exchange that knows whether it was given up."""

    def __init__(self) -> None:
        self.aborted = False
        self.over = False
        self.timer: Timer | None = None

    def abort(self) -> None:
        """Note that the caller left."""
        if not self.over:
            self.aborted = self.over = True
            if self.timer is not None:
                self.timer.cancel()


class Scripted:
    """A ``Channel`` that plays its steps, one an attempt; the last step repeats. Records what it was sent."""

    def __init__(self, *steps: Step) -> None:
        self._steps = steps
        self.clock: Clock | None = None
        self.requests: list[OutboundRequest] = []
        self.exchanges: list[ScriptedExchange] = []

    @property
    def aborted(self) -> int:
        """How many attempts were given up by the caller."""
        return sum(exchange.aborted for exchange in self.exchanges)

    def send(self, request: OutboundRequest, receiver: Receiver) -> ScriptedExchange:
        """Play the next step."""
        assert self.clock is not None, "open it with scripted_backends"  # noqa: S101 - a kit for tests
        step = self._steps[min(len(self.requests), len(self._steps) - 1)]
        exchange = ScriptedExchange()
        self.requests.append(request)
        self.exchanges.append(exchange)

        def play() -> None:
            if not exchange.over and step.act is not None:
                exchange.over = True
                step.act(receiver)

        if step.act is not None:
            exchange.timer = self.clock.call_later(step.after_s, play)
        return exchange

    async def aclose(self) -> None:
        """Nothing is open."""


def scripted_backends(clock: Clock, channels: Mapping[Backend, Scripted]) -> Backends:
    """Open declared backends on scripts."""
    for channel in channels.values():
        channel.clock = clock
    return Backends(channels, clock)
