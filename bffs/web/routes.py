"""The web BFF's public path, ``/web/graphql``.

POST takes JSON only, so that no form can reach a resolver; GET takes queries, never what changes anything, so that no
link can do harm (field case W7). Without an operation, GET is GraphiQL in local mode, and nothing elsewhere.
"""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response
from strawberry.http.ides import get_graphql_ide_html

from bffs.web.admission import Admission, Admitted
from bffs.web.caching import cacheable
from bffs.web.context import WebContext
from bffs.web.operation import answer, read_operation, read_query, refused
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
    operation = await read_operation(request)
    try:
        admitted = _admission(request).admit(operation, user)
    except Refused as fault:
        return refused(fault.errors, request.scope)
    return await _run(admitted, request, user, fetch)


@router.get("/graphql")
async def get_operation(request: Request, context: Context) -> Response:
    """Execute a query, so that browsers may keep its answer; or show GraphiQL on a developer's machine."""
    operation = read_query(request)
    if request.app.state.mode == "local" and "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(get_graphql_ide_html(graphql_ide="graphiql"))
    if operation is None:
        raise ProblemError(ProblemCode.NOT_FOUND)
    user = await current_user(context)
    try:
        admitted = _admission(request).admit(operation, user)
    except Refused as fault:
        return cacheable(refused(fault.errors, request.scope), request, whole=False)
    if admitted.prepared.kind != "query":
        raise ProblemError(ProblemCode.METHOD_NOT_ALLOWED, "GET is for queries: POST this.", headers={"allow": "POST"})
    return await _run(admitted, request, user, FetchSections(context.state.backends, context, user))


def _admission(request: Request) -> Admission:
    admission: Admission = request.app.state.admission
    return admission


async def _run(admitted: Admitted, request: Request, user: Principal, fetch: FetchSections) -> Response:
    context = WebContext(user, fetch, request.app.state.clock)
    result = await execute(admitted.prepared, admitted.variables, context)
    said = answer(result, request.scope, admitted.told)
    return cacheable(said, request, whole=not result.errors) if request.method == "GET" else said
