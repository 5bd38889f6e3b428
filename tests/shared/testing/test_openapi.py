"""The judge of contracts: a judge that finds nothing would prove nothing."""

from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from shared.backends.sections import Degraded
from shared.testing.openapi import Contract


class Order(BaseModel):
    id: str
    count: int
    urgent: bool = False
    note: str | None = None
    parts: tuple[Degraded, ...] = ()


def contract() -> Contract:
    schema = Order.model_json_schema(ref_template="#/components/schemas/{model}")
    known = {**schema.pop("$defs"), "Order": schema}
    ref = {"schema": {"$ref": "#/components/schemas/Order"}}
    responses = {"200": {"content": {"application/json": ref}}}
    return Contract({"paths": {"/o": {"get": {"responses": responses}}}, "components": {"schemas": known}})


GOOD = {"id": "1", "count": 1}
GAP = {"section": "x", "reason": "timeout", "source": "none", "ageSeconds": None, "retryAfterSeconds": None}


def test_what_fits_has_no_misfit() -> None:
    """With what may be left out, and with all of it."""
    for body in (GOOD, GOOD | {"note": None, "parts": [GAP], "urgent": True}):
        assert contract().misfits("GET", "/o", httpx.Response(200, json=body)) == []


@pytest.mark.parametrize(
    ("body", "misfits"),
    [
        ({"id": "1"}, [".count is missing"]),
        (GOOD | {"more": 1}, [".more is undeclared"]),
        (GOOD | {"count": True}, [".count is True"]),
        (GOOD | {"count": 1.5}, [".count is 1.5"]),
        (GOOD | {"id": None}, [".id is None"]),
        (GOOD | {"note": 7}, [".note fits none of 2: 7"]),
        (GOOD | {"parts": {}}, [".parts is {}"]),
        (GOOD | {"parts": [GAP, GAP | {"reason": "bored"}]}, [".parts[1].reason is 'bored'"]),
        ([], [" is []"]),
    ],
    ids=str,
)
def test_what_does_not_fit_is_named_with_its_place(body: Any, misfits: list[str]) -> None:
    """Missing, undeclared, of another type, outside a closed list: at any depth."""
    assert contract().misfits("GET", "/o", httpx.Response(200, json=body)) == misfits


def test_an_undeclared_status_or_media_type_is_a_misfit() -> None:
    """Clients are generated from what is declared."""
    assert contract().misfits("GET", "/o", httpx.Response(204)) == ["status 204 is undeclared"]
    assert contract().misfits("GET", "/o", httpx.Response(200, text="{}")) == [
        "200 as 'text/plain; charset=utf-8' is undeclared"
    ]
