"""The orders backend: what a user has ordered, what that is made of, and the products."""

from collections import OrderedDict
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from dev.backends.asking import (
    After,
    Ids,
    IfNoneMatch,
    Limit,
    Since,
    UserId,
    changes_answer,
    full,
    page_answer,
    place_of,
    plain,
    record_answer,
    records,
    there,
)
from dev.backends.records import Records, Row
from dev.backends.sample import lines_of
from shared.errors import ProblemCode, ProblemError

COLUMNS: Final = "id, user AS userId, status, amount, currency, placed_at AS placedAt"
# How many keys of writes are remembered; as long as a client could still try again, in any test or demo.
MOST_KEYS: Final = 10_000
BIGGEST: Final = 2**63 - 1


def _whole(text: str) -> str:
    """Refuse what SQLite would compare as text with every number."""
    if not (text.isascii() and text.isdigit() and int(text) <= BIGGEST):
        raise ProblemError(ProblemCode.NOT_FOUND, "There is no such order.")
    return text


OrderId = Annotated[str, AfterValidator(_whole)]
Key = Annotated[str, Header(alias="idempotency-key", min_length=1, max_length=255)]

router = APIRouter()


class NewOrder(BaseModel):
    """An order like an earlier one of the same user."""

    model_config = ConfigDict(extra="forbid", strict=True)

    repeats: Annotated[str, Field(pattern=r"^[0-9]{1,19}$")]


class NewStatus(BaseModel):
    """Where an order is now: any word, for backends do invent new ones."""

    model_config = ConfigDict(extra="forbid", strict=True)

    status: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]


@router.get("/api/internal/orders")
async def list_orders(request: Request, user_id: UserId, limit: Limit = 5) -> JSONResponse:
    """The user's newest orders; none for a user that nobody is."""
    return JSONResponse([plain(row) for row in records(request).newest(limit, None, "user = ?", user_id).rows])


@router.get("/api/internal/orders/batch")
async def batch_orders(request: Request, user_id: UserId, ids: Ids) -> JSONResponse:
    """Several orders of a user at once; what is not his is left out."""
    return JSONResponse([full(records(request), row) for row in _mine(request, user_id, ids)])


@router.get("/api/internal/orders/lines")
async def batch_lines(request: Request, user_id: UserId, ids: Ids) -> JSONResponse:
    """What several orders of a user are made of."""
    rows = _mine(request, user_id, ids)
    return JSONResponse([{"orderId": row["id"], "lines": _lines(request, row)} for row in rows])


@router.get("/api/internal/products")
async def batch_products(request: Request, ids: Ids) -> JSONResponse:
    """Several products at once."""
    return JSONResponse(list(_products(request, dict.fromkeys(ids.split(","))).values()))


@router.get("/api/internal/users/{user_id}/orders")
async def page_orders(request: Request, user_id: str, limit: Limit = 20, after: After = "") -> JSONResponse:
    """A page of a user's orders, newest first."""
    held = records(request)
    return page_answer(held, held.newest(limit, place_of(after), "user = ?", user_id), "placedAt")


@router.post("/api/internal/users/{user_id}/orders")
async def add_order(request: Request, user_id: str, order: NewOrder, key: Key) -> Response:
    """Order the same again. The same key gives the same order, however often it comes."""
    held = records(request)
    keys: OrderedDict[tuple[str, str], tuple[str, int]] = request.app.state.keys
    repeats, made = keys.get((user_id, key), (order.repeats, 0))
    if repeats != order.repeats:
        raise ProblemError(ProblemCode.IDEMPOTENCY_KEY_REUSED)
    if not made:
        model = there(held.one("user = ? AND id = ?", user_id, _whole(order.repeats)))
        made = _add(held, model)
        keys[user_id, key] = order.repeats, made
        if len(keys) > MOST_KEYS:
            keys.popitem(last=False)
    return record_answer(full(held, there(held.one("id = ?", made))), status=HTTPStatus.CREATED)


@router.get("/api/internal/users/{user_id}/orders/changes")
async def list_changes(request: Request, user_id: str, since: Since = "", limit: Limit = 50) -> JSONResponse:
    """What changed among a user's orders."""
    held = records(request)
    return changes_answer(held, held.changes(since, limit, "user = ?", user_id))


@router.get("/api/internal/users/{user_id}/orders/{order_id}")
async def get_order(request: Request, user_id: str, order_id: OrderId, if_none_match: IfNoneMatch = "") -> Response:
    """One order of the user with its lines; 404 for another's."""
    held = records(request)
    row = there(held.one("user = ? AND id = ?", user_id, order_id))
    return record_answer({**full(held, row), "lines": _lines(request, row)}, if_none_match)


@router.put("/api/internal/users/{user_id}/orders/{order_id}/status")
async def put_status(request: Request, user_id: str, order_id: OrderId, status: NewStatus) -> Response:
    """Move an order on: the warehouse's own call, for demos and tests."""
    held = records(request)
    there(held.one("user = ? AND id = ?", user_id, order_id))
    held.change(order_id, status=status.status)
    return record_answer(full(held, there(held.one("id = ?", order_id))))


@router.delete("/api/internal/users/{user_id}/orders/{order_id}", status_code=HTTPStatus.NO_CONTENT)
async def delete_order(request: Request, user_id: str, order_id: OrderId) -> None:
    """Take an order out of the user's list; a tombstone stays in the sequence of changes."""
    held = records(request)
    if held.one("user = ? AND id = ?", user_id, order_id) is not None:
        held.change(order_id, deleted=1)


def _mine(request: Request, user_id: str, ids: str) -> list[Row]:
    wanted = [one for one in ids.split(",") if one.isascii() and one.isdigit() and int(one) <= BIGGEST]
    return records(request).among(wanted, "user = ?", user_id)


def _add(held: Records, model: Row) -> int:
    """Write a new order like ``model``, and return its id."""
    (newest,) = held.database.execute("SELECT max(id) FROM orders").fetchone()
    made: int = newest + 2  # odd, as all of them
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    held.add(
        id=made, user=model["userId"], status="placed", amount=model["amount"], currency=model["currency"],
        placed_at=now, drawn_from=_drawn_from(held, model["id"]),
    )  # fmt: skip
    return made


def _drawn_from(held: Records, order_id: int) -> int:
    (drawn_from,) = held.database.execute("SELECT drawn_from FROM orders WHERE id = ?", (order_id,)).fetchone()
    return int(drawn_from or order_id)


def _lines(request: Request, row: Row) -> list[dict[str, Any]]:
    lines = lines_of(_drawn_from(records(request), row["id"]), row["amount"])
    products = _products(request, (line.product for line in lines))
    return [
        {
            "productId": line.product, "name": products[line.product]["name"], "quantity": line.quantity,
            "unitAmount": line.unit_amount, "amount": line.amount, "currency": row["currency"],
        }
        for line in lines
    ]  # fmt: skip


def _products(request: Request, ids: Any) -> dict[str, Row]:
    wanted = list(ids)
    marks = ", ".join("?" * len(wanted))
    query = f"SELECT id, name, category FROM products WHERE id IN ({marks})"  # noqa: S608 - our own text
    found = {row["id"]: dict(row) for row in records(request).database.execute(query, wanted)}
    return {one: found[one] for one in wanted if one in found}
