"""What clients may learn from a GraphQL error, and what only the log learns.

An error without a path is the document's own fault and stays readable. With a path it came out of a resolver: a
problem that we declared is said as such, anything else (a bug, a library's text, a value that does not fit its type)
becomes ``internal`` with a fixed text (field case W2).
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from graphql import GraphQLError

from shared.asgi.context import KEY, RequestContext
from shared.asgi.problem import as_problem, problem_of
from shared.errors import ProblemCode, ProblemError
from shared.telemetry.ledger import Ledger
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

SHOWN: Final = ("code", "retryable", "retryAfterSeconds", "traceId", "section")


def problem_behind(error: GraphQLError) -> ProblemError:
    """Return the problem that a client is told about."""
    cause = error.original_error
    if isinstance(cause, RecursionError):  # Python's own limit, met by whatever walks the document
        return ProblemError(ProblemCode.INVALID_REQUEST, "The document is nested too deeply.")
    if cause is not None and not isinstance(cause, GraphQLError):
        return as_problem(cause)
    return (
        ProblemError(ProblemCode.INTERNAL) if error.path else ProblemError(ProblemCode.INVALID_REQUEST, error.message)
    )


def log_failures(errors: Iterable[GraphQLError]) -> None:
    """Log the causes that clients are not told."""
    for error in errors:
        if problem_behind(error).code is ProblemCode.INTERNAL:
            log.error("resolver_failed", path=error.path, exc_info=error.original_error or error)


def note_errors(errors: Sequence[GraphQLError], ledger: Ledger) -> None:
    """Let metrics and traces see what the status, 200, does not say."""
    ledger.errors = tuple(problem_behind(error).code for error in errors)
    if ProblemCode.INTERNAL in ledger.errors:
        bug = errors[ledger.errors.index(ProblemCode.INTERNAL)]
        ledger.exception = type(bug.original_error or bug).__name__


def error_body(error: GraphQLError, context: RequestContext) -> dict[str, Any]:
    """Say an error as GraphQL does; ``extensions`` is the part of a problem that HTTP does not say."""
    problem = problem_behind(error)
    said = problem_of(problem, {"path": "", KEY: context}).model_dump(mode="json", by_alias=True, exclude_none=True)
    body: dict[str, Any] = {"message": problem.detail}
    if error.locations:
        body["locations"] = [{"line": one.line, "column": one.column} for one in error.locations]
    if error.path:
        body["path"] = error.path
    return {**body, "extensions": {name: said[name] for name in SHOWN if name in said}}
