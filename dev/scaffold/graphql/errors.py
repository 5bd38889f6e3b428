"""What newcomer's clients may learn from a GraphQL error: a code and our own words. The cause goes to the log."""

from collections.abc import Iterable

from graphql import GraphQLError
from strawberry.types import ExecutionContext

from shared.asgi.problem import as_problem
from shared.errors import PROBLEM_KINDS, ProblemCode, ProblemError
from shared.telemetry.logs import get_logger

log = get_logger(__name__)


def said(error: GraphQLError) -> GraphQLError:
    """Return the error as it may leave newcomer."""
    problem = problem_behind(error)
    extensions = {"code": problem.code.value, "retryable": PROBLEM_KINDS[problem.code].retryable}
    return GraphQLError(problem.detail, error.nodes, path=error.path, extensions=extensions)


def log_failures(errors: Iterable[GraphQLError], _: ExecutionContext | None) -> None:
    """Log what newcomer says of itself no more than ``internal``."""
    for error in errors:
        if problem_behind(error).code is ProblemCode.INTERNAL:
            log.error("resolver_failed", path=error.path, exc_info=error.original_error or error)


def problem_behind(error: GraphQLError) -> ProblemError:
    """Return what newcomer's client is told about."""
    if error.original_error is not None:
        return as_problem(error.original_error)
    if error.path:
        return ProblemError(ProblemCode.INTERNAL)
    return ProblemError(ProblemCode.INVALID_REQUEST, error.message)  # the document's own fault, and readable
