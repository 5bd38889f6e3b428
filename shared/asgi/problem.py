"""Problems on the wire: RFC 9457 ``application/problem+json``, the same body from every service.

Owns the body's shape and the mapping from framework exceptions. The codes are in ``errors.py``; what Envoy answers by
itself has the same shape, compiled from the same table.
"""

import math
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.asgi.context import context_of
from shared.backends.sections import retry_hint
from shared.errors import PROBLEM_KINDS, CallError, ProblemCode, ProblemError, SectionUnavailable
from shared.idempotency.steps import Step, WriteUnfinished
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"

CODE_OF_STATUS: Final = {
    400: ProblemCode.INVALID_REQUEST,
    401: ProblemCode.UNAUTHENTICATED,
    403: ProblemCode.FORBIDDEN,
    404: ProblemCode.NOT_FOUND,
    405: ProblemCode.METHOD_NOT_ALLOWED,
    406: ProblemCode.NOT_ACCEPTABLE,
    409: ProblemCode.CONFLICT,
    412: ProblemCode.PRECONDITION_FAILED,
    413: ProblemCode.PAYLOAD_TOO_LARGE,
    415: ProblemCode.UNSUPPORTED_MEDIA_TYPE,
    426: ProblemCode.UPGRADE_REQUIRED,
    428: ProblemCode.PRECONDITION_REQUIRED,
    429: ProblemCode.RATE_LIMITED,
    503: ProblemCode.OVERLOADED,
    504: ProblemCode.DEADLINE_EXCEEDED,
}


class Problem(BaseModel):
    """The body of a problem (RFC 9457), the same from the edge, from REST and in GraphQL's ``extensions``."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    type: str
    title: str
    status: int
    code: ProblemCode
    detail: str
    instance: str = Field(description="The request's path, without its query")
    trace_id: str
    retryable: bool = Field(description="Whether the same request may succeed later")
    retry_after_seconds: int | None = Field(default=None, description="When to ask again, if known")
    section: str | None = Field(default=None, description="The required section that is missing")
    steps: tuple[Step, ...] | None = Field(default=None, description="What is known of each step of a write")


def problem_of(error: ProblemError, scope: Scope) -> Problem:
    """Say an error as the body that a client gets."""
    kind = PROBLEM_KINDS[error.code]
    return Problem(
        type=f"urn:frontage:problem:{error.code}",
        title=kind.title,
        status=kind.status,
        code=error.code,
        detail=error.detail,
        instance=scope["path"],
        trace_id=context_of(scope).ledger.origin.trace_id,
        retryable=kind.retryable,
        retry_after_seconds=None if error.retry_after is None else math.ceil(error.retry_after.total_seconds()),
        section=error.section,
        steps=error.steps if isinstance(error, WriteUnfinished) else None,
    )


def problem_response(error: ProblemError, scope: Scope) -> Response:
    """Answer with a problem; 401 carries its challenge (RFC 6750 §3), a known wait its Retry-After."""
    problem = problem_of(error, scope)
    headers = {"cache-control": "no-store", **(error.headers or {})}
    if error.code is ProblemCode.UNAUTHENTICATED:
        headers.setdefault("www-authenticate", "Bearer")
    if problem.retry_after_seconds is not None:
        headers["retry-after"] = str(problem.retry_after_seconds)
    body = problem.model_dump_json(by_alias=True, exclude_none=True)
    return Response(body, problem.status, headers, MEDIA_TYPE)


def as_problem(error: Exception) -> ProblemError:
    """Say any exception as a problem. What is not ours to show becomes ``internal``."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, CallError):
        error.retry_after = retry_hint(error)
        return SectionUnavailable(error.backend, error)
    if isinstance(error, HTTPException):
        unknown = ProblemCode.INVALID_REQUEST if error.status_code < 500 else ProblemCode.INTERNAL  # noqa: PLR2004 - HTTP 5xx
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        return ProblemError(CODE_OF_STATUS.get(error.status_code, unknown), headers=headers)
    return ProblemError(ProblemCode.INTERNAL)


def answer_to(error: Exception, scope: Scope) -> Response:
    """Answer an exception that nobody caught; what is a bug of ours goes to the log."""
    problem = as_problem(error)
    if problem.code is ProblemCode.INTERNAL:
        context_of(scope).ledger.exception = type(error).__name__
        log.error("unhandled_error", exc_info=error)
    return problem_response(problem, scope)


class ProblemMiddleware:
    """The last word on exceptions: whatever the app did not answer becomes a problem, and the log has the cause."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer with a problem when it raises before an answer began."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            answer = answer_to(error, scope)
            if begun:  # half an answer is out: closing the connection is the only honest end
                raise
            await answer(scope, receive, send)


def allowed_at(app: FastAPI, path: str) -> str:
    """Return every method that a path takes (RFC 9110 §15.5.6): the router knows of one route's alone."""
    routes = [one for one in iter_route_contexts(app.routes) if one.path and compile_path(one.path)[0].match(path)]
    return ", ".join(
        sorted({method for one in routes for method in getattr(one.original_route, "methods", None) or ()})
    )


def install_problems(app: FastAPI) -> None:
    """Let the framework's own errors speak problem+json."""

    async def on_http_error(request: Request, error: Exception) -> Response:
        problem = as_problem(error)
        if problem.code is ProblemCode.METHOD_NOT_ALLOWED:
            problem.headers = {**(problem.headers or {}), "allow": allowed_at(app, request.scope["path"])}
        return problem_response(problem, request.scope)

    async def on_invalid_request(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
        where = ", ".join(sorted({".".join(str(part) for part in one["loc"]) for one in error.errors()}))
        # Names of parameters only: a value may be a credential in the wrong place.
        return problem_response(ProblemError(ProblemCode.INVALID_REQUEST, f"Check {where}."), request.scope)

    describe = app.openapi

    def openapi() -> dict[str, Any]:
        """FastAPI lists a ``model`` under application/json too; a problem never comes as that."""
        document = describe()
        for operation in (one for path in document["paths"].values() for one in path.values()):
            for response in operation["responses"].values():
                if MEDIA_TYPE in response.get("content", ()):
                    response["content"].pop("application/json", None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend OpenAPI
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(ProblemError, on_http_error)
    app.add_exception_handler(RequestValidationError, on_invalid_request)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare problems in OpenAPI, for a route's ``responses``."""
    titles = {status: [] for status in statuses}  # type: dict[int, list[str]]
    for code, kind in PROBLEM_KINDS.items():
        if kind.status in titles:
            titles[kind.status].append(code.value)
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"model": Problem, "description": " or ".join(codes), "content": {MEDIA_TYPE: {"schema": schema}}}
        for status, codes in titles.items()
    }
