"""What one request carries with it, in one slotted object at ``scope["frontage"]``.

Opened by ``observe``, given its deadline and its priority by ``deadline``, its budget with its first fan-out; read by
routes and by every fan-out of the request.
"""

from starlette.types import Scope

from shared.resilience.budget import RequestBudget
from shared.resilience.deadline import Deadline
from shared.resilience.priority import Priority
from shared.telemetry.ledger import Ledger

KEY = "frontage"
# Headers that stand once, by name: laid out when the first one is asked for.
HEADERS_KEY = "frontage.headers"


class RequestContext:
    """The ledger, the deadline, the priority and the budget of one request."""

    __slots__ = ("budget", "deadline", "ledger", "priority")

    def __init__(self, ledger: Ledger, deadline: Deadline) -> None:
        self.ledger = ledger
        self.deadline = deadline
        self.priority = Priority.USER
        self.budget: RequestBudget | None = None


def context_of(scope: Scope) -> RequestContext:
    """Return the request's context; ``install_defaults`` puts it there for every HTTP request."""
    context: RequestContext = scope[KEY]
    return context


def header(scope: Scope, name: bytes) -> str | None:
    """Return a header's value when it stands exactly once in the request; two of a kind are as good as none."""
    fields: list[tuple[bytes, bytes]] = scope["headers"]
    once = scope.get(HEADERS_KEY)
    if once is None:
        once = scope[HEADERS_KEY] = dict(fields)
        if len(once) != len(fields):
            names = [key for key, _ in fields]
            once = scope[HEADERS_KEY] = {key: value for key, value in fields if names.count(key) == 1}
    value: bytes | None = once.get(name)
    return None if value is None else value.decode("latin-1")
