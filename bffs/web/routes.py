"""The web BFF's public path, ``/web/graphql``.

POST takes JSON only, so that no form can reach a resolver; GET takes queries, never what changes anything, so that no
link can do harm (field case W7). Without an operation, GET leads to GraphiQL in local mode, and to nothing elsewhere.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from bffs.web.admission import Admission
from bffs.web.caching import cacheable
from bffs.web.context import WebContext
from bffs.web.media import Form, form_for
from bffs.web.operation import MAX_BODY_BYTES, Operation, answer, read_operation, read_query, refused
from bffs.web.prepare import Refused
from bffs.web.schema import execute
from shared.asgi.body import WholeBody
from shared.asgi.caller import CurrentUser, Fetch, FetchSections, current_user, fetch_for
from shared.asgi.context import Context, RequestContext
from shared.asgi.written import Written
from shared.errors import ProblemCode, ProblemError
from shared.identity.principal import Principal

# The developer portal's, made of files of its own machine: no page of ours loads a script from anywhere else.
GRAPHIQL: Final = "/portal/web/graphiql"

router = APIRouter(prefix="/web", include_in_schema=False)

Body = Annotated[bytes, Depends(WholeBody(MAX_BODY_BYTES))]


@router.post("/graphql")
async def post_operation(context: Context, user: CurrentUser, fetch: Fetch, body: Body) -> Written:
    """Execute one operation."""
    form = form_for(context.header(b"accept"))
    operation = read_operation(body, context.header(b"content-type"))
    return await _executed(operation, context, _context(context, user, fetch), form)


@router.get("/graphql")
async def get_operation(request: Request, context: Context) -> Response:
    """Execute a query, so that browsers may keep its answer; or lead to GraphiQL on a developer's machine."""
    operation = read_query(request)
    if request.app.state.mode == "local" and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(GRAPHIQL)
    if operation is None:
        raise ProblemError(ProblemCode.NOT_FOUND)
    form = form_for(context.header(b"accept"))
    user = await current_user(context)
    fetch = await fetch_for(context, user)
    answered = await _executed(operation, context, _context(context, user, fetch), form, only="query")
    return cacheable(answered, request)


def _context(context: RequestContext, user: Principal, fetch: FetchSections) -> WebContext:
    state = context.state
    return WebContext(user, fetch, state.clock, state.cursors)


async def _executed(
    operation: Operation, context: RequestContext, web: WebContext, form: Form, *, only: str | None = None
) -> Written:
    """Admit and execute an operation; ``only`` one of that kind."""
    admission: Admission = context.state.admission
    try:
        admitted = await admission.admit(operation, web.user, web.fetch, only=only)
    except Refused as fault:
        return refused(fault.errors, context, form)
    try:
        result = await execute(admitted.prepared, admitted.variables, web)
    finally:
        web.close()
    return answer(result, context, form, admitted.told)
