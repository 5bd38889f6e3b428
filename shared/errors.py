"""What can go wrong, and how it is said.

Owns the error tree and the closed lists of reasons and of problem codes (RFC 9457). Which library exception becomes
which error is ``backends/failures.py``'s business; how a problem is written to a socket, ``asgi/problem.py``'s.

BffError
├── CallRejected            we never sent it
│   ├── DeadlineSpent       no time was left
│   ├── BulkheadFull        too many calls to this backend are in flight
│   ├── BreakerOpen         this backend failed too often just now
│   └── AnswerTooWide       the request has as many branches as it may have
├── CallFailed              we sent it, or tried to
│   ├── AttemptTimedOut     transient: one attempt took too long
│   ├── DeadlinePassed      the whole request ran out of time
│   ├── BackendUnreachable  transient: no connection, or it broke
│   ├── BackendFaulted      5xx: transient for 502, 503, 504
│   ├── BackendRefused      4xx: ours to fix, never retried (but 408, 425, 429)
│   └── BackendInvalid      the payload does not fit
└── ProblemError            an answer for the client, by its code
    ├── SectionUnavailable  a required section is missing
    └── WriteUnfinished     not all steps of a write are done (``idempotency/steps.py``)
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final, NamedTuple


class Reason(StrEnum):
    """Why a section was not served fresh. A closed list: part of both public contracts."""

    TIMEOUT = "timeout"
    DEADLINE = "deadline"
    UNREACHABLE = "unreachable"
    FAULTED = "faulted"
    REFUSED = "refused"
    INVALID = "invalid"
    REJECTED = "rejected"


class Source(StrEnum):
    """What stands in for a section: an older value, its declared default, or nothing (the section is null)."""

    DEFAULT = "default"
    STALE = "stale"
    NONE = "none"


class ProblemCode(StrEnum):
    """The stable ``code`` of a problem. A closed list: docs, OpenAPI, SDL and the edge compiler read it from here."""

    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ACCEPTABLE = "not_acceptable"
    CONFLICT = "conflict"
    PRECONDITION_FAILED = "precondition_failed"
    PRECONDITION_REQUIRED = "precondition_required"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    INVALID_REQUEST = "invalid_request"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    RATE_LIMITED = "rate_limited"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    BACKEND_UNREACHABLE = "backend_unreachable"
    BACKEND_FAULTED = "backend_faulted"
    BACKEND_INVALID = "backend_invalid"
    BACKEND_REFUSED = "backend_refused"
    OVERLOADED = "overloaded"
    LIMITER_UNAVAILABLE = "limiter_unavailable"
    UPGRADE_REQUIRED = "upgrade_required"
    INTERNAL = "internal"


class ProblemKind(NamedTuple):
    """What a code always means: HTTP status, title, and whether the same request may be sent again."""

    status: int
    title: str
    retryable: bool


PROBLEM_KINDS: Final[dict[ProblemCode, ProblemKind]] = {
    ProblemCode.UNAUTHENTICATED: ProblemKind(401, "Sign in first", retryable=False),
    ProblemCode.FORBIDDEN: ProblemKind(403, "Not allowed", retryable=False),
    ProblemCode.NOT_FOUND: ProblemKind(404, "Not found", retryable=False),
    ProblemCode.METHOD_NOT_ALLOWED: ProblemKind(405, "Method not allowed", retryable=False),
    ProblemCode.NOT_ACCEPTABLE: ProblemKind(406, "Not acceptable", retryable=False),
    ProblemCode.CONFLICT: ProblemKind(409, "Conflict", retryable=False),
    ProblemCode.PRECONDITION_FAILED: ProblemKind(412, "Precondition failed", retryable=False),
    ProblemCode.PRECONDITION_REQUIRED: ProblemKind(428, "Precondition required", retryable=False),
    ProblemCode.IDEMPOTENCY_KEY_REUSED: ProblemKind(422, "Idempotency key reused", retryable=False),
    ProblemCode.INVALID_REQUEST: ProblemKind(400, "Invalid request", retryable=False),
    ProblemCode.PAYLOAD_TOO_LARGE: ProblemKind(413, "Payload too large", retryable=False),
    ProblemCode.UNSUPPORTED_MEDIA_TYPE: ProblemKind(415, "Unsupported media type", retryable=False),
    ProblemCode.RATE_LIMITED: ProblemKind(429, "Too many requests", retryable=True),
    ProblemCode.DEADLINE_EXCEEDED: ProblemKind(504, "Deadline exceeded", retryable=True),
    ProblemCode.BACKEND_UNREACHABLE: ProblemKind(503, "Backend unreachable", retryable=True),
    ProblemCode.BACKEND_FAULTED: ProblemKind(502, "Backend faulted", retryable=True),
    ProblemCode.BACKEND_INVALID: ProblemKind(502, "Backend answer invalid", retryable=False),
    ProblemCode.BACKEND_REFUSED: ProblemKind(502, "Backend refused", retryable=False),
    ProblemCode.OVERLOADED: ProblemKind(503, "Overloaded", retryable=True),
    ProblemCode.LIMITER_UNAVAILABLE: ProblemKind(503, "Limiter unavailable", retryable=True),
    ProblemCode.UPGRADE_REQUIRED: ProblemKind(426, "Upgrade required", retryable=False),
    ProblemCode.INTERNAL: ProblemKind(500, "Internal error", retryable=False),
}

# A required section's reason decides the answer (architecture §4): timeouts 504, ours to shed 503, theirs 502.
PROBLEM_OF_REASON: Final[dict[Reason, ProblemCode]] = {
    Reason.TIMEOUT: ProblemCode.DEADLINE_EXCEEDED,
    Reason.DEADLINE: ProblemCode.DEADLINE_EXCEEDED,
    Reason.UNREACHABLE: ProblemCode.BACKEND_UNREACHABLE,
    Reason.FAULTED: ProblemCode.BACKEND_FAULTED,
    Reason.REFUSED: ProblemCode.BACKEND_REFUSED,
    Reason.INVALID: ProblemCode.BACKEND_INVALID,
    Reason.REJECTED: ProblemCode.OVERLOADED,
}


class BffError(Exception):
    """Root of the tree above."""


class CallError(BffError):
    """A call gave no value. Says which backend, why (``reason``), and if another attempt may help (``transient``)."""

    reason: Reason
    transient: bool = False

    def __init__(self, backend: str, detail: str = "", *, retry_after: timedelta | None = None) -> None:
        super().__init__(backend, detail)
        self.backend = backend
        self.detail = detail
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.backend}: {self.detail or self.reason}"


class CallRejected(CallError):
    """We never sent it."""

    reason = Reason.REJECTED


class DeadlineSpent(CallRejected):
    """No time was left to start an attempt."""

    reason = Reason.DEADLINE


class BulkheadFull(CallRejected):
    """As many calls to this backend are in flight as its bulkhead permits."""


class BreakerOpen(CallRejected):
    """This backend failed too often just now; ``retry_after`` is the rest of the open time."""


class AnswerTooWide(CallRejected):
    """The request has as many branches as one answer may have: asking again gives the same."""


class CallFailed(CallError):
    """We sent it, or tried to, and it went wrong."""


class AttemptTimedOut(CallFailed):
    """One attempt took longer than its timeout."""

    reason = Reason.TIMEOUT
    transient = True


class DeadlinePassed(CallFailed):
    """The deadline of the whole request passed while the call was under way."""

    reason = Reason.DEADLINE


class BackendUnreachable(CallFailed):
    """No connection could be made, or it broke before the answer was whole.

    ``sent`` is False when provably no byte of the request left us: then even a non-idempotent call may be retried.
    """

    reason = Reason.UNREACHABLE
    transient = True

    def __init__(self, backend: str, detail: str = "", *, sent: bool = True) -> None:
        super().__init__(backend, detail)
        self.sent = sent


class BackendFaulted(CallFailed):
    """The backend answered 5xx."""

    reason = Reason.FAULTED

    def __init__(self, backend: str, status: int, *, retry_after: timedelta | None = None) -> None:
        super().__init__(backend, f"answered {status}", retry_after=retry_after)
        self.status = status
        self.transient = status in {502, 503, 504}


class BackendRefused(CallFailed):
    """The backend answered 4xx: ours to fix. 408, 425 and 429 say themselves that a later attempt may help."""

    reason = Reason.REFUSED

    def __init__(self, backend: str, status: int, *, retry_after: timedelta | None = None) -> None:
        super().__init__(backend, f"answered {status}", retry_after=retry_after)
        self.status = status
        self.transient = status in {408, 425, 429}


class BackendInvalid(CallFailed):
    """The backend's answer does not fit: no JSON, the wrong shape, too large, a redirect."""

    reason = Reason.INVALID


class ProblemError(BffError):
    """An answer for the client. ``detail`` is shown to it: never a host name, a payload or another user's data."""

    def __init__(self, code: ProblemCode, detail: str = "", *, retry_after: timedelta | None = None,
                 section: str | None = None, headers: dict[str, str] | None = None) -> None:  # fmt: skip
        super().__init__(code, detail)
        self.code = code
        self.headers = headers
        self.detail = detail or PROBLEM_KINDS[code].title
        self.retry_after = retry_after
        self.section = section

    @property
    def status(self) -> int:
        """HTTP status of the answer."""
        return PROBLEM_KINDS[self.code].status


class SectionUnavailable(ProblemError):
    """A required section is missing: the whole answer fails with the status of its reason."""

    def __init__(self, section: str, cause: CallError) -> None:
        super().__init__(
            PROBLEM_OF_REASON[cause.reason], f"The required section {section!r} could not be served ({cause.reason}).",
            retry_after=cause.retry_after, section=section,
        )  # fmt: skip
        self.reason = cause.reason
