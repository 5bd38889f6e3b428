"""What the end of an attempt says about its backend."""

import pytest

from shared.errors import (
    AttemptTimedOut,
    BackendFaulted,
    BackendInvalid,
    BackendRefused,
    BackendUnreachable,
    BreakerOpen,
    BulkheadFull,
    CallError,
    DeadlinePassed,
    DeadlineSpent,
)
from shared.resilience.verdict import Verdict, verdict_of

SUCCESS, FAILURE, OVERLOAD, IGNORED = Verdict


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 412, 415, 422, 425, 451, 499])
def test_case_s6_a_client_error_says_nothing(status: int) -> None:
    """The backend is well: it answered, and the request was wrong."""
    assert verdict_of(BackendRefused("x", status)) is IGNORED


@pytest.mark.parametrize(("status", "verdict"), [(408, FAILURE), (429, OVERLOAD)])
def test_case_s6_two_client_errors_are_the_backends_trouble(status: int, verdict: Verdict) -> None:
    """Documented: 408 is about the connection, 429 about its load."""
    assert verdict_of(BackendRefused("x", status)) is verdict


@pytest.mark.parametrize(
    ("status", "verdict"), [(500, FAILURE), (501, FAILURE), (502, FAILURE), (503, OVERLOAD), (504, FAILURE)]
)
def test_a_server_error_is_a_failure(status: int, verdict: Verdict) -> None:
    """503 also says "too much"."""
    assert verdict_of(BackendFaulted("x", status)) is verdict


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (AttemptTimedOut("x"), OVERLOAD),
        (BackendUnreachable("x"), FAILURE),
        (BackendUnreachable("x", sent=False), FAILURE),
        (BackendInvalid("x"), IGNORED),
        (DeadlinePassed("x"), IGNORED),
        (DeadlineSpent("x"), IGNORED),
        (BulkheadFull("x"), IGNORED),
        (BreakerOpen("x"), IGNORED),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, CallError) else one.name,
)
def test_what_the_backend_could_not_help_is_ignored(error: CallError, verdict: Verdict) -> None:
    """A caller who sets the deadline to a millisecond must not close a backend to everyone."""
    assert verdict_of(error) is verdict
