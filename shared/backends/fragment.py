"""What a BFF's own ``edge.yaml`` says about time and retries, as far as ``explain`` must know it.

Owns reading these two words out of the text. The file's grammar and all its other rules are ``edge/``'s, which no BFF
may import and which refuses the rest.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

MS: Final = timedelta(milliseconds=1)
# The edge keeps 100 ms of a route's timeout for itself; a BFF grants no more than 3 s (``shared/asgi/defaults.py``).
EDGE_RESERVE: Final = 100 * MS
EDGE_CEILING: Final = timedelta(seconds=3) + EDGE_RESERVE
TIMEOUT: Final = re.compile(r"\btimeout\s*:\s*([^,}#]*)")
# A plain amount, quoted or not, or the default of a variable (``edge/units.py`` has the whole grammar).
AMOUNT: Final = re.compile(r"""["']?(?:\$\{\w+:?-)?(\d+(?:\.\d+)?)(ms|[smhd])\b""")
UNITS: Final = {"ms": MS, "s": 1000 * MS, "m": 60_000 * MS, "h": timedelta(hours=1), "d": timedelta(days=1)}
RETRY: Final = re.compile(r"\b(\w*retr\w*)\s*:", re.IGNORECASE)


def deadline_of(fragment: str) -> timedelta:
    """Return what the shortest route of an ``edge.yaml`` leaves of its timeout (life of a request, step 3)."""
    found = [time for _, _, time in _timeouts(fragment) if time is not None]
    return min([*found, EDGE_CEILING]) - EDGE_RESERVE


def unreadable_timeouts(fragment: str) -> Iterator[str]:
    """Find timeouts that cannot be judged here; passing them over would judge against a longer one."""
    for number, said, time in _timeouts(fragment):
        if time is None:
            yield f"edge.yaml:{number}: timeout {said!r} cannot be read; write an amount such as 3s or 1500ms"


def _timeouts(fragment: str) -> Iterator[tuple[int, str, timedelta | None]]:
    for number, line in enumerate(fragment.splitlines(), 1):
        for said in TIMEOUT.findall(line.partition("#")[0]):
            amount = AMOUNT.match(said)
            yield number, said.strip(), float(amount[1]) * UNITS[amount[2]] if amount else None


def retries_elsewhere(fragment: str) -> Iterator[str]:
    """Find what asks the edge to retry as well: two layers of two attempts are four calls in an outage."""
    for number, line in enumerate(fragment.splitlines(), 1):
        if found := RETRY.search(line.partition("#")[0]):
            yield f"edge.yaml:{number}: {found[1]!r}: only the fan-out retries; remove it"
