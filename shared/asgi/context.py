"""What one request carries with it, in one slotted object at ``scope["frontage"]``.

Opened by ``observe``, given its deadline by ``deadline``, read by routes and by the fan-out.
"""

from starlette.types import Scope

from shared.resilience.deadline import Deadline
from shared.telemetry.ledger import Ledger

KEY = "frontage"


class RequestContext:
    """The ledger and the deadline of one request."""

    __slots__ = ("deadline", "ledger")

    def __init__(self, ledger: Ledger, deadline: Deadline) -> None:
        self.ledger = ledger
        self.deadline = deadline


def context_of(scope: Scope) -> RequestContext:
    """Return the request's context; ``install_defaults`` puts it there for every HTTP request."""
    context: RequestContext = scope[KEY]
    return context


def header(scope: Scope, name: bytes) -> str | None:
    """Return a header's value when it stands exactly once in the request; two of a kind are as good as none."""
    values = [value for key, value in scope["headers"] if key == name]
    return values[0].decode("latin-1") if len(values) == 1 else None
