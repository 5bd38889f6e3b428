"""The bulkhead: how many calls to one backend may be in flight, so that one slow backend cannot take every slot.

Owns the permits. A bounded queue arrives with load shedding; until then a full bulkhead rejects at once.
"""

from dataclasses import dataclass

from shared.errors import BulkheadFull


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkheadPolicy:
    """How many calls to one backend may be in flight from one process."""

    # By Little's law 128 in flight at 50 ms each are 2,560 calls a second: above what one process can send.
    max_concurrent: int = 128


class Bulkhead:
    """The live permits of one backend."""

    __slots__ = ("_backend", "_limit", "in_flight")

    def __init__(self, backend: str, policy: BulkheadPolicy) -> None:
        self._backend = backend
        self._limit = policy.max_concurrent
        self.in_flight = 0

    def acquire(self) -> None:
        """Take a permit. Raises BulkheadFull when none is left."""
        if self.in_flight >= self._limit:
            raise BulkheadFull(self._backend, f"{self._limit} calls are in flight")
        self.in_flight += 1

    def release(self) -> None:
        """Give a permit back."""
        self.in_flight -= 1
