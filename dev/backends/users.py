"""The users backend: who a user is, and what he may change of that."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from dev.backends.asking import (
    Ids,
    IfMatch,
    IfNoneMatch,
    Limit,
    Since,
    changes_answer,
    full,
    plain,
    record_answer,
    records,
    require_version,
    there,
)

COLUMNS: Final = "id AS userId, name AS displayName, tier AS accountTier, email, region"
# Of the patch's names, the columns.
COLUMN_OF: Final = {"displayName": "name", "email": "email", "region": "region"}

router = APIRouter()


class ProfilePatch(BaseModel):
    """A merge patch (RFC 7396): what is given is changed, and an email of null is removed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    displayName: Annotated[str, Field(min_length=1, max_length=100)] = ""  # noqa: N815 - the wire's name
    email: Annotated[str, Field(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$")] | None = None
    region: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = ""


@router.get("/api/internal/users/{user_id}/profile")
async def get_profile(request: Request, user_id: str) -> JSONResponse:
    """Who the user is; 404 when nobody is."""
    return JSONResponse(plain(there(records(request).one("id = ?", user_id))))


@router.get("/api/internal/users")
async def list_users(request: Request, ids: Ids) -> JSONResponse:
    """Several users at once; who does not exist is left out."""
    held = records(request)
    return JSONResponse([full(held, row) for row in held.among(ids.split(","), "TRUE")])


@router.get("/api/internal/users/{user_id}")
async def get_user(request: Request, user_id: str, if_none_match: IfNoneMatch = "") -> Response:
    """One user, with his version."""
    held = records(request)
    return record_answer(full(held, there(held.one("id = ?", user_id))), if_none_match)


@router.patch("/api/internal/users/{user_id}")
async def patch_user(request: Request, user_id: str, patch: ProfilePatch, if_match: IfMatch = "") -> Response:
    """Change him, if If-Match names his version; what changes nothing makes no new version."""
    held = records(request)
    row = there(held.one("id = ?", user_id))
    require_version(held, row, if_match)
    wanted = patch.model_dump(include=patch.model_fields_set)
    if changed := {COLUMN_OF[name]: value for name, value in wanted.items() if row[name] != value}:
        held.change(user_id, **changed)
    return record_answer(full(held, there(held.one("id = ?", user_id))))


@router.get("/api/internal/users/{user_id}/changes")
async def list_changes(request: Request, user_id: str, since: Since = "", limit: Limit = 50) -> JSONResponse:
    """What changed of him."""
    held = records(request)
    return changes_answer(held, held.changes(since, limit, "id = ?", user_id), "userId")
