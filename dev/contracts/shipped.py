"""What a shipped REST client relies on, kept: the part of a contract that it reads and sends, as it was that day.

Owns the selection (``clients/<name>.yaml``: operation -> what it ``reads``, ``sends`` and knows of ``problems``) and
the trimmed document made from it once (``clients/<name>.openapi.json``). An update of the app is another client.

    GET /mobile/v1/dashboard:
      reads: [displayName, recentOrders.id]
      problems: [code, retryAfterSeconds]
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dev.contracts.rest import METHODS
from dev.contracts.schema import Json, Schemas

EVERYTHING: Final = "*"
_UNIONS: Final = {"oneOf", "anyOf", "allOf"}
_INNER: Final = {"items", "additionalProperties"}
KEYS: Final = {"reads", "sends", "problems"}


class SelectionError(Exception):
    """A selection names what the contract does not have; the message says what."""


def trimmed(document: Json, selection: Mapping[str, Mapping[str, Sequence[str]]]) -> dict[str, Any]:
    """Return the part of ``document`` that ``selection`` names. Raises SelectionError."""
    cut = _Cut(document)
    paths: dict[str, Any] = {}
    for operation, wanted in selection.items():
        method, _, path = operation.partition(" ")
        body = document["paths"].get(path, {}).get(method.lower())
        if body is None or method.lower() not in METHODS:
            raise SelectionError(f"{operation}: there is no such operation")
        if unknown := set(wanted) - KEYS:
            raise SelectionError(f"{operation}: {', '.join(sorted(unknown))}: known are {', '.join(sorted(KEYS))}")
        paths.setdefault(path, {})[method.lower()] = cut.operation(operation, body, wanted)
    components = {"schemas": cut.kept, "securitySchemes": document.get("components", {}).get("securitySchemes", {})}
    return {"openapi": document["openapi"], "info": document["info"], "paths": paths, "components": components}


class _Cut:
    """Cuts one document; ``kept`` are the named schemas of what was cut, each with all that anybody wanted of it."""

    def __init__(self, document: Json) -> None:
        self.kept: dict[str, Any] = {}
        self._schemas = Schemas(document)
        self._at = ""
        self._met: set[str] = set()

    def operation(self, shown: str, body: Json, wanted: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        self._at = shown
        sends = tuple(wanted.get("sends", ()))
        cut = {key: value for key, value in body.items() if key in {"operationId", "security"}}
        parameters = [self._schemas.resolve(one)[1] for one in body.get("parameters", ())]
        cut["parameters"] = [one for one in parameters if one.get("required") or one["name"] in sends]
        if "requestBody" in body:
            sent = tuple(one.removeprefix("body.") for one in sends if one.startswith("body."))
            cut["requestBody"] = self._content(self._schemas.resolve(body["requestBody"])[1], sent, sending=True)
        read = {True: tuple(wanted.get("reads", ())), False: tuple(wanted.get("problems", ()))}
        answers = ((status, status[0] in "123", answer) for status, answer in body["responses"].items())
        cut["responses"] = {
            status: self._content(self._schemas.resolve(answer)[1], read[well], sending=False)
            for status, well, answer in answers
            if read[well] or well
        }
        names = {one["name"] for one in parameters}
        if missing := [one for one in sends if not one.startswith("body.") and one not in names]:
            raise SelectionError(f"{shown}: no parameter is called {', '.join(missing)}")
        return cut

    def _content(self, part: Json, paths: tuple[str, ...], *, sending: bool) -> dict[str, Any]:
        self._met = set()
        content = {
            media: {"schema": self._schema(one["schema"], paths, "", frozenset(), sending=sending)}
            for media, one in part.get("content", {}).items()
            if "schema" in one
        }
        # A 304 has no body, and says nothing of members.
        if content and (missing := [one for one in paths if one != EVERYTHING and one not in self._met]):
            raise SelectionError(f"{self._at}: there is no {', '.join(missing)}")
        return {**part, "content": content}

    def _schema(self, schema: Any, paths: tuple[str, ...], at: str, above: frozenset[str], *, sending: bool) -> Any:
        if not isinstance(schema, dict):
            return schema
        name, whole = self._schemas.resolve(schema)
        if name is not None and name in above:
            return schema
        below = above | {name} if name else above
        cut = dict(whole)
        for union in _UNIONS & whole.keys():
            cut[union] = [self._schema(one, paths, at, below, sending=sending) for one in whole[union]]
        for inner in _INNER & whole.keys():
            cut[inner] = self._schema(whole[inner], paths, at, below, sending=sending)
        if "properties" in whole:
            cut |= self._members(whole, paths, at, below, sending=sending)
        if name is None:
            return cut
        self._keep(name, cut)
        return {"$ref": f"#/components/schemas/{name}"}

    def _members(
        self, whole: Json, paths: tuple[str, ...], at: str, above: frozenset[str], *, sending: bool
    ) -> dict[str, Any]:
        must = set(whole.get("required", ()))
        kept: dict[str, Any] = {}
        for name, one in whole["properties"].items():
            place = f"{at}{name}"
            if self._wanted(place, paths) or (sending and name in must):
                kept[name] = self._schema(one, paths, f"{place}.", above, sending=sending)
        return {"properties": kept, "required": [name for name in whole.get("required", ()) if name in kept]}

    def _wanted(self, place: str, paths: tuple[str, ...]) -> bool:
        for path in paths:
            if path == place:
                self._met.add(path)
            if path in {EVERYTHING, place} or path.startswith(f"{place}.") or place.startswith(f"{path}."):
                return True
        return False

    def _keep(self, name: str, cut: dict[str, Any]) -> None:
        known = self.kept.get(name)
        if known is not None and "properties" in known:
            properties = {**known["properties"], **cut["properties"]}
            cut = {**cut, "properties": properties, "required": sorted({*known["required"], *cut["required"]})}
        self.kept[name] = cut
