"""What a branch and its fan-out know of each other: the whole that it belongs to, and the outcome that it reports."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from shared.backends.attempt import Attempt
from shared.backends.backend import Backends
from shared.backends.cache import CallKey
from shared.backends.coalesce import Seat
from shared.backends.content import Content
from shared.backends.outbound import Outbound
from shared.backends.sections import Section
from shared.clock import Clock
from shared.errors import CallError
from shared.resilience.budget import RequestBudget
from shared.resilience.deadline import Deadline
from shared.resilience.priority import Priority
from shared.telemetry.ledger import Ledger

if TYPE_CHECKING:
    from shared.backends.branch import Branch


class Outcome(NamedTuple):
    """What came of a branch: a value, or the error that ended it."""

    value: Any
    error: CallError | None


class Whole(Protocol):
    """What a branch needs of the fan-out that it belongs to."""

    backends: Backends
    clock: Clock
    deadline: Deadline
    scope: str
    authorization: str | None
    ledger: Ledger
    outbound: Outbound
    priority: Priority
    budget: RequestBudget
    renewing: bool
    contents: Mapping[str, Content]

    def watch(self, attempt: Attempt | Seat) -> None:
        """End this attempt when it is due."""

    def renew(self, section: Section[Any], key: CallKey, parameters: Mapping[str, str]) -> None:
        """Fetch what is remembered anew, behind the answer's back."""

    def settled(self, branch: "Branch") -> None:
        """Learn that this branch has its outcome."""
