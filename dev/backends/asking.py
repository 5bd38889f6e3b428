"""What requests to the sample backends may hold, and how records are answered: parameters, conditions, pages."""

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Header, Query, Request
from pydantic import AfterValidator
from starlette.responses import JSONResponse, Response

from dev.backends.records import Changes, Page, Records, Row
from shared.asgi.validators import names
from shared.errors import ProblemCode, ProblemError

# As many as a screen shows, or a loader collects in one turn.
MOST: Final = 100
# How a record's own columns are not answered.
OWN: Final = frozenset({"seq", "version", "deleted"})


def _ids(text: str) -> str:
    if not 0 < len(text.split(",")) <= MOST:
        raise ValueError(f"one to {MOST} ids, with commas between them")
    return text


UserId = Annotated[str, Query(alias="userId", min_length=1, max_length=255)]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Ids = Annotated[str, Query(min_length=1, max_length=10_000), AfterValidator(_ids)]
After = Annotated[str, Query(max_length=255)]
Since = Annotated[str, Query(max_length=64)]
IfMatch = Annotated[str, Header(alias="if-match", max_length=255)]
IfNoneMatch = Annotated[str, Header(alias="if-none-match", max_length=1000)]


def records(request: Request) -> Records:
    """Return the records of the backend that is asked."""
    found: Records = request.app.state.records
    return found


def there(row: Row | None) -> Row:
    """Return a row. Raises ProblemError(NOT_FOUND) when there is none."""
    if row is None:
        raise ProblemError(ProblemCode.NOT_FOUND, "There is no such thing, or it is another user's.")
    return row


def plain(row: Row) -> Row:
    """Return a record's columns as they are answered."""
    return {name: value for name, value in row.items() if name not in OWN}


def full(held: Records, row: Row) -> Row:
    """Return a record with its version."""
    return {**plain(row), "version": held.version(row)}


def record_answer(body: Row, condition: str = "", status: int = HTTPStatus.OK) -> Response:
    """Answer with one record under its tag; 304 when ``condition`` (If-None-Match) names that."""
    tag = f'"{body["version"]}"'
    if condition and names(condition, tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"etag": tag})
    return JSONResponse(body, status, {"etag": tag})


def require_version(held: Records, row: Row, condition: str) -> None:
    """Let a write pass whose If-Match names the record's version. Raises ProblemError."""
    if not condition:
        raise ProblemError(ProblemCode.PRECONDITION_REQUIRED, "Say in If-Match which version you change.")
    if not names(condition, f'"{held.version(row)}"'):
        raise ProblemError(ProblemCode.PRECONDITION_FAILED, "The record has changed since.")


def place_of(after: str) -> tuple[str, str] | None:
    """Return time and id of the record that a page begins after. Raises ProblemError."""
    if not after:
        return None
    moment, comma, id_ = after.partition(",")
    if not comma or not id_:
        raise ProblemError(ProblemCode.INVALID_REQUEST, "Check after.")
    return moment, id_


def page_answer(held: Records, page: Page, moment: str) -> JSONResponse:
    """Answer with a page; ``next`` is what to send as ``after``, null at the end. ``moment`` names its time column."""
    last = page.rows[-1] if page.more else None
    after = f"{last[moment]},{last['id']}" if last else None
    return JSONResponse({"items": [full(held, row) for row in page.rows], "next": after})


def changes_answer(held: Records, changes: Changes, id_: str = "id") -> JSONResponse:
    """Answer with changes: each record as it is now, or null where it is gone."""
    items: list[dict[str, Any]] = [
        {"id": str(row[id_]), "value": None if row["deleted"] else full(held, row)} for row in changes.rows
    ]
    return JSONResponse({"items": items, "next": changes.next, "more": changes.more, "reset": changes.reset})
