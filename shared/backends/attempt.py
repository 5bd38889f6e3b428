"""One attempt of one call: request out, reply judged, permit and ticket back with the verdict, record closed.

Owns what happens between "send it" and "this is what came of it". What had to say yes before is ``branch.py``'s order.
Others may wait for the same exchange: as soon as one does, a ``Flight`` stands between the attempt and all who wait.
"""

from typing import Any

from shared.backends.cache import CallKey
from shared.backends.channel import Exchange, OutboundRequest, Reply
from shared.backends.coalesce import Flight, Flights, Seat, nobody
from shared.backends.judging import judge
from shared.backends.live import LiveCall
from shared.backends.recall import Recall
from shared.clock import Clock
from shared.errors import AttemptTimedOut, CallError, CallFailed, DeadlinePassed
from shared.resilience.hedge import Done
from shared.resilience.verdict import Verdict, verdict_of
from shared.telemetry.ledger import AttemptRecord, SpanPlace, TraceOrigin

_SUCCESS, _IGNORED = Verdict.SUCCESS, Verdict.IGNORED


class Attempt:
    """A request under way. ``done`` is called once, with a value or an error, unless it is given up before."""

    # What most attempts never change is the class's: to set it anew in each would cost more than the rest.
    _exchange: Exchange | None = None
    _flights: Flights | None = None
    _seat: Seat | None = None  # its sender's, once others wait, too
    over = False

    def __init__(
        self, live: LiveCall, ticket: int, record: AttemptRecord, due_s: float, clock: Clock, done: Done,
        recall: Recall | None = None,
    ) -> None:  # fmt: skip
        self._live = live
        self._ticket = ticket
        self._clock = clock
        self._done = done
        self._recall = recall
        self._started_s = record.started_s  # the record may become that of one who joined later
        self.record = record
        self.due_s = due_s

    def start(self, request: OutboundRequest) -> None:
        """Send. Permit and ticket are taken already, and are given back whatever happens."""
        try:
            self._exchange = self._live.channel.send(request, self)
        except BaseException:
            self._close(_IGNORED, cancelled=True)
            raise

    # Others who wait for the same exchange

    def open_to_others(self, flights: Flights, key: CallKey, origin: TraceOrigin) -> None:
        """Let identical reads join from now on, until this ends or its time is over."""
        self._flights, self._key, self._origin = flights, key, origin
        self._sent_by = self.record
        flights[key] = self

    def leave_registry(self) -> None:
        """Let nobody join any more."""
        if self._flights is not None:
            self._flights.close(self._key, self)
            self._flights = None

    @property
    def sent_as(self) -> SpanPlace:
        """Where the exchange is told: under whoever sent it, even when that one has left."""
        return SpanPlace(self._origin, self._sent_by.span_id)

    @property
    def waiting(self) -> int:
        """How many wait for it."""
        return 1 if self._seat is None else len(self._seat.flight)

    def board(self, record: AttemptRecord, due_s: float, done: Done) -> Seat:
        """Let one more wait; from the first of them on, whoever sent it has a seat like all others."""
        if self._seat is None:
            flight = Flight(self, self._live.backend, self._clock)
            self._seat = flight.board(self.record, self.due_s, self._done)
            self._done = flight.landed
        return self._seat.flight.board(record, due_s, done)

    # How it ends

    def replied(self, reply: Reply) -> None:
        """Judge the reply: its status, then whether its payload fits."""
        if self.over:
            return
        self.record.status = reply.status
        recall = self._recall
        if recall is None:
            value, error = judge(self._live, reply, self._clock)
        else:
            value, error = recall.judge(reply)
        self._finish(value, error)

    def broke(self, error: CallFailed) -> None:
        """Take the transport's failure."""
        if not self.over:
            self._finish(None, error)

    def expire(self, *, late: bool) -> None:
        """Let its sender go because its own time, or (``late``) the time of the whole, is over; and say which."""
        if self._seat is not None:
            self._seat.expire(late=late)
        else:
            self.run_out(late=late)

    def cancel(self) -> None:
        """Let its sender go because nobody waits there any more."""
        if self._seat is not None:
            self._seat.cancel()
        else:
            self.drop()

    def run_out(self, *, late: bool) -> None:
        """Give it up because time is over for all who waited."""
        if not self.over:
            self._abort()
            self._finish(None, (DeadlinePassed if late else AttemptTimedOut)(self._live.backend))

    def drop(self) -> None:
        """Give it up because nobody waits any more: neither success nor failure of the backend."""
        if not self.over:
            self._abort()
            self._close(_IGNORED, cancelled=True)

    def _abort(self) -> None:
        if self._exchange is not None:
            self._exchange.abort()

    def _finish(self, value: Any, error: CallError | None) -> None:
        if error is None:
            self._close(_SUCCESS)(value, None)
        else:
            self.record.error, self.record.detail = error.reason, error.detail
            self._close(verdict_of(error))(value, error)

    def _close(self, verdict: Verdict, *, cancelled: bool = False) -> Done:
        """The one place where an attempt ends: record closed, ticket and permit back."""
        self.over = True
        # Who waits and what carries it hold this attempt: no cycle is left for the collector.
        done, self._done = self._done, nobody
        self._exchange = None
        record, state = self.record, self._live.state
        if cancelled:
            record.cancelled = True
        record.ended_s = now_s = self._clock.now_s()
        elapsed_s = now_s - self._started_s
        state.breaker.done(self._ticket, verdict, elapsed_s)
        state.bulkhead.release(verdict, elapsed_s)
        if self._flights is not None:
            self.leave_registry()
        if self._seat is not None:
            self._seat = None
        return done
