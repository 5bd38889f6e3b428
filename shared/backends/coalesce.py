"""Coalescing: identical reads that are under way at the same time share one exchange.

Owns who waits for which exchange. An attempt that nobody joined knows nothing of this. As soon as one does, a
``Flight`` is everybody who waits for it, and a ``Seat`` is one waiter's place: to its branch and fan-out what an
attempt is. Each seat keeps its own due time: one that is given up leaves the others, and the last one to leave gives
up the exchange. A failure reaches those who waited and nobody else; each of them retries, or not, on its own budget.

What makes two reads identical is their ``CallKey``, of which the identity scope is part.
"""

from typing import Any, Protocol

from shared.backends.cache import CallKey
from shared.clock import Clock
from shared.errors import AttemptTimedOut, CallError, DeadlinePassed
from shared.resilience.hedge import Done
from shared.telemetry.ledger import AttemptRecord, SpanPlace


class Joinable(Protocol):
    """What a flight needs of the attempt that it shares."""

    record: AttemptRecord
    due_s: float

    @property
    def sent_as(self) -> SpanPlace:
        """Where the exchange is told."""

    def board(self, record: AttemptRecord, due_s: float, done: Done) -> "Seat":
        """Let one more wait."""

    def leave_registry(self) -> None:
        """Let nobody join any more."""

    def run_out(self, *, late: bool) -> None:
        """Give it up because time is over."""

    def drop(self) -> None:
        """Give it up because nobody waits any more."""


class Seat:
    """One waiter's place. ``done`` is called once, with a value or an error, unless it is given up before."""

    __slots__ = ("done", "due_s", "flight", "over", "record")

    def __init__(self, flight: "Flight", record: AttemptRecord, due_s: float, done: Done) -> None:
        self.flight = flight
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
            self.flight.expire(self, late=late)

    def cancel(self) -> None:
        """Give it up because nobody waits here any more."""
        if not self.over:
            self.flight.leave(self)


def nobody(value: Any, error: CallError | None) -> None:
    """Wait for nothing any more."""


class Flight:
    """All who wait for one exchange. The attempt's record is always that of somebody who still waits."""

    __slots__ = ("_attempt", "_backend", "_clock", "_seats")

    def __init__(self, attempt: Joinable, backend: str, clock: Clock) -> None:
        self._attempt = attempt
        self._backend = backend
        self._clock = clock
        self._seats: list[Seat] = []

    def __len__(self) -> int:
        return len(self._seats)

    def board(self, record: AttemptRecord, due_s: float, done: Done) -> Seat:
        """Wait with the others."""
        seat = Seat(self, record, due_s, done)
        self._seats.append(seat)
        return seat

    def landed(self, value: Any, error: CallError | None) -> None:
        """Tell everybody; what the attempt's own record says holds for all."""
        seats, self._seats = self._seats, []
        told = self._attempt.record
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
            self._attempt.leave_registry()
        if len(self._seats) == 1:
            self._attempt.run_out(late=late)
            return
        error = (DeadlinePassed if late else AttemptTimedOut)(self._backend)
        seat.record.error = error.reason
        self._part(seat)
        seat.tell(None, error)

    def leave(self, seat: Seat) -> None:
        """Let one go who does not want to know any more; the last one takes the exchange along."""
        if len(self._seats) == 1:
            seat.over = True
            self._seats.clear()
            self._attempt.drop()
        else:
            seat.record.cancelled = True
            self._part(seat)

    def _part(self, seat: Seat) -> None:
        seat.over = True
        seat.record.ended_s = self._clock.now_s()
        self._seats.remove(seat)
        if self._attempt.record is seat.record:
            self._attempt.record = self._seats[0].record


class Flights(dict[CallKey, Joinable]):
    """The exchanges that may be joined."""

    __slots__ = ()

    def find(self, key: CallKey, now_s: float, due_s: float) -> Joinable | None:
        """Return the exchange to wait for, if there is one that was given time enough.

        The backend was told the first waiter's time. With less than half of what this one has, it may well give up
        early; and what has been silent for half an attempt is as likely stuck as slow.
        """
        attempt = self.get(key)
        return attempt if attempt is not None and attempt.due_s - now_s >= (due_s - now_s) / 2 else None

    def close(self, key: CallKey, attempt: Joinable) -> None:
        """Let nobody join any more; a newer exchange under the same key stays."""
        if self.get(key) is attempt:
            del self[key]
