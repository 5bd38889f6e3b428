"""Whether an answer is what the committed OpenAPI document says: nothing missing, nothing undeclared.

contract = Contract.read(Path("bffs/mobile/openapi.json"))
assert contract.misfits("GET", "/mobile/v1/dashboard", answer) == []

Owns the part of JSON Schema that contracts made from our models use; a keyword beyond it is a ``KeyError``.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx

TYPES: Final[Mapping[str, type]] = {
    "string": str, "integer": int, "boolean": bool, "null": type(None), "array": list, "object": dict,
}  # fmt: skip

Schema = Mapping[str, Any]


class Contract:
    """One document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self._known: Mapping[str, Schema] = document["components"]["schemas"]

    @classmethod
    def read(cls, path: Path) -> "Contract":
        """Read the committed file."""
        return cls(json.loads(path.read_text()))

    def misfits(self, method: str, path: str, answer: httpx.Response) -> list[str]:
        """Return everything about an answer that the document does not say, status and media type included."""
        responses = self.document["paths"][path][method.lower()]["responses"]
        declared = responses.get(str(answer.status_code))
        if declared is None:
            return [f"status {answer.status_code} is undeclared"]
        media = answer.headers.get("content-type", "")
        if media not in declared["content"]:
            return [f"{answer.status_code} as {media!r} is undeclared"]
        return list(self._in(answer.json(), declared["content"][media]["schema"], ""))

    def misfits_of(self, value: Any, schema: str) -> list[str]:
        """Return where a value does not fit a named schema."""
        return list(self._in(value, self._known[schema], ""))

    def _in(self, value: Any, schema: Schema, place: str) -> Iterator[str]:
        if reference := schema.get("$ref"):
            yield from self._in(value, self._known[reference.rpartition("/")[2]], place)
        elif choices := schema.get("anyOf"):
            if all(any(self._in(value, choice, place)) for choice in choices):
                yield f"{place} fits none of {len(choices)}: {value!r}"
        elif not _is(value, schema["type"]) or value not in schema.get("enum", [value]):
            yield f"{place} is {value!r}"
        elif schema["type"] == "array":
            for at, item in enumerate(value):
                yield from self._in(item, schema["items"], f"{place}[{at}]")
        elif schema["type"] == "object":
            yield from self._members(value, schema, place)

    def _members(self, value: Mapping[str, Any], schema: Schema, place: str) -> Iterator[str]:
        declared = schema["properties"]
        yield from (f"{place}.{name} is missing" for name in schema.get("required", ()) if name not in value)
        yield from (f"{place}.{name} is undeclared" for name in value if name not in declared)
        for name in value.keys() & declared.keys():
            yield from self._in(value[name], declared[name], f"{place}.{name}")


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and not (isinstance(value, bool) and kind == "integer")
