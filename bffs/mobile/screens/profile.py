"""The profile: nothing to show without it, so its one section is required."""

from bffs.mobile.backends import PROFILE
from shared.asgi.caller import FetchSections
from shared.backends.sections import Degraded, Sections, required
from shared.shape import Shape


class ProfileSections(Sections):
    """The profile itself."""

    profile = required(PROFILE, subject=True)


class ProfileScreen(Shape, frozen=True):
    """Who is signed in."""

    user_id: str
    display_name: str
    tier: str
    degraded: tuple[Degraded, ...]


async def compose_profile(fetch: FetchSections, user_id: str) -> ProfileScreen:
    """Ask for the profile; without it there is a problem instead of a screen."""
    got = await fetch(ProfileSections, user_id=user_id)
    return ProfileScreen(
        user_id=got.profile.user_id,
        display_name=got.profile.display_name,
        tier=got.profile.tier,
        degraded=got.degraded,
    )
