"""GraphQL over HTTP: how an operation is asked for, and how its result is answered.

Owns both forms. What is executed is ``schema.py``; what an error says, ``errors.py``.
"""

import asyncio
import json
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope
from strawberry.types import ExecutionResult

from bffs.web.errors import error_body, note_errors
from shared.asgi.context import context_of
from shared.errors import ProblemCode, ProblemError

# A query of the demo has 300 bytes, the largest real ones some 20 KB; the edge stops more before us.
MAX_BODY_BYTES: Final = 256 * 1024
MEDIA_TYPE: Final = "application/json"


class Operation(NamedTuple):
    """What a client wants executed."""

    query: str
    variables: dict[str, Any] | None
    name: str | None


async def read_operation(request: Request) -> Operation:
    """Read the body. Raises a problem that says what is wrong with it; never echoes it."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != MEDIA_TYPE:
        raise ProblemError(ProblemCode.UNSUPPORTED_MEDIA_TYPE, f"Send {MEDIA_TYPE}.")
    time_left_s = context_of(request.scope).deadline.remaining_s(request.app.state.clock.now_s())
    try:
        async with asyncio.timeout(time_left_s):
            raw = await read_body(request)
    except TimeoutError:
        raise ProblemError(ProblemCode.DEADLINE_EXCEEDED, "The body did not arrive in time.") from None
    try:
        return parse_operation(json.loads(raw))
    except (ValueError, RecursionError):  # not JSON, or brackets by the thousand
        raise ProblemError(ProblemCode.INVALID_REQUEST, "The body is not JSON.") from None


async def read_body(request: Request) -> bytearray:
    """Return the body, unless it is too large."""
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > MAX_BODY_BYTES:
            raise ProblemError(ProblemCode.PAYLOAD_TOO_LARGE)
    return raw


def parse_operation(body: object) -> Operation:
    """Check the parts. One object only: a list of operations would pass every limit as one call (field case W4)."""
    query = body.get("query") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(query, str) or not query:
        raise ProblemError(ProblemCode.INVALID_REQUEST, "Send one object with `query` as text.")
    variables, name = body.get("variables"), body.get("operationName")
    if not isinstance(variables, dict | None):
        raise ProblemError(ProblemCode.INVALID_REQUEST, "`variables` must be an object.")
    if not isinstance(name, str | None):
        raise ProblemError(ProblemCode.INVALID_REQUEST, "`operationName` must be text.")
    return Operation(query, variables, name)


def answer(result: ExecutionResult, scope: Scope) -> Response:
    """Say the result. When execution never began (GraphQL §7.1.2), there is no data, and the status says so."""
    errors = result.errors or ()
    if errors:
        note_errors(errors, context_of(scope).ledger)
    began = result.data is not None or any(error.path for error in errors)
    body: dict[str, Any] = {"errors": [error_body(error, scope) for error in errors]} if errors else {}
    if began:
        body["data"] = result.data
    # "replace": half a surrogate pair, sent by a client and quoted in a message, is no UTF-8.
    raw = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return Response(raw, 200 if began else 400, media_type=MEDIA_TYPE)
