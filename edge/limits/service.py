"""The rate-limit service itself: one request, one judgement, one answer.

Owns the answer's content. What could not be judged is said as ``unjudged`` in the answer's metadata: what follows from
that (let pass, refuse, count locally) is the policy's choice and the edge's doing (``edge/envoy/limits.py``).
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from edge.limits import headers
from edge.limits.reading import CheckReader
from shared.grpc.calls import INVALID_ARGUMENT, GrpcError, Handler, Reply
from shared.limits import messages
from shared.limits.decide import Check, Verdict
from shared.protobuf import MalformedMessage

SHOULD_RATE_LIMIT: Final = b"/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"
HEALTH: Final = b"/grpc.health.v1.Health/Check"
SERVING: Final = b"\x08\x01"
NOT_SERVING: Final = b"\x08\x02"

# None in place of a verdict: the store could not be asked.
Verdicts = Sequence[Verdict | None]
Done = Callable[[Verdicts], None]


class Judge(Protocol):
    """Judges the checks of one request, all or none charged; calls ``done`` once, at once or later."""

    def judge(self, checks: tuple[Check, ...], done: Done) -> None:
        """Begin."""


class Counting(Protocol):
    """Is told of every check; metrics listen here."""

    def checked(self, check: Check, verdict: Verdict | None) -> None:
        """Count one."""


class LimitService:
    """``ShouldRateLimit`` over a judge."""

    def __init__(self, judge: Judge, counting: Counting) -> None:
        self._judge = judge
        self._counting = counting
        self._reader = CheckReader()

    def should_rate_limit(self, message: bytes, reply: Reply) -> None:
        """Answer a RateLimitRequest. Raises GrpcError for one that is no request of an edge of ours."""
        try:
            checks = self._reader.read(message)
        except MalformedMessage as error:
            raise GrpcError(INVALID_ARGUMENT, str(error)) from error
        self._judge.judge(checks, lambda verdicts: reply(self._answer(checks, verdicts)))

    def _answer(self, checks: tuple[Check, ...], verdicts: Verdicts) -> bytes:
        for check, verdict in zip(checks, verdicts, strict=True):
            self._counting.checked(check, verdict)
        return write_answer(checks, verdicts)


def write_answer(checks: tuple[Check, ...], verdicts: Verdicts) -> bytes:
    """Write the RateLimitResponse. A shadow limit is OK whatever it says."""
    judged = [(check, verdict) for check, verdict in zip(checks, verdicts, strict=True) if verdict is not None]
    report = headers.told((check for check, _ in judged), (verdict for _, verdict in judged))
    refused = report is not None and report.refused
    parts = [messages.write_code(messages.OVER_LIMIT if refused else messages.OK)]
    for check, verdict in zip(checks, verdicts, strict=True):
        parts.append(_status(check, verdict))
    if report is not None:
        parts.append(messages.write_header("ratelimit-policy", report.rate_limit_policy))
        parts.append(messages.write_header("ratelimit", report.rate_limit))
        if refused:
            parts.append(messages.write_header("retry-after", str(report.reset_s)))
    unjudged = [check.policy.name for check, verdict in zip(checks, verdicts, strict=True) if verdict is None]
    parts.append(messages.write_metadata("unjudged", unjudged))
    return b"".join(parts)


def _status(check: Check, verdict: Verdict | None) -> bytes:
    if verdict is None:
        return messages.write_status(messages.OK, check.policy.limit, check.policy.limit, 0)
    code = messages.OK if verdict.fits or check.policy.shadow else messages.OVER_LIMIT
    return messages.write_status(code, check.policy.limit, verdict.left, headers.reset_s(check.policy, verdict))


def handlers(service: LimitService, *, ready: Callable[[], bool]) -> dict[bytes, Handler]:
    """Return what the server serves: the limits, and gRPC's own question whether we are there."""

    def health(_: bytes, reply: Reply) -> None:
        reply(SERVING if ready() else NOT_SERVING)

    return {SHOULD_RATE_LIMIT: service.should_rate_limit, HEALTH: health}
