"""One attempt of one call: request out, reply judged, permit and ticket back with the verdict, record closed.

Owns what happens between "send it" and "this is what came of it". What had to say yes before is ``branch.py``'s order.
"""

from typing import Any

from shared.backends.backend import AnyCall, BackendState
from shared.backends.channel import Exchange, Headers, OutboundRequest, Reply
from shared.backends.coalesce import nobody
from shared.backends.judging import judge
from shared.backends.recall import Recall
from shared.clock import Clock
from shared.errors import AttemptTimedOut, CallError, CallFailed, DeadlinePassed
from shared.resilience.hedge import Done
from shared.resilience.verdict import Verdict, verdict_of
from shared.telemetry.ledger import AttemptRecord


class Attempt:
    """A request under way. ``done`` is called once, with a value or an error, unless it is given up before."""

    __slots__ = (
        "_call", "_clock", "_done", "_exchange", "_recall", "_started_s", "_state", "_ticket", "due_s", "over",
        "record",
    )  # fmt: skip

    def __init__(
        self, call: AnyCall, state: BackendState, ticket: int, record: AttemptRecord, clock: Clock, done: Done,
        recall: Recall | None = None,
    ) -> None:  # fmt: skip
        self._call = call
        self._state = state
        self._ticket = ticket
        self._clock = clock
        self._done = done
        self._recall = recall
        self._started_s = record.started_s  # the record may become that of one who joined later
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
        recall = self._recall
        if recall is None:
            value, error = judge(self._call, reply, self._clock.wall_s())
        else:
            value, error = recall.judge(reply)
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

    def _close(self, verdict: Verdict, *, cancelled: bool = False) -> Done:
        """The one place where an attempt ends: record closed, ticket and permit back."""
        self.over = True
        done, self._done = self._done, nobody  # who waits holds this attempt: no cycle is left for the collector
        record = self.record
        record.cancelled = cancelled
        record.ended_s = now_s = self._clock.now_s()
        elapsed_s = now_s - self._started_s
        self._state.breaker.done(self._ticket, verdict, elapsed_s)
        self._state.bulkhead.release(verdict, elapsed_s)
        return done

    def _finish(self, value: Any, error: CallError | None) -> None:
        if error is not None:
            self.record.error, self.record.detail = error.reason, error.detail
        self._close(Verdict.SUCCESS if error is None else verdict_of(error))(value, error)
