"""The mobile BFF without breaker, bulkhead and retry budget: what they cost while nothing fails. Never a service."""

import sys
from typing import Any

from bffs.mobile.__main__ import main
from shared.resilience.breaker import Breaker
from shared.resilience.budget import RetryBudget
from shared.resilience.bulkhead import Bulkhead


def nothing(*_: Any) -> None:
    """Judge nothing."""


def ticket(_: Breaker) -> int:
    """Admit everybody."""
    return 0


def permit(*_: Any) -> bool:
    """Have room for everybody."""
    return True


Breaker.admit, Breaker.done = ticket, nothing
Bulkhead.acquire, Bulkhead.release = permit, nothing
RetryBudget.record_call = nothing

if __name__ == "__main__":
    sys.exit(main([]))
