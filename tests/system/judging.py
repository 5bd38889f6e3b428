"""Whether an answer is valid by a committed contract, and whose data it has."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
from graphql import (
    FieldNode,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    SelectionSetNode,
    build_schema,
    is_leaf_type,
    parse,
)

from shared.errors import ProblemCode
from shared.testing.openapi import Contract
from tests.offsets import ROOT

MOBILE = Contract.read(ROOT / "bffs/mobile/openapi.json")
WEB = build_schema(Path(ROOT / "bffs/web/schema.graphql").read_text())
PROBLEM = "application/problem+json"
# Every piece of a user's data says whose it is.
OWNER = re.compile(r"of:(u-[a-z0-9]+)")


def mark(user: str) -> str:
    """Return what every piece of that user's data has in it."""
    return f"of:{user}"


def strangers(answer: httpx.Response, user: str) -> set[str]:
    """Return whose data is in an answer beside the user's own."""
    return set(OWNER.findall(answer.text)) - {user}


def mobile_misfits(path: str, answer: httpx.Response) -> list[str]:
    """Judge an answer of the mobile surface: its contract, or a problem, also one of the edge's own."""
    if answer.headers.get("content-type") == PROBLEM:
        return problem_misfits(answer)
    return MOBILE.misfits("GET", path, answer)


def web_misfits(query: str, answer: httpx.Response) -> list[str]:
    """Judge an answer of the web surface: data of the shape that was asked for, errors with path and code."""
    if answer.headers.get("content-type") == PROBLEM:
        return problem_misfits(answer)
    if answer.status_code != httpx.codes.OK:
        return [f"status {answer.status_code}"]
    body = answer.json()
    found = [] if "data" in body else ["no data"]
    found += [f"{name} is undeclared" for name in body.keys() - {"data", "errors", "extensions"}]
    found += [f"extension {name} is undeclared" for name in body.get("extensions", {}).keys() - {"cost"}]
    failed = []
    for error in body.get("errors", []):
        failed.append(error.get("path"))
        if error.get("extensions", {}).get("code") not in set(ProblemCode):
            found.append(f"an error without a code of the list: {error}")
    (operation,) = parse(query).definitions
    root = WEB.query_type
    assert root is not None
    return found + _selected(body.get("data"), root, operation.selection_set, [], failed)  # type: ignore[attr-defined]


def problem_misfits(answer: httpx.Response) -> list[str]:
    """Judge a problem: its schema, its status, and a 503 or 429 says when to come back."""
    body = json.loads(answer.content)
    found = MOBILE.misfits_of(body, "Problem")
    if body.get("status") != answer.status_code:
        found.append(f"status {answer.status_code} and {body.get('status')}")
    return found


def _selected(
    value: Any, kind: GraphQLObjectType, selections: SelectionSetNode, path: list[Any], failed: list[Any]
) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path} is {value!r}"]
    fields = {node.alias.value if node.alias else node.name.value: node for node in selections.selections}  # type: ignore[attr-defined]
    found = [f"{[*path, name]} was not asked for" for name in value.keys() - fields.keys()]
    for name, node in fields.items():
        if name not in value:
            found.append(f"{[*path, name]} is missing")
        else:
            found += _value(value[name], kind.fields[node.name.value].type, node, [*path, name], failed)
    return found


def _value(value: Any, kind: GraphQLOutputType, node: FieldNode, path: list[Any], failed: list[Any]) -> list[str]:
    if isinstance(kind, GraphQLNonNull):
        return [f"{path} is null"] if value is None else _value(value, kind.of_type, node, path, failed)
    if value is None:
        # A root field is null for one reason only: it failed, and an error says so.
        return [] if len(path) > 1 or path in failed else [f"{path} is null without an error"]
    if isinstance(kind, GraphQLList):
        if not isinstance(value, list):
            return [f"{path} is {value!r}"]
        return [one for at, item in enumerate(value) for one in _value(item, kind.of_type, node, [*path, at], failed)]
    if is_leaf_type(kind):
        return _leaf(value, kind, path)
    assert isinstance(kind, GraphQLObjectType)
    assert node.selection_set is not None
    return _selected(value, kind, node.selection_set, path, failed)


def _leaf(value: Any, kind: Any, path: list[Any]) -> list[str]:
    try:
        kind.parse_value(value)
    except Exception as misfit:  # noqa: BLE001 - graphql-core raises several kinds
        return [f"{path} is {value!r}: {misfit}"]
    return []
