"""What a page can change, and how it is told what the user can mend: ``userErrors``, typed, beside what was changed.

An ``errors`` entry is for what nobody at the page can mend: a backend that is away, a right that is missing.
"""

import asyncio
import re
from enum import Enum
from typing import Annotated, Any, Final, NamedTuple

import strawberry

from bffs.web.backends import CHANGE_USER, MARK_READ, PROFILE
from bffs.web.context import WebContext, WebInfo
from bffs.web.costs import ListSize
from bffs.web.graph.alerts import Alert, load_alert
from bffs.web.graph.viewer import Viewer, viewer_of
from shared.backends.content import content
from shared.backends.sections import Sections, required
from shared.errors import ProblemCode, ProblemError

MERGE_PATCH: Final = "application/merge-patch+json"
# What the alerts backend takes at once, and what it takes for an id.
MOST_IDS: Final = 100
ALERT_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
# One value that fits between the quotes of an entity tag (RFC 9110 §8.8.3).
VERSION: Final = re.compile(r"[!#-~]{1,100}")


@strawberry.enum(description="What is wrong, for the page to act on.")
class UserErrorCode(Enum):
    """A closed list; its values are the contract."""

    INVALID = "invalid"
    NOT_FOUND = "not_found"
    CHANGED_MEANWHILE = "changed_meanwhile"


@strawberry.type(description="Something that the user can mend.")
class UserError:
    """One finding about the input."""

    code: UserErrorCode = strawberry.field(description="What is wrong.")
    message: str = strawberry.field(description="The same, for people.")
    path: list[str] = strawberry.field(
        description="Where in the input: names, and places in lists.", directives=[ListSize(assumed_size=1)]
    )


@strawberry.input(description="What to change of the profile: what is left out stays as it is.")
class UpdateProfileInput:
    """A merge patch, and the version that it changes."""

    version: strawberry.ID = strawberry.field(description="`Viewer.version` as it was read.")
    display_name: str | None = strawberry.field(
        default=strawberry.UNSET, description="What to be called: 1 to 100 characters."
    )
    email: str | None = strawberry.field(default=strawberry.UNSET, description="Where to write to; null removes it.")
    region: str | None = strawberry.field(default=strawberry.UNSET, description="Two small letters.")


class Rule(NamedTuple):
    """What a field of the profile may be: its pattern, the same in words, and whether null is a value."""

    pattern: re.Pattern[str]
    wanted: str
    nullable: bool = False


RULES: Final = {
    "displayName": Rule(re.compile(r"(?=.*\S)[^\x00-\x1f\x7f\ud800-\udfff]{1,100}"), "1 to 100 characters"),
    "email": Rule(
        re.compile(r"[^@\s\ud800-\udfff]{1,64}@[^@\s\ud800-\udfff]{1,190}"), "an address, or null", nullable=True
    ),
    "region": Rule(re.compile(r"[a-z]{2}"), "two small letters"),
}


@strawberry.type(description="What became of `updateProfile`.")
class UpdateProfilePayload:
    """Either the viewer as he is now, or why nothing was changed."""

    viewer: Viewer | None = strawberry.field(description="As it is now; null when nothing was changed.")
    user_errors: list[UserError] = strawberry.field(
        description="Empty when it was changed.", directives=[ListSize(assumed_size=1)]
    )


@strawberry.type(description="What became of `markAlertsRead`.")
class MarkAlertsReadPayload:
    """The alerts that are read now, and which were not found."""

    user_errors: list[UserError] = strawberry.field(
        description="One for each id that is no alert of the user's; the others were marked.",
        directives=[ListSize(assumed_size=1)],
    )
    marked: strawberry.Private[list[str]]

    @strawberry.field(
        description="The alerts that are read now, in the order of their ids; one that is gone meanwhile is null.",
        directives=[ListSize(assumed_size=20)],
    )
    async def alerts(self, info: WebInfo) -> list[Alert | None]:
        """Load them, as they are after the write."""
        return await asyncio.gather(*(load_alert(info.context, own_id) for own_id in self.marked))


class ProfileChange(Sections):
    """The patch: refused when the record is of another version by now."""

    record = required(CHANGE_USER, subject=True, refusals={412: ProblemCode.PRECONDITION_FAILED})


class MarkingRead(Sections):
    """The marks: again is no change."""

    marked = required(MARK_READ)


async def update_profile(context: WebContext, wanted: UpdateProfileInput) -> UpdateProfilePayload:
    """Change what is given, if it is given well and the record is still of that version."""
    said = {"displayName": wanted.display_name, "email": wanted.email, "region": wanted.region}
    patch = {name: value for name, value in said.items() if value is not strawberry.UNSET}
    faults = [fault for name, value in patch.items() if (fault := _fault(name, value)) is not None]
    if not VERSION.fullmatch(wanted.version):
        faults.append(UserError(code=UserErrorCode.INVALID, message="`version` is none of ours.", path=["version"]))
    if faults:
        return UpdateProfilePayload(viewer=None, user_errors=faults)
    change = content(patch, MERGE_PATCH, if_match=f'"{wanted.version}"')
    try:
        got = await context.fetch(ProfileChange, contents={"record": change}, user_id=context.user.subject)
    except ProblemError as problem:
        if problem.code is not ProblemCode.PRECONDITION_FAILED:
            raise
        told = "The profile was changed meanwhile: read it again."
        gone = UserError(code=UserErrorCode.CHANGED_MEANWHILE, message=told, path=["version"])
        return UpdateProfilePayload(viewer=None, user_errors=[gone])
    context.fetch.forget(PROFILE, user_id=context.user.subject)  # or the next page would greet by the old name
    return UpdateProfilePayload(viewer=viewer_of(got.record), user_errors=[])


async def mark_alerts_read(context: WebContext, ids: list[strawberry.ID]) -> MarkAlertsReadPayload:
    """Mark those that are the user's. Raises ProblemError(INVALID_REQUEST) for too many at once."""
    if len(ids) > MOST_IDS:
        raise ProblemError(ProblemCode.INVALID_REQUEST, f"`ids` has at most {MOST_IDS}.")
    known = [one for one in dict.fromkeys(map(str, ids)) if ALERT_ID.fullmatch(one)]
    marked: frozenset[str] = frozenset()
    if known:
        sent = content({"ids": known})
        got = await context.fetch(MarkingRead, contents={"marked": sent}, user_id=context.user.subject)
        marked = frozenset(got.marked.read)
        context.load.alerts.forget(known)
    faults = [
        UserError(code=UserErrorCode.NOT_FOUND, message="There is no such alert.", path=["ids", str(place)])
        for place, one in enumerate(ids)
        if one not in marked
    ]
    return MarkAlertsReadPayload(user_errors=faults, marked=[one for one in known if one in marked])


def _fault(name: str, value: Any) -> UserError | None:
    rule = RULES[name]
    if rule.nullable if value is None else rule.pattern.fullmatch(value):
        return None
    return UserError(code=UserErrorCode.INVALID, message=f"`{name}` is {rule.wanted}.", path=[name])


Ids = Annotated[list[strawberry.ID], strawberry.argument(description=f"Ids of alerts, at most {MOST_IDS}.")]
Changes = Annotated[UpdateProfileInput, strawberry.argument(name="input", description="What to change.")]
