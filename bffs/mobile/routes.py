"""The mobile BFF's public paths. Handlers are thin: parse, call one thing, return."""

from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter, Depends

from bffs.mobile.screens import dashboard, profile
from shared.asgi.caller import CurrentUser, Fetch, bearer
from shared.asgi.context import Context
from shared.asgi.problem import problem_responses
from shared.asgi.slow import slow_after

# What any screen may answer instead: statuses of architecture §4, and of what the edge judges first.
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = problem_responses(400, 401, 404, 429, 502, 503, 504)

router = APIRouter(prefix="/mobile/v1", responses=PROBLEMS, dependencies=[Depends(bearer)])


# Healthy it takes a few hundredths of a second: half a second means a retry or a queue, and a phone shows a spinner.
@router.get("/dashboard")
@slow_after(timedelta(milliseconds=500))
async def get_dashboard(context: Context, user: CurrentUser, fetch: Fetch) -> dashboard.Dashboard:
    """The first screen, in one call; `degraded` names what is not fresh."""
    return await dashboard.compose_dashboard(fetch, user.subject, context.state.clock)


@router.get("/profile")
async def get_profile(user: CurrentUser, fetch: Fetch) -> profile.ProfileScreen:
    """Who is signed in; a problem when that cannot be known now."""
    return await profile.compose_profile(fetch, user.subject)
