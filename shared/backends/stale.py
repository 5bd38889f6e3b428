"""The last good value of a section, so that an older one can stand in when its backend is gone.

Owns the memory and its bound. The identity scope is part of every key: one user's value can never answer another.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, NamedTuple

from shared.clock import Clock

# At about 2 KiB a value: 20 MiB. The value that was used longest ago goes first.
MAX_VALUES: Final = 10_000


class StaleKey(NamedTuple):
    """Whose value of which call: identity scope, backend, request target, and as what the answer was read.

    Two calls may read one target as two types; ``decode`` keeps the one's value out of the other's section.
    """

    scope: str
    backend: str
    target: str
    decode: Callable[[bytes], Any]


class StaleStore:
    """A bounded memory of values that must not change after they are put in."""

    def __init__(self, clock: Clock, max_values: int = MAX_VALUES) -> None:
        self._clock = clock
        self._max = max_values
        self._values: OrderedDict[StaleKey, tuple[float, Any]] = OrderedDict()

    def put(self, key: StaleKey, value: Any) -> None:
        """Remember a fresh value."""
        self._values[key] = (self._clock.now_s(), value)
        self._values.move_to_end(key)
        if len(self._values) > self._max:
            self._values.popitem(last=False)

    def get(self, key: StaleKey, max_age: timedelta) -> tuple[timedelta, Any] | None:
        """Return age and value, unless there is none that young."""
        found = self._values.get(key)
        if found is None:
            return None
        age = timedelta(seconds=self._clock.now_s() - found[0])
        return (age, found[1]) if age <= max_age else None
