"""How each reason comes about, and screens of one or two sections that meet it."""

from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from shared.backends.backend import Backend
from shared.backends.sections import Sections
from shared.errors import (
    BackendUnreachable,
    ProblemCode,
    Reason,
)
from shared.resilience.bulkhead import BulkheadPolicy
from shared.resilience.retry import RetryPolicy
from shared.testing.scripted import Step, broken, hang, reply, status
from tests.shared.backends.screen import Item, backend

ONCE = RetryPolicy(max_attempts=1)
STALE_FOR = timedelta(minutes=5)
OLD, DEFAULT = Item(id=1), Item(id=0)


class Trouble(NamedTuple):
    """How a reason comes about: what the backend does, and the policy that makes it that reason."""

    step: Step
    policy: dict[str, Any]


TROUBLE: dict[Reason, Trouble] = {
    Reason.TIMEOUT: Trouble(hang(), {"attempt_timeout": timedelta(seconds=1)}),
    Reason.DEADLINE: Trouble(hang(), {"attempt_timeout": timedelta(seconds=60)}),
    Reason.UNREACHABLE: Trouble(broken(BackendUnreachable("items", "reset")), {}),
    Reason.FAULTED: Trouble(status(500), {}),
    Reason.REFUSED: Trouble(status(403), {}),
    Reason.INVALID: Trouble(reply(b"<html>"), {}),
    Reason.REJECTED: Trouble(reply({"id": 9}), {"bulkhead": BulkheadPolicy(max_concurrent=0)}),
}

# Architecture §4: timeouts 504, ours to shed 503 with Retry-After, theirs 502.
STATUS = {
    Reason.TIMEOUT: (504, ProblemCode.DEADLINE_EXCEEDED),
    Reason.DEADLINE: (504, ProblemCode.DEADLINE_EXCEEDED),
    Reason.UNREACHABLE: (503, ProblemCode.BACKEND_UNREACHABLE),
    Reason.REJECTED: (503, ProblemCode.OVERLOADED),
    Reason.FAULTED: (502, ProblemCode.BACKEND_FAULTED),
    Reason.INVALID: (502, ProblemCode.BACKEND_INVALID),
    Reason.REFUSED: (502, ProblemCode.BACKEND_REFUSED),
}
# What lasts longer than a client waits: it is not told to come back.
LASTING = {Reason.REFUSED, Reason.INVALID}

every_reason = pytest.mark.parametrize("reason", list(Reason))


A, B = backend("a", retry=ONCE), backend("b", retry=ONCE)


def screen_of(first: Any, second: Any) -> type[Sections]:
    class Screen(Sections):
        one = first
        two = second

    return Screen


def call_of(owner: Backend) -> Any:
    return owner.get("/x", into=Item)
