"""How slow is slow, said by the team that owns the route, beside its handler.

@router.get("/dashboard")
@slow_after(timedelta(milliseconds=500))
async def get_dashboard(...) -> Dashboard: ...

A request that takes longer is kept in traces, sampled or not (``telemetry/keeping.py``). A route that says nothing has
``FRONTAGE_TRACE_SLOW_AFTER``.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

LIMIT: Final = "frontage_slow_after"


def slow_after(limit: timedelta) -> Callable[[F], F]:
    """Declare when a request of this route is worth a trace for its time alone."""

    def declare(handler: F) -> F:
        setattr(handler, LIMIT, limit)
        return handler

    return declare


def slow_limit(handler: object) -> timedelta | None:
    """Return what a handler declares."""
    limit: timedelta | None = getattr(handler, LIMIT, None)
    return limit
