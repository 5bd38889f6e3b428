"""The seam between the store and the wire: what a line to it does. ``redis_lines.py`` has the real ones."""

from collections.abc import Sequence
from typing import Any, Protocol

from shared.store.command import Word
from shared.store.errors import StoreRefused


class NoScript(StoreRefused):
    """The store does not know this script (any more); nothing has run."""


class Line(Protocol):
    """One way to the store, used by one batch at a time."""

    async def connect(self) -> None:
        """Be ready to send. Raises StoreError."""

    async def exchange(self, batch: Sequence[tuple[Word, ...]]) -> Sequence[Any]:
        """Return a reply, or a StoreError, for each command. Raises StoreError when there is none for any."""

    async def aclose(self) -> None:
        """Close it."""


class Lines(Protocol):
    """All ways to one store."""

    most_at_once: int

    def line(self) -> Line:
        """Make one more; no connection is made yet."""

    async def aclose(self) -> None:
        """Close what the lines share."""
