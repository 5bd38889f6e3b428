"""One branch's question to the store: told once, unless the branch does not want to know any more.

Owns the waiting. All branches that ask for the same wait for one future, so it is never cancelled from here.
"""

from collections.abc import Callable

from shared.backends.failures import withdraws
from shared.backends.stored import Asked
from shared.errors import CallError


def nothing() -> None:
    """Do nothing then."""


class LookUp:
    """The live part. ``take`` gets the answer first; ``then`` is called after it, whatever it was."""

    __slots__ = ("_take", "over", "then")

    def __init__(self, asked: Asked, take: Callable[[Asked], None]) -> None:
        self._take = take
        self.then: Callable[[], None] = nothing
        self.over = False
        asked.add_done_callback(self._told)

    def cancel(self) -> None:
        """Do not want to know any more."""
        self.over = True
        self.then = nothing  # no cycle is left for the collector

    def holds_back(self, error: CallError | None, again: Callable[[], None]) -> bool:
        """Wait with a failure, for which the store may know a stand-in; look no further with anything else."""
        if error is None or withdraws(error):
            self.cancel()
        self.then = nothing if self.over else again
        return not self.over

    def _told(self, asked: Asked) -> None:
        if self.over:
            return
        then = self.then
        self.cancel()
        self._take(asked)
        then()
