"""The viewer: who is signed in. Its sections are required, so a failure is an error with a path."""

import strawberry

from bffs.web.backends import PROFILE, USER, ProfilePayload, UserPayload
from bffs.web.context import WebContext
from bffs.web.graph.gaps import FEW_GAPS, Degraded
from bffs.web.graph.node import Node
from shared.backends.sections import Sections, required

# What only the record has; the profile is remembered, and these must be as they are now.
RECORD = frozenset({"email", "region", "version"})


class ViewerSections(Sections):
    """The profile, and the record that it shows a part of."""

    profile = required(PROFILE, subject=True)
    record = required(USER, subject=True)


@strawberry.type(description="Who is signed in.")
class Viewer(Node):
    """The signed-in user."""

    id: strawberry.ID = strawberry.field(description="The user's id.")
    user_id: strawberry.ID = strawberry.field(
        description="The user's id.", deprecation_reason="Everything else calls it `id`: ask for that."
    )
    display_name: str = strawberry.field(description="How to greet the user.")
    tier: str = strawberry.field(description="The account's tier.")
    email: str | None = strawberry.field(description="Where to write to; null: nowhere.")
    region: str = strawberry.field(description="Where the account is at home: two letters.")
    version: strawberry.ID = strawberry.field(
        description="What `updateProfile` wants back, to change this and no other."
    )
    degraded: list[Degraded] = strawberry.field(
        description="Always empty: what is required is fresh or an error.", directives=[FEW_GAPS]
    )


async def compose_viewer(context: WebContext, asked: frozenset[str]) -> Viewer:
    """Fetch what is shown: the record when it is needed, and else the profile, which may be remembered."""
    only = {"record"} if asked & RECORD else {"profile"}
    got = await context.fetch(ViewerSections, only=only, user_id=context.user.subject)
    return viewer_of(got.record) if "record" in only else _greeted(got.profile)


def viewer_of(found: UserPayload) -> Viewer:
    """Say a user's record in the graph's words."""
    return Viewer(
        id=strawberry.ID(found.user_id),
        user_id=strawberry.ID(found.user_id),
        display_name=found.display_name,
        tier=found.account_tier,
        email=found.email,
        region=found.region,
        version=strawberry.ID(found.version),
        degraded=[],
    )


def _greeted(found: ProfilePayload) -> Viewer:
    """Say a profile in the graph's words; nobody asked for what it does not have."""
    return Viewer(
        id=strawberry.ID(found.user_id),
        user_id=strawberry.ID(found.user_id),
        display_name=found.display_name,
        tier=found.account_tier,
        email=None,
        region="",
        version=strawberry.ID(""),
        degraded=[],
    )
