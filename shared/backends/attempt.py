"""One attempt of one call: request out, reply judged, permit and ticket back with the verdict, record closed.

Owns what happens between "send it" and "this is what came of it". What had to say yes before is ``branch.py``'s order.
"""

from typing import Any, Final

from pydantic import ValidationError

from shared.backends.backend import AnyCall, BackendState
from shared.backends.channel import Exchange, Headers, OutboundRequest, Reply
from shared.backends.failures import failure_of_status
from shared.clock import Clock
from shared.errors import AttemptTimedOut, BackendInvalid, CallError, CallFailed, DeadlinePassed
from shared.resilience.hedge import Done
from shared.resilience.verdict import Verdict, verdict_of
from shared.telemetry.ledger import AttemptRecord

NO_CONTENT: Final = 204


class NoContent:
    """What a 204 gives: not a value, and not a failure."""


NOTHING: Final = NoContent()


class Attempt:
    """A request under way. ``done`` is called once, with a value or an error, unless it is given up before."""

    __slots__ = ("_call", "_clock", "_done", "_exchange", "_state", "_ticket", "due_s", "over", "record")

    def __init__(
        self, call: AnyCall, state: BackendState, ticket: int, record: AttemptRecord, clock: Clock, done: Done
    ) -> None:
        self._call = call
        self._state = state
        self._ticket = ticket
        self._clock = clock
        self._done = done
        self._exchange: Exchange | None = None
        self.record = record
        self.due_s = 0.0
        self.over = False

    def start(self, target: str, headers: Headers, due_s: float) -> None:
        """Send. Permit and ticket are taken already, and are given back whatever happens."""
        self.due_s = due_s
        call = self._call
        try:
            request = OutboundRequest(
                call.method, target, headers, b"", call.idempotent, call.backend.policy.max_body_bytes
            )
            self._exchange = self._state.channel.send(request, self)
        except BaseException:
            self._close(Verdict.IGNORED, cancelled=True)
            raise

    def replied(self, reply: Reply) -> None:
        """Judge the reply: its status, then whether its payload fits."""
        if self.over:
            return
        self.record.status = reply.status
        backend = self._call.backend.name
        error: CallError | None = failure_of_status(backend, reply, self._clock.wall_s())
        value: Any = None
        if error is None and reply.status == NO_CONTENT:
            value = NOTHING
        elif error is None:
            try:
                value = self._call.decode(reply.body)
            except ValidationError as misfit:  # its text quotes the payload, so only the count travels on
                error = BackendInvalid(backend, f"payload does not fit in {misfit.error_count()} places")
            except Exception as broken:  # noqa: BLE001 - a decoder's own bug must not keep a permit and a caller waiting
                error = BackendInvalid(backend, f"the decoder raised {type(broken).__name__}")
        self._finish(value, error)

    def broke(self, error: CallFailed) -> None:
        """Take the transport's failure."""
        if not self.over:
            self._finish(None, error)

    def expire(self, *, late: bool) -> None:
        """Give it up because its own time, or (``late``) the time of the whole, is over; and say which."""
        if not self.over:
            self._abort()
            self._finish(None, (DeadlinePassed if late else AttemptTimedOut)(self._call.backend.name))

    def cancel(self) -> None:
        """Give it up because nobody waits any more: neither success nor failure of the backend."""
        if self.over:
            return
        self._abort()
        self._close(Verdict.IGNORED, cancelled=True)

    def _abort(self) -> None:
        if self._exchange is not None:
            self._exchange.abort()

    def _close(self, verdict: Verdict, *, cancelled: bool = False) -> None:
        """The one place where an attempt ends: record closed, ticket and permit back."""
        self.over = True
        record = self.record
        record.ended_s = self._clock.now_s()
        record.cancelled = cancelled
        elapsed_s = record.ended_s - record.started_s
        self._state.breaker.done(self._ticket, verdict, elapsed_s)
        self._state.bulkhead.release(verdict, elapsed_s)

    def _finish(self, value: Any, error: CallError | None) -> None:
        self.record.error = error.reason if error is not None else None
        self._close(Verdict.SUCCESS if error is None else verdict_of(error))
        self._done(value, error)
