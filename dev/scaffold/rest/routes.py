"""The newcomer BFF's public paths. Handlers are thin: parse, call one thing, return."""

from fastapi import APIRouter, Depends

from dev.scaffold.rest.screens import summary
from shared.asgi.caller import CurrentUser, Fetch, bearer
from shared.asgi.problem import problem_responses

router = APIRouter(
    prefix="/newcomer/v1",
    responses=problem_responses(400, 401, 404, 429, 502, 503, 504),
    dependencies=[Depends(bearer)],
)


@router.get("/summary", summary="Summary")
async def get_summary(user: CurrentUser, fetch: Fetch) -> summary.Summary:
    """Who the customer is and what they bought last; `degraded` names what is not fresh."""
    return await summary.compose_summary(fetch, user.subject)
