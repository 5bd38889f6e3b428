"""Which declared answer a request gets: by method, path template and the query that the template names."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from string import Formatter
from typing import Any
from urllib.parse import parse_qsl, unquote

from pydantic import BaseModel

from shared.backends.backend import AnyCall, Call
from shared.testing.playing import Answer


@dataclass(frozen=True)
class Route:
    """A template, and what fits it is answered with."""

    name: str
    method: str
    path: re.Pattern[str]
    query: Mapping[str, str] | None
    make: Callable[[Mapping[str, str]], Answer]

    def match(self, method: str, target: str) -> Mapping[str, str] | None:
        """Return the template's parameters if a request fits, else None. A template without a query fits any."""
        path, _, query = target.partition("?")
        found = self.path.fullmatch(path)
        if method != self.method or found is None:
            return None
        parameters = {name: unquote(value) for name, value in found.groupdict().items()}
        if self.query is None:
            return parameters
        given = parse_qsl(query, keep_blank_values=True)
        if len(given) != len(self.query) or dict(given).keys() != self.query.keys():
            return None
        for name, value in given:
            wanted = self.query[name]
            if wanted.startswith("{"):
                parameters[wanted.strip("{}")] = value
            elif wanted != value:
                return None
        return parameters


def name_of(call: AnyCall | str) -> str:
    """Return what a call is named in records: ``GET /users/{user_id}/profile``."""
    return call if isinstance(call, str) else f"{call.method} {call.template}"


def route_of(call: AnyCall | str, body: object, status: int, headers: tuple[tuple[str, str], ...]) -> Route:
    """Return the route of a declared call, or of ``METHOD /template``."""
    name = name_of(call)
    method, _, template = name.partition(" ")
    if not template.startswith("/"):
        raise ValueError(f"{name!r} is neither a declared call nor 'METHOD /path'")
    path, asks, query = template.partition("?")
    pattern = "".join(re.escape(literal) + (f"(?P<{field}>[^/]+)" if field else "") for literal, field in _parts(path))

    def make(parameters: Mapping[str, str]) -> Answer:
        answer = Answer(status, _written(body(**parameters) if callable(body) else body), headers)
        if isinstance(call, Call) and not isinstance(body, bytes) and answer.status == HTTPStatus.OK:
            _must_fit(call, name, answer.body)
        return answer

    if not callable(body):
        make({})  # so that what does not fit is said where it was declared
    return Route(name, method, re.compile(pattern), dict(parse_qsl(query)) if asks else None, make)


def _parts(path: str) -> list[tuple[str, str | None]]:
    return [(literal, field) for literal, field, _, _ in Formatter().parse(path)]


def _written(body: object) -> bytes:
    if isinstance(body, bytes):
        return body
    return json.dumps(body, default=_plain, ensure_ascii=False).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    raise TypeError(f"{type(value).__name__} is neither a model nor JSON")


def _must_fit(call: AnyCall, name: str, body: bytes) -> None:
    try:
        call.decode(body)
    except ValueError as misfit:
        raise AssertionError(
            f"{name}: the scripted answer is not what the BFF reads. For an invalid one: fault(invalid(...)).\n{misfit}"
        ) from None
