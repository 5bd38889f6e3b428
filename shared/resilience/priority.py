"""How much a request matters when not all can be served: the least important goes first.

Owns the three ranks, their wire form (``x-priority``) and what share of a backend's permits each may use.
"""

from enum import IntEnum
from typing import Final

HEADER: Final = "x-priority"


class Priority(IntEnum):
    """A person waits; a screen that is already shown renews itself; something may be needed later."""

    USER = 0
    REFRESH = 1
    PREFETCH = 2


# Who may use up to what share of the permits. What is kept back is room for people: a tenth takes a burst of theirs
# while refreshes fill the rest; a quarter keeps a whole app's prefetches (and every hedge) out of their way.
SHARES: Final = {Priority.USER: 1.0, Priority.REFRESH: 0.9, Priority.PREFETCH: 0.75}

_NAMES: Final = {one.name.lower(): one for one in Priority}


def priority_from_header(value: str | None) -> Priority:
    """Read ``x-priority``. Unknown is a person: whoever does not know the word must not be shed for it."""
    return _NAMES.get(value.strip().lower(), Priority.USER) if value else Priority.USER


def ceilings(limit: int) -> tuple[int, ...]:
    """Return how many permits of ``limit`` each priority may use: at least one, if there is any."""
    return tuple(min(limit, max(1, int(limit * SHARES[one]))) for one in Priority)
