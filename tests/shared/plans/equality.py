"""When two results of one operation are the same: data byte for byte, errors by path, message and location.

One freedom (GraphQL §6.4.4): where a failure below made something null, others below it may or may not have been
met by then. There, both must have said at least one. What fails where it stands must be said by both.
"""

import json
from collections import Counter
from typing import Any

from graphql import ExecutionResult, GraphQLError


def said(result: ExecutionResult) -> str:
    """Return the data as it would be sent."""
    return json.dumps(result.data, ensure_ascii=False)


def errors(result: ExecutionResult) -> Counter[tuple[str, str]]:
    """Return all errors, as they are."""
    return Counter(_said(one) for one in result.errors or ())


def _said(error: GraphQLError) -> tuple[str, str]:
    at = [(one.line, one.column) for one in error.locations or ()]
    return json.dumps(error.path), f"{error.message} {at}"


def settled_errors(result: ExecutionResult) -> tuple[Counter[tuple[str, str]], set[str]]:
    """Return the errors that stand where they failed, and the places that failures below made null."""
    own: Counter[tuple[str, str]] = Counter()
    below: set[str] = set()
    for one in result.errors or ():
        seen = null_above(result.data, one.path)
        if seen == one.path:
            own[_said(one)] += 1
        else:
            below.add(json.dumps(seen))
    return own, below


def null_above(data: Any, path: list[str | int] | None) -> list[str | int] | None:
    """Return the first place on the path that is null."""
    if path is None:
        return None
    for depth, key in enumerate([*path, None]):
        if data is None:
            return path[:depth]
        data = data[key]
    raise AssertionError(f"nothing is null on {path}")


def difference(ours: ExecutionResult, cores: ExecutionResult) -> str | None:
    """Return what differs; None when they are the same."""
    if said(ours) != said(cores):
        return f"data\n{said(ours)}\n{said(cores)}"
    if errors(ours) == errors(cores) or settled_errors(ours) == settled_errors(cores):
        return None
    return f"errors\n{errors(ours) - errors(cores)}\n{errors(cores) - errors(ours)}\nin {said(ours)}"
