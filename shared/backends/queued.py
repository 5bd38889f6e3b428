"""A call that waits for a permit: a place in the queue, and then the attempt that it was for.

Owns the way from the one to the other. Whether there is a place, and whose turn it is, is ``resilience/bulkhead.py``'s.
"""

from collections.abc import Callable

from shared.backends.backend import BackendState
from shared.backends.failures import failure_of_bug
from shared.errors import CallRejected
from shared.resilience.deadline import Deadline
from shared.resilience.hedge import Done, Running
from shared.resilience.priority import Priority
from shared.resilience.verdict import Verdict


class Queued:
    """Holds the breaker's ticket while it waits, and gives it back if nothing is sent."""

    __slots__ = ("_attempt", "_done", "_name", "_over", "_send", "_state", "_ticket", "_waiter")

    def __init__(
        self, name: str, state: BackendState, ticket: int, priority: Priority, deadline: Deadline,
        send: Callable[[], Running], done: Done,
    ) -> None:  # fmt: skip
        self._name = name
        self._state = state
        self._ticket = ticket
        self._send = send
        self._done = done
        self._attempt: Running | None = None
        self._over = False
        try:
            self._waiter = state.bulkhead.wait(priority, deadline, self._granted, self._refused)
        except CallRejected:
            self._leave()
            raise

    def _granted(self) -> None:
        self._over = True
        try:
            self._attempt = self._send()
        except Exception as bug:  # noqa: BLE001 - a channel's own must not reach whoever gave its permit back
            self._done(None, failure_of_bug(self._name, bug))

    def _refused(self, error: CallRejected) -> None:
        self._leave()
        self._done(None, error)

    def _leave(self) -> None:
        self._over = True
        self._state.breaker.done(self._ticket, Verdict.IGNORED, 0.0)

    def cancel(self) -> None:
        """Leave the queue, or give the attempt up."""
        if self._attempt is not None:
            self._attempt.cancel()
        elif not self._over:
            self._leave()
            self._waiter.leave()
