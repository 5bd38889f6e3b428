"""Coalescing: identical reads that are under way at the same time share one exchange.

Owns who waits for which exchange. A ``Flight`` is one attempt and everybody who waits for it; a ``Seat`` is one
waiter's place in it, and to its branch and fan-out what an attempt is. Each seat keeps its own due time: one that is
given up leaves the others, and the last one to leave gives up the exchange. A failure reaches those who waited and
nobody else; each of them retries, or not, on its own budget.

What makes two reads identical is their ``CallKey``, of which the identity scope is part.
"""

from typing import Any, Protocol

from shared.backends.cache import CallKey
from shared.clock import Clock
from shared.errors import AttemptTimedOut, CallError, DeadlinePassed
from shared.resilience.hedge import Done
from shared.telemetry.ledger import AttemptRecord, SpanPlace, TraceOrigin


class Exchanging(Protocol):
    """What a flight needs of the attempt that it shares."""

    record: AttemptRecord
    due_s: float

    def expire(self, *, late: bool) -> None:
        """Give it up because time is over."""

    def cancel(self) -> None:
        """Give it up because nobody waits any more."""


class Seat:
    """One waiter's place. ``done`` is called once, with a value or an error, unless it is given up before."""

    __slots__ = ("_flight", "done", "due_s", "over", "record")

    def __init__(self, flight: "Flight", record: AttemptRecord, due_s: float, done: Done) -> None:
        self._flight = flight
        self.record = record
        self.due_s = due_s
        self.done = done
        self.over = False

    def tell(self, value: Any, error: CallError | None) -> None:
        """End it; who waits holds this seat, so it lets go of them: no cycle is left for the collector."""
        self.over = True
        done, self.done = self.done, nobody
        done(value, error)

    def expire(self, *, late: bool) -> None:
        """Give it up because its own time, or (``late``) the time of the whole, is over; and say which."""
        if not self.over:
            self._flight.expire(self, late=late)

    def cancel(self) -> None:
        """Give it up because nobody waits here any more."""
        if not self.over:
            self._flight.leave(self)


def nobody(value: Any, error: CallError | None) -> None:
    """Wait for nothing any more."""


class Flight:
    """One exchange and all who wait for it. The attempt's record is always that of somebody who still waits."""

    __slots__ = ("_clock", "_flights", "_origin", "_seats", "_span_id", "attempt", "key")

    def __init__(self, flights: "Flights", key: CallKey, clock: Clock, origin: TraceOrigin) -> None:
        self._flights = flights
        self._clock = clock
        self._origin = origin
        self._seats: list[Seat]
        self.attempt: Exchanging  # both come with ``depart``, for the attempt reports to this flight
        self.key = key

    def depart(self, attempt: Exchanging, record: AttemptRecord, due_s: float, done: Done) -> Seat:
        """Take the attempt that all wait for, and its first waiter."""
        self.attempt = attempt
        self._span_id = record.span_id
        seat = Seat(self, record, due_s, done)
        self._seats = [seat]
        return seat

    @property
    def sent_as(self) -> SpanPlace:
        """Where the exchange is told: under whoever sent it, even when that one has left."""
        return SpanPlace(self._origin, self._span_id)

    def board(self, record: AttemptRecord, due_s: float, done: Done) -> Seat:
        """Wait with the others."""
        seat = Seat(self, record, due_s, done)
        self._seats.append(seat)
        return seat

    def landed(self, value: Any, error: CallError | None) -> None:
        """Tell everybody; what the attempt's own record says holds for all."""
        self._flights.close(self)
        seats, self._seats = self._seats, []
        if len(seats) == 1:  # nearly always
            seats[0].tell(value, error)
            return
        told = self.attempt.record
        for seat in seats:
            seat.over = True
            if seat.record is not told:
                record = seat.record
                record.status, record.error, record.detail = told.status, told.error, told.detail
                record.ended_s = told.ended_s
        for seat in seats:
            seat.tell(value, error)

    def expire(self, seat: Seat, *, late: bool) -> None:
        """Let one go whose time is over; an exchange that was too slow for one takes nobody else aboard."""
        if not late:
            self._flights.close(self)
        if len(self._seats) == 1:
            self.attempt.expire(late=late)
            return
        error = (DeadlinePassed if late else AttemptTimedOut)(self.key.backend)
        seat.record.error = error.reason
        self._part(seat)
        seat.tell(None, error)

    def leave(self, seat: Seat) -> None:
        """Let one go who does not want to know any more; the last one takes the exchange along."""
        if len(self._seats) == 1:
            seat.over = True
            self._flights.close(self)
            self._seats.clear()
            self.attempt.cancel()
        else:
            seat.record.cancelled = True
            self._part(seat)

    def _part(self, seat: Seat) -> None:
        seat.over = True
        seat.record.ended_s = self._clock.now_s()
        self._seats.remove(seat)
        if self.attempt.record is seat.record:
            self.attempt.record = self._seats[0].record


class Flights:
    """The exchanges that may be joined: one dict."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: dict[CallKey, Flight] = {}

    def __len__(self) -> int:
        return len(self._open)

    def find(self, key: CallKey, now_s: float, due_s: float) -> Flight | None:
        """Return the exchange to wait for, if there is one that was given time enough.

        The backend was told the first waiter's time. With less than half of what this one has, it may well give up
        early; and what has been silent for half an attempt is as likely stuck as slow.
        """
        flight = self._open.get(key)
        return flight if flight is not None and flight.attempt.due_s - now_s >= (due_s - now_s) / 2 else None

    def open(self, flight: Flight) -> None:
        """Let others join."""
        self._open[flight.key] = flight

    def close(self, flight: Flight) -> None:
        """Let nobody join any more; a newer exchange under the same key stays."""
        if self._open.get(flight.key) is flight:
            del self._open[flight.key]
