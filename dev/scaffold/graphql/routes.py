"""The newcomer BFF's public path, ``/newcomer/graphql``: POST alone, so that no link can reach a resolver."""

from fastapi import APIRouter, Request
from strawberry.fastapi import GraphQLRouter
from strawberry.http import GraphQLHTTPResponse
from strawberry.types import ExecutionResult

from dev.scaffold.graphql.context import Caller, caller
from dev.scaffold.graphql.errors import said
from dev.scaffold.graphql.schema import schema_for
from dev.scaffold.graphql.settings import NewcomerSettings


class NewcomerRouter(GraphQLRouter[dict[str, Caller], None]):
    """Strawberry's router with our errors."""

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        """Say what newcomer may say."""
        result.errors = [said(one) for one in result.errors or ()] or None
        return await super().process_result(request, result)


def router_of(settings: NewcomerSettings) -> APIRouter:
    """Return newcomer's router, with nothing but POST open."""
    graph = NewcomerRouter(
        schema_for(settings.mode),
        path="/graphql",
        context_getter=caller,
        graphql_ide=None,
        allow_queries_via_get=False,
        subscription_protocols=(),
    )
    router = APIRouter(prefix="/newcomer", include_in_schema=False)
    router.include_router(graph)
    return router
