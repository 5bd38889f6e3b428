"""GraphQL over HTTP at ``/web/graphql``: POST with JSON only, so that no form and no link can reach a resolver.

Owns the request's form and the answer's. GraphiQL answers a GET in local mode; anything else there is 404.
"""

import json
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response
from strawberry.http.ides import get_graphql_ide_html

from bffs.web.context import WebContext
from bffs.web.schema import error_body, schema
from shared.asgi.caller import CurrentUser, Fetch
from shared.errors import ProblemCode, ProblemError

# A query of the demo has 300 bytes, the largest real ones some 20 KB; the edge stops more before us.
MAX_BODY_BYTES: Final = 256 * 1024

router = APIRouter(prefix="/web", include_in_schema=False)


@router.post("/graphql")
async def execute(request: Request, user: CurrentUser, fetch: Fetch) -> Response:
    """Execute one operation."""
    operation = await read_operation(request)
    result = await schema.execute(
        operation["query"],
        variable_values=operation.get("variables"),
        operation_name=operation.get("operationName"),
        context_value=WebContext(user, fetch, request.app.state.clock),
    )
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [error_body(error, request.scope) for error in result.errors]
    # A request error (GraphQL §7.1.2) has no path: execution never began, there is no data, and the status says so.
    began = result.data is not None or any(error.path for error in result.errors or ())
    if began:
        body["data"] = result.data
    return Response(json.dumps(body, ensure_ascii=False), 200 if began else 400, media_type="application/json")


@router.get("/graphql")
async def graphiql(request: Request) -> Response:
    """Show GraphiQL on a developer's machine."""
    if request.app.state.mode != "local":
        raise ProblemError(ProblemCode.NOT_FOUND)
    return HTMLResponse(get_graphql_ide_html(graphql_ide="graphiql"))


async def read_operation(request: Request) -> dict[str, Any]:
    """Read the body. Raises a problem that says what is wrong with it; never echoes it."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise ProblemError(ProblemCode.UNSUPPORTED_MEDIA_TYPE, "Send application/json.")
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > MAX_BODY_BYTES:
            raise ProblemError(ProblemCode.PAYLOAD_TOO_LARGE)
    try:
        operation = json.loads(raw)
    except ValueError:
        raise ProblemError(ProblemCode.INVALID_REQUEST, "The body is not JSON.") from None
    if not isinstance(operation, dict) or not isinstance(operation.get("query"), str):
        raise ProblemError(ProblemCode.INVALID_REQUEST, "Send one object with `query` as text.")
    if not isinstance(operation.get("variables"), dict | None):
        raise ProblemError(ProblemCode.INVALID_REQUEST, "`variables` must be an object.")
    if not isinstance(operation.get("operationName"), str | None):
        raise ProblemError(ProblemCode.INVALID_REQUEST, "`operationName` must be text.")
    return operation
