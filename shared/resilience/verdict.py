"""What the end of an attempt says about its backend: the one judgement that breaker, limit and hedge share.

Owns the classification. Most specific first: the first row that fits wins.

What the backend could not help is ignored: a 4xx (field case S6), a payload that does not fit (it answered, and in
time: a bug to be seen, not load to be shed), the deadline of the whole (a caller may set it to a millisecond, and must
not close a backend to everyone by that), our own rejection, a cancellation.
"""

from enum import Enum
from typing import Final

from shared.errors import AttemptTimedOut, BackendFaulted, BackendRefused, BackendUnreachable, CallError


class Verdict(Enum):
    """Success, failure, failure that also says "too much", or nothing at all."""

    SUCCESS = "success"
    FAILURE = "failure"
    OVERLOAD = "overload"
    IGNORED = "ignored"


# By status: what a backend, or a proxy before it, says when it has no room (RFC 9110 §15.6.4, RFC 6585 §4).
OVERLOADED: Final = frozenset({429, 503})
# 408 is not about the request but about the connection: it came too slowly, or an idle one was closed.
REQUEST_TIMEOUT: Final = 408

FAILED: Final[tuple[tuple[type[CallError], Verdict], ...]] = (
    (AttemptTimedOut, Verdict.OVERLOAD),
    (BackendUnreachable, Verdict.FAILURE),
    (BackendFaulted, Verdict.FAILURE),
)


def verdict_of(error: CallError) -> Verdict:
    """Say what a failed attempt means."""
    if isinstance(error, BackendFaulted | BackendRefused) and error.status in OVERLOADED:
        return Verdict.OVERLOAD
    if isinstance(error, BackendRefused) and error.status == REQUEST_TIMEOUT:
        return Verdict.FAILURE
    return next((verdict for kind, verdict in FAILED if isinstance(error, kind)), Verdict.IGNORED)
