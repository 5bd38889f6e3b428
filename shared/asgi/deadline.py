"""Opens the request's deadline: what the edge left of it, never more than our own ceiling (step 4 of a request).

Owns how a request says what it is worth: how long (``x-deadline-ms``), and how much when not all can be served
(``x-priority``). A caller can only ever ask for less with either.
"""

from datetime import timedelta
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.asgi.context import RequestContext, context_of
from shared.clock import Clock
from shared.resilience.deadline import HEADER, Deadline, budget_from_header
from shared.resilience.priority import HEADER as PRIORITY_HEADER
from shared.resilience.priority import priority_from_header

NAME: Final = HEADER.encode()
PRIORITY: Final = PRIORITY_HEADER.encode()


def open_deadline(context: RequestContext, ceiling: timedelta, now_s: float) -> None:
    """Give the request's context its deadline, and its priority."""
    left, rank = context.fields.get(NAME), context.fields.get(PRIORITY)
    budget = ceiling if left is None else budget_from_header(left.decode("latin-1"), ceiling)
    budget_s = budget.total_seconds()
    context.deadline = Deadline(now_s + budget_s)
    context.ledger.deadline_ms = int(budget_s * 1000)
    if rank is not None:
        context.priority = priority_from_header(rank.decode("latin-1"))


class DeadlineMiddleware:
    """Reads ``x-deadline-ms`` and ``x-priority`` into the request's context."""

    def __init__(self, app: ASGIApp, ceiling: timedelta, clock: Clock) -> None:
        self._app = app
        self._ceiling = ceiling
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open the deadline and pass the request on."""
        if scope["type"] == "http":
            open_deadline(context_of(scope), self._ceiling, self._clock.now_s())
        await self._app(scope, receive, send)
