"""What changed between two OpenAPI documents, as clients of the older one see the newer.

Owns operations: who may call them, with which parameters and body, and what they answer. What changed inside of a
value is ``values.py``; how bad that is, the table of ``change.py``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from dev.contracts.change import Change, Side, gathered, rest_change
from dev.contracts.schema import Json, Schemas
from dev.contracts.values import Values

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# How a parameter is written when nothing is said (OpenAPI 3.1 §4.8.12).
_STYLES: Final = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
_NAME_IN_PATH: Final = re.compile(r"\{[^}]*\}")


def rest_changes(old: Json, new: Json) -> tuple[Change, ...]:
    """Return every change from ``old`` to ``new``, the worst first."""
    return gathered(_changes(old, new))


def _changes(old: Json, new: Json) -> Iterator[Change]:
    ours, theirs = operations(old), operations(new)
    for key in {**ours, **theirs}:
        if key not in theirs:
            yield rest_change("operation-removed", "request", ours[key].shown, "it is gone", ours[key].shown)
        elif key not in ours:
            yield rest_change("operation-added", "request", theirs[key].shown, "it is new", theirs[key].shown)
        else:
            yield from _Comparison(ours[key], theirs[key]).changes()


class Operation:
    """One operation with everything it inherits from its path and its document."""

    def __init__(self, document: Json, path: str, method: str) -> None:
        item = document["paths"][path]
        self.schemas = Schemas(document)
        self.shown = f"{method.upper()} {path}"
        self.body: Json = item[method]
        listed = [
            self.schemas.resolve(one)[1] for one in (*item.get("parameters", ()), *self.body.get("parameters", ()))
        ]
        self.parameters = {_place_of(path, one): one for _, one in map(self.schemas.resolve, listed)}
        self.security: list[Mapping[str, list[str]]] = self.body.get("security", document.get("security", []))
        self.sent: Json | None = (
            self.schemas.resolve(self.body["requestBody"])[1] if "requestBody" in self.body else None
        )
        self.answers: dict[str, Json] = {
            status: self.schemas.resolve(one)[1] for status, one in self.body.get("responses", {}).items()
        }


def operations(document: Json) -> dict[tuple[str, str], Operation]:
    """Return the operations by what tells them apart on the wire: a parameter's name in a path does not."""
    return {
        (_NAME_IN_PATH.sub("{}", path), method): Operation(document, path, method)
        for path, item in document.get("paths", {}).items()
        for method in METHODS
        if method in item
    }


def _place_of(path: str, parameter: Json) -> tuple[str, str]:
    if parameter["in"] == "path":
        names = re.findall(r"\{([^}]*)\}", path)
        return "path", str(names.index(parameter["name"]))
    return parameter["in"], parameter["name"].lower() if parameter["in"] == "header" else parameter["name"]


class _Comparison:
    """One operation, before and after."""

    def __init__(self, old: Operation, new: Operation) -> None:
        self._old, self._new = old, new
        self._shown = old.shown

    def changes(self) -> Iterator[Change]:
        old, new = self._old.body, self._new.body
        if new.get("deprecated") and not old.get("deprecated"):
            yield self._change("operation-deprecated", "request", "", "it is deprecated now")
        if old.get("operationId") != new.get("operationId"):
            said = f"operationId {old.get('operationId')} became {new.get('operationId')}"
            yield self._change("operation-renamed", "request", "", said)
        yield from self._security()
        yield from self._parameters()
        yield from self._body()
        yield from self._statuses()

    def _security(self) -> Iterator[Change]:
        # Alternatives, of which one is enough; an empty list, or an empty alternative: anybody may call.
        ours, theirs = ({frozenset(one): one for one in side.security} for side in (self._old, self._new))
        closed, closed_now = bool(ours) and frozenset() not in ours, bool(theirs) and frozenset() not in theirs
        if closed_now and not closed:
            yield self._change("security-added", "request", "", "anybody could call it")
        elif closed and not closed_now:
            yield self._change("security-removed", "request", "", "anybody may call it now")
        elif closed:
            for names in {**ours, **theirs}:
                yield from self._alternative(" + ".join(sorted(names)), ours.get(names), theirs.get(names))

    def _alternative(self, name: str, old: Json | None, new: Json | None) -> Iterator[Change]:
        if old is None or new is None:
            kind = "security-alternative-added" if old is None else "security-alternative-removed"
            yield self._change(kind, "request", "", f"{name} {'is new' if old is None else 'is gone'}")
            return
        before, after = ({scope for scopes in side.values() for scope in scopes} for side in (old, new))
        for scope in sorted(after - before):
            yield self._change("scope-added", "request", "", f"{name} must have {scope}")
        for scope in sorted(before - after):
            yield self._change("scope-removed", "request", "", f"{name} no longer needs {scope}")

    def _parameters(self) -> Iterator[Change]:
        ours, theirs = self._old.parameters, self._new.parameters
        for place in {**ours, **theirs}:
            old, new = ours.get(place), theirs.get(place)
            where = f" {place[0]} {(old or new or {})['name']}"
            if new is None:
                yield self._change("parameter-removed", "request", where, "it is no longer read")
            elif old is None:
                kind = "parameter-added-required" if new.get("required") else "parameter-added"
                yield self._change(kind, "request", where, "it is new")
            else:
                yield from self._parameter(old, new, where)

    def _parameter(self, old: Json, new: Json, where: str) -> Iterator[Change]:
        yield from self._required("parameter", "request", old, new, where)
        written, written_now = (_written(one) for one in (old, new))
        if written != written_now:
            yield self._change("parameter-style-changed", "request", where, f"{written} became {written_now}")
        yield from self._values("request", old.get("schema", True), new.get("schema", True), where)

    def _required(self, what: str, side: Side, old: Json, new: Json, where: str) -> Iterator[Change]:
        before, after = bool(old.get("required")), bool(new.get("required"))
        if before != after:
            kind = f"{what}-became-{'required' if after else 'optional'}"
            yield self._change(kind, side, where, f"it was {'required' if before else 'optional'}")

    def _body(self) -> Iterator[Change]:
        old, new = self._old.sent, self._new.sent
        if old is None and new is not None:
            yield self._change(
                "body-added-required" if new.get("required") else "body-added", "request", " body", "it is new"
            )
        elif old is not None and new is None:
            yield self._change("body-removed", "request", " body", "it is no longer read")
        elif old is not None and new is not None:
            yield from self._required("body", "request", old, new, " body")
            yield from self._contents("request", old, new, " body")

    def _contents(self, side: Side, old: Json, new: Json, where: str) -> Iterator[Change]:
        ours, theirs = old.get("content", {}), new.get("content", {})
        for media in {**ours, **theirs}:
            if media not in theirs:
                yield self._change("media-type-removed", side, where, f"{media} is gone")
            elif media not in ours:
                yield self._change("media-type-added", side, where, f"{media} is new")
            else:
                yield from self._values(side, ours[media].get("schema", True), theirs[media].get("schema", True), where)

    def _statuses(self) -> Iterator[Change]:
        ours, theirs = self._old.answers, self._new.answers
        for status in {**ours, **theirs}:
            old, new, where = ours.get(status), theirs.get(status), f" {status}"
            family = "status" if status[0] in "123" else "error-status"
            if new is None:
                yield self._change(f"{family}-removed", "response", where, "it is never answered now")
            elif old is None:
                yield self._change(f"{family}-added", "response", where, "it is new")
            else:
                yield from self._headers(old.get("headers", {}), new.get("headers", {}), where)
                yield from self._contents("response", old, new, where)

    def _headers(self, old: Json, new: Json, where: str) -> Iterator[Change]:
        ours, theirs = ({name.lower(): one for name, one in side.items()} for side in (old, new))
        for name in {**ours, **theirs}:
            place = f"{where} header {name}"
            if name not in theirs:
                yield self._change("header-removed", "response", place, "it is gone")
            elif name not in ours:
                yield self._change("header-added", "response", place, "it is new")
            else:
                before, after = self._old.schemas.resolve(ours[name])[1], self._new.schemas.resolve(theirs[name])[1]
                yield from self._required("header", "response", before, after, place)
                yield from self._values("response", before.get("schema", True), after.get("schema", True), place)

    def _values(self, side: Side, old: Any, new: Any, where: str) -> Iterable[Change]:
        values = Values(self._old.schemas, self._new.schemas, side, self._shown)
        return values.compare(old, new, f"{self._shown}{where}")

    def _change(self, kind: str, side: Side, where: str, says: str) -> Change:
        return rest_change(kind, side, f"{self._shown}{where}", says, self._shown)


def _written(parameter: Json) -> str:
    style = parameter.get("style", _STYLES[parameter["in"]])
    explode = parameter.get("explode", style == "form")
    return f"{style}{', exploded' if explode else ''}"
