"""The alerts backend: what a user should know, and what of it he has read."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from dev.backends.asking import (
    MOST,
    After,
    Ids,
    Limit,
    Since,
    UserId,
    changes_answer,
    full,
    page_answer,
    place_of,
    record_answer,
    records,
    there,
)
from dev.backends.records import Records
from shared.errors import ProblemCode, ProblemError

COLUMNS: Final = "id, user AS userId, severity, message, created_at AS createdAt, read_at AS readAt"
OLD_NAMES: Final = ("id", "userId", "severity", "message", "createdAt")
AlertId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]

router = APIRouter()


class NewAlert(BaseModel):
    """What an alert says. Its id is the sender's choice, so that sending it twice makes one."""

    model_config = ConfigDict(extra="forbid", strict=True)

    severity: Literal["info", "warning", "critical"]
    message: Annotated[str, Field(min_length=1, max_length=500)]


class Marked(BaseModel):
    """Which alerts have been read."""

    model_config = ConfigDict(extra="forbid", strict=True)

    ids: Annotated[list[AlertId], Field(min_length=1, max_length=MOST)]


@router.get("/api/internal/alerts")
async def list_alerts(request: Request, user_id: UserId, limit: Limit = 20) -> JSONResponse:
    """The user's newest alerts that he has not read; none for a user that nobody is."""
    page = records(request).newest(limit, None, "user = ? AND read_at IS NULL", user_id)
    return JSONResponse([{name: row[name] for name in OLD_NAMES} for row in page.rows])


@router.get("/api/internal/alerts/batch")
async def batch_alerts(request: Request, user_id: UserId, ids: Ids) -> JSONResponse:
    """Several alerts of a user at once; what is not his is left out."""
    held = records(request)
    return JSONResponse([full(held, row) for row in held.among(ids.split(","), "user = ?", user_id)])


@router.get("/api/internal/users/{user_id}/alerts")
async def page_alerts(
    request: Request, user_id: str, limit: Limit = 20, after: After = "",
    only: Annotated[Literal["", "unread"], Query()] = "",
) -> JSONResponse:  # fmt: skip
    """A page of a user's alerts, newest first, read or not."""
    held = records(request)
    where = "user = ? AND read_at IS NULL" if only else "user = ?"
    return page_answer(held, held.newest(limit, place_of(after), where, user_id), "createdAt")


@router.get("/api/internal/users/{user_id}/alerts/changes")
async def list_changes(request: Request, user_id: str, since: Since = "", limit: Limit = 50) -> JSONResponse:
    """What changed among a user's alerts."""
    held = records(request)
    return changes_answer(held, held.changes(since, limit, "user = ?", user_id))


@router.put("/api/internal/users/{user_id}/alerts/read")
async def mark_several(request: Request, user_id: str, marked: Marked) -> JSONResponse:
    """Note that these have been read; again is no change. What is not his is named and changes nothing."""
    held = records(request)
    rows = held.among(marked.ids, "user = ?", user_id)
    for row in rows:
        _mark(held, row["id"], row["readAt"])
    read = [row["id"] for row in rows]
    return JSONResponse({"read": read, "missing": [id_ for id_ in marked.ids if id_ not in read]})


@router.put("/api/internal/users/{user_id}/alerts/{alert_id}/read")
async def mark_read(request: Request, user_id: str, alert_id: str) -> Response:
    """Note that one has been read; again is no change."""
    held = records(request)
    row = there(held.one("user = ? AND id = ?", user_id, alert_id))
    _mark(held, alert_id, row["readAt"])
    return record_answer(full(held, there(held.one("id = ?", alert_id))))


@router.put("/api/internal/users/{user_id}/alerts/{alert_id}")
async def put_alert(request: Request, user_id: str, alert_id: AlertId, alert: NewAlert) -> Response:
    """Tell the user something, once: an alert of that id that is there already stays as it is."""
    held = records(request)
    if (row := held.one("id = ?", alert_id)) is not None:
        if row["userId"] != user_id:
            raise ProblemError(ProblemCode.CONFLICT, "Another user has an alert of that id.")
        return record_answer(full(held, row))
    if held.was_deleted(alert_id):
        raise ProblemError(ProblemCode.CONFLICT, "An alert of that id was taken back.")
    held.add(id=alert_id, user=user_id, severity=alert.severity, message=alert.message, created_at=_now())
    row = there(held.one("id = ?", alert_id))
    return record_answer(full(held, row), status=HTTPStatus.CREATED)


@router.delete("/api/internal/users/{user_id}/alerts/{alert_id}", status_code=HTTPStatus.NO_CONTENT)
async def delete_alert(request: Request, user_id: str, alert_id: str) -> None:
    """Take an alert back; a tombstone stays in the sequence of changes."""
    held = records(request)
    if held.one("user = ? AND id = ?", user_id, alert_id) is not None:
        held.change(alert_id, deleted=1)


def _mark(held: Records, alert_id: str, read_at: str | None) -> None:
    if read_at is None:
        held.change(alert_id, read_at=_now())


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
