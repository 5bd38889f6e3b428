"""The profile: nothing to show without it, so its one section is required; and what the user may change of it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bffs.mobile.backends import CHANGE_PROFILE, MY_PROFILE, ProfileRecord, Tier
from shared.asgi.caller import FetchSections
from shared.backends.content import content
from shared.backends.sections import Degraded, Sections, required
from shared.errors import ProblemCode
from shared.shape import Shape

MERGE_PATCH = "application/merge-patch+json"


class ProfileSections(Sections):
    """The profile itself."""

    profile = required(MY_PROFILE, subject=True)


class ChangeSections(Sections):
    """The profile, changed. What the backend says of the version, and of what it does not take, is the client's."""

    profile = required(
        CHANGE_PROFILE,
        subject=True,
        refusals={412: ProblemCode.PRECONDITION_FAILED, 400: ProblemCode.INVALID_REQUEST},
    )


class ProfileScreen(Shape, frozen=True):
    """Who is signed in."""

    user_id: str
    display_name: str
    tier: Tier
    degraded: tuple[Degraded, ...]
    email: str | None
    region: str


class ProfileChange(BaseModel):
    """A merge patch (RFC 7396): what is there is changed, what is null is removed, what is absent stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    display_name: Annotated[str, Field(alias="displayName", min_length=1, max_length=100)] = ""
    email: Annotated[str, Field(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$")] | None = None

    def patch(self) -> dict[str, object]:
        """Return what is to be changed, under the backend's names, which are ours."""
        return self.model_dump(by_alias=True, exclude_unset=True)


async def compose_profile(fetch: FetchSections, user_id: str) -> tuple[ProfileScreen, str]:
    """Ask for the profile; return the screen and the profile's version. Without it there is a problem instead."""
    got = await fetch(ProfileSections, user_id=user_id)
    return _screen(got.profile, got.degraded), got.profile.version


async def change_profile(
    fetch: FetchSections, user_id: str, change: ProfileChange, versions: str
) -> tuple[ProfileScreen, str]:
    """Change it if it still has one of these versions; return what it is now."""
    patch = content(change.patch(), MERGE_PATCH, if_match=versions)
    got = await fetch(ChangeSections, contents={"profile": patch}, user_id=user_id)
    return _screen(got.profile, got.degraded), got.profile.version


def _screen(profile: ProfileRecord, gaps: tuple[Degraded, ...]) -> ProfileScreen:
    return ProfileScreen(
        user_id=profile.user_id,
        display_name=profile.display_name,
        tier=profile.tier,
        degraded=gaps,
        email=profile.email,
        region=profile.region,
    )
