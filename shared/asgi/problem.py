"""Problems on the wire: RFC 9457 ``application/problem+json``, the same body from every service.

Owns the body's shape and the mapping from framework exceptions. The codes are in ``errors.py``; what Envoy answers by
itself has the same shape, compiled from the same table.
"""

import json
import math
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.asgi.context import KEY
from shared.errors import PROBLEM_KINDS, CallError, ProblemCode, ProblemError, SectionUnavailable
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"

CODE_OF_STATUS: Final = {
    400: ProblemCode.INVALID_REQUEST,
    401: ProblemCode.UNAUTHENTICATED,
    403: ProblemCode.FORBIDDEN,
    404: ProblemCode.NOT_FOUND,
    405: ProblemCode.METHOD_NOT_ALLOWED,
    413: ProblemCode.PAYLOAD_TOO_LARGE,
    415: ProblemCode.UNSUPPORTED_MEDIA_TYPE,
}


def problem_body(error: ProblemError, *, instance: str, trace_id: str) -> dict[str, Any]:
    """Return the body as architecture §5 has it; ``instance`` is a path without its query."""
    kind = PROBLEM_KINDS[error.code]
    body: dict[str, Any] = {
        "type": f"urn:frontage:problem:{error.code}",
        "title": kind.title,
        "status": kind.status,
        "code": error.code,
        "detail": error.detail,
        "instance": instance,
        "traceId": trace_id,
        "retryable": kind.retryable,
    }
    if error.retry_after is not None:
        body["retryAfterSeconds"] = math.ceil(error.retry_after.total_seconds())
    if error.section is not None:
        body["section"] = error.section
    return body


def problem_response(error: ProblemError, scope: Scope) -> Response:
    """Answer with a problem; 401 carries its challenge (RFC 6750 §3), a known wait its Retry-After."""
    trace_id = scope[KEY].ledger.origin.trace_id if KEY in scope else ""
    body = problem_body(error, instance=scope["path"], trace_id=trace_id)
    headers = {"cache-control": "no-store"}
    if error.code is ProblemCode.UNAUTHENTICATED:
        headers["www-authenticate"] = "Bearer"
    if "retryAfterSeconds" in body:
        headers["retry-after"] = str(body["retryAfterSeconds"])
    return Response(json.dumps(body, ensure_ascii=False), body["status"], headers, MEDIA_TYPE)


def as_problem(error: Exception) -> ProblemError:
    """Say any exception as a problem. What is not ours to show becomes ``internal``."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, CallError):
        return SectionUnavailable(error.backend, error)
    if isinstance(error, HTTPException):
        return ProblemError(CODE_OF_STATUS.get(error.status_code, ProblemCode.INTERNAL))
    return ProblemError(ProblemCode.INTERNAL)


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
            problem = as_problem(error)
            if problem.code is ProblemCode.INTERNAL:
                log.exception("unhandled_error")
            if begun:  # half an answer is out: closing the connection is the only honest end
                raise
            await problem_response(problem, scope)(scope, receive, send)


def install_problems(app: FastAPI) -> None:
    """Let the framework's own errors speak problem+json."""

    async def on_http_error(request: Request, error: Exception) -> Response:
        return problem_response(as_problem(error), request.scope)

    async def on_invalid_request(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
        where = ", ".join(sorted({".".join(str(part) for part in one["loc"]) for one in error.errors()}))
        # Names of parameters only: a value may be a credential in the wrong place.
        return problem_response(ProblemError(ProblemCode.INVALID_REQUEST, f"Check {where}."), request.scope)

    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(ProblemError, on_http_error)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
