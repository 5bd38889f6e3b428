"""The web BFF's public path, ``/web/graphql``.

POST takes JSON only, so that no form can reach a resolver; GET takes queries, never what changes anything, so that no
link can do harm (field case W7). Without an operation, GET is GraphiQL in local mode, and nothing elsewhere.
"""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response
from strawberry.http.ides import get_graphql_ide_html

from bffs.web.admission import Admission
from bffs.web.caching import cacheable
from bffs.web.context import WebContext
from bffs.web.operation import Operation, answer, read_operation, read_query, refused
from bffs.web.prepare import Refused
from bffs.web.schema import execute
from shared.asgi.caller import CurrentUser, Fetch, FetchSections, current_user
from shared.asgi.context import Context
from shared.errors import ProblemCode, ProblemError
from shared.identity.principal import Principal

router = APIRouter(prefix="/web", include_in_schema=False)


@router.post("/graphql")
async def post_operation(request: Request, user: CurrentUser, fetch: Fetch) -> Response:
    """Execute one operation."""
    return await _executed(await read_operation(request), request, _context(request, user, fetch))


@router.get("/graphql")
async def get_operation(request: Request, context: Context) -> Response:
    """Execute a query, so that browsers may keep its answer; or show GraphiQL on a developer's machine."""
    operation = read_query(request)
    if request.app.state.mode == "local" and "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(get_graphql_ide_html(graphql_ide="graphiql"))
    if operation is None:
        raise ProblemError(ProblemCode.NOT_FOUND)
    user = await current_user(context)
    fetch = FetchSections(context.state.backends, context, user)
    answered = await _executed(operation, request, _context(request, user, fetch), only="query")
    return cacheable(answered, request)


def _context(request: Request, user: Principal, fetch: FetchSections) -> WebContext:
    state = request.app.state
    return WebContext(user, fetch, state.clock, state.cursors)


async def _executed(
    operation: Operation, request: Request, context: WebContext, *, only: str | None = None
) -> Response:
    """Admit and execute an operation. Raises ProblemError for one of another kind than ``only``."""
    admission: Admission = request.app.state.admission
    try:
        admitted = admission.admit(operation, context.user)
    except Refused as fault:
        return refused(fault.errors, request.scope)
    if only is not None and admitted.prepared.kind != only:
        raise ProblemError(ProblemCode.METHOD_NOT_ALLOWED, "GET is for queries: POST this.", headers={"allow": "POST"})
    try:
        result = await execute(admitted.prepared, admitted.variables, context)
    finally:
        context.close()
    return answer(result, request.scope, admitted.told)
