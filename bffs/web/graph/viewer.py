"""The viewer: who is signed in. Its one section is required, so a failure is an error with a path."""

import strawberry

from bffs.web.backends import PROFILE
from bffs.web.context import WebContext
from bffs.web.graph.gaps import FEW_GAPS, Degraded, gaps
from shared.backends.sections import Sections, required


class ViewerSections(Sections):
    """The profile itself."""

    profile = required(PROFILE, subject=True)


@strawberry.type(description="Who is signed in.")
class Viewer:
    """The signed-in user."""

    user_id: strawberry.ID = strawberry.field(description="The user's id.")
    display_name: str = strawberry.field(description="How to greet the user.")
    tier: str = strawberry.field(description="The account's tier.")
    degraded: list[Degraded] = strawberry.field(
        description="Always empty: what is required is fresh or an error.", directives=[FEW_GAPS]
    )


async def compose_viewer(context: WebContext) -> Viewer:
    """Fetch the profile."""
    got = await context.fetch(ViewerSections, user_id=context.user.subject)
    return Viewer(
        user_id=strawberry.ID(got.profile.user_id),
        display_name=got.profile.display_name,
        tier=got.profile.account_tier,
        degraded=gaps(got.degraded),
    )
