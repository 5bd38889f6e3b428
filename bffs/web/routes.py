"""The web BFF's public path, ``/web/graphql``: POST with JSON only, so that no form and no link can reach a resolver.

GraphiQL answers a GET in local mode; anything else there is 404.
"""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response
from strawberry.http.ides import get_graphql_ide_html

from bffs.web.context import WebContext
from bffs.web.operation import answer, read_operation
from bffs.web.schema import execute
from shared.asgi.caller import CurrentUser, Fetch
from shared.errors import ProblemCode, ProblemError

router = APIRouter(prefix="/web", include_in_schema=False)


@router.post("/graphql")
async def post_operation(request: Request, user: CurrentUser, fetch: Fetch) -> Response:
    """Execute one operation."""
    operation = await read_operation(request)
    result = await execute(operation, WebContext(user, fetch, request.app.state.clock))
    return answer(result, request.scope)


@router.get("/graphql")
async def get_graphiql(request: Request) -> Response:
    """Show GraphiQL on a developer's machine."""
    if request.app.state.mode != "local":
        raise ProblemError(ProblemCode.NOT_FOUND)
    return HTMLResponse(get_graphql_ide_html(graphql_ide="graphiql"))
