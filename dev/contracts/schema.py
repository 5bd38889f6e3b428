"""A schema of OpenAPI 3.1 read so that two can be compared: references followed, ``allOf`` merged, null taken apart.

Owns what different spellings of the same values are. What a difference means, ``values.py`` says.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Json = Mapping[str, Any]

# Keywords that only speak to people.
_PROSE: Final = {"title", "description", "example", "examples", "$comment", "externalDocs"}
_UNIONS: Final = ("oneOf", "anyOf")


@dataclass(frozen=True, slots=True)
class Node:
    """One schema: its name where it has one, the types it allows besides null, its own keywords, its variants."""

    name: str | None
    types: frozenset[str]
    nullable: bool
    keywords: Json
    variants: Mapping[str, "Node"] = field(default_factory=dict)


class Schemas:
    """The named schemas of one document."""

    def __init__(self, document: Json) -> None:
        self._document = document

    def resolve(self, part: Json) -> tuple[str | None, Json]:
        """Follow references; returns the last name and what stands there (RFC 6901 pointers of this document)."""
        name = None
        while "$ref" in part:
            pointer = str(part["$ref"]).removeprefix("#/").split("/")
            target: Any = self._document
            for step in pointer:
                target = target[step.replace("~1", "/").replace("~0", "~")]
            rest = {key: value for key, value in part.items() if key != "$ref" and key not in _PROSE}
            name, part = pointer[-1], {**target, **rest}
        return name, part

    def node(self, schema: Json | bool) -> Node:
        """Read a schema."""
        if isinstance(schema, bool):
            return Node(None, frozenset(), nullable=schema, keywords={} if schema else {"not": {}})
        name, whole = self._whole(schema)
        variants = [(self.resolve(one)[0], one) for union in _UNIONS for one in whole.get(union, ())]
        solid = [(own, one) for own, one in variants if one.get("type") != "null"]
        nullable = _says_null(whole) or len(solid) < len(variants)
        own_keywords = {key: value for key, value in whole.items() if key not in (*_UNIONS, *_PROSE)}
        if len(solid) == 1:  # ``anyOf: [X, null]`` is X that may be null
            inner = self.node(solid[0][1])
            return Node(inner.name, inner.types, nullable or inner.nullable, {**inner.keywords, **own_keywords},
                        inner.variants)  # fmt: skip
        if solid and all(set(one) <= {"type", *_PROSE} for _, one in solid):  # a choice of plain types
            types = frozenset(kind for _, one in solid for kind in _types(one))
            return Node(name, types - {"null"}, nullable, own_keywords)
        named = {self._label(own, one): self.node(one) for own, one in solid}
        return Node(name, _types(whole) - {"null"}, nullable, own_keywords, named)

    def _whole(self, schema: Json) -> tuple[str | None, Json]:
        """Merge ``allOf`` into one schema: properties and what is required add up, the last word wins elsewhere."""
        name, part = self.resolve(schema)
        if "allOf" not in part:
            return name, part
        merged: dict[str, Any] = {}
        for one in (*part["allOf"], {key: value for key, value in part.items() if key != "allOf"}):
            inner_name, inner = self._whole(one)
            name = name or inner_name
            properties = {**merged.get("properties", {}), **inner.get("properties", {})}
            required = [*merged.get("required", ()), *inner.get("required", ())]
            merged |= {**inner, "properties": properties, "required": required}
        return name, merged

    @staticmethod
    def _label(name: str | None, schema: Json) -> str:
        return name or str(schema.get("title") or schema.get("type") or json.dumps(schema, sort_keys=True))


def pairs(old: Mapping[str, Node], new: Mapping[str, Node]) -> Iterator[tuple[str, Node | None, Node | None]]:
    """Match variants by name; when one of each is left, it was renamed, which nobody sees on the wire."""
    gone, come = [one for one in old if one not in new], [one for one in new if one not in old]
    if len(gone) == len(come) == 1:
        yield gone[0], old[gone[0]], new[come[0]]
        gone, come = [], []
    for name in (*(one for one in old if one in new), *gone, *come):
        yield name, old.get(name), new.get(name)


def _types(schema: Json) -> frozenset[str]:
    said = schema.get("type")
    if said is None:
        return frozenset({"object"}) if "properties" in schema else frozenset()
    return frozenset([said] if isinstance(said, str) else said)


def _says_null(schema: Json) -> bool:
    return "null" in _types(schema)
