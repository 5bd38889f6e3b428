"""What changed between two schemas of the same value: one small judge for each thing a schema can say.

Owns the walk, and the coordinates of what it finds: the nearest named schema and the way from there
(``Dashboard.recentOrders[]``). Which change hurts in which direction is the table's business (``change.py``).
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from dev.contracts.change import Change, Side, rest_change
from dev.contracts.schema import Node, Schemas, pairs

# Lower bounds: a higher one is tighter. Upper bounds: a lower one is.
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_MISSING: Final = object()
# Names of schemas that were entered on the way, before and after.
Path = tuple[tuple[str, str], ...]


class Found(NamedTuple):
    """A change before it has a place: its kind and what was and is."""

    kind: str
    says: str


class Values:
    """Compares values of one direction in one operation."""

    def __init__(self, old: Schemas, new: Schemas, side: Side, operation: str) -> None:
        self._old = old
        self._new = new
        self._side: Side = side
        self._operation = operation
        self._hidden = "readOnly" if side == "request" else "writeOnly"

    def compare(self, old: Any, new: Any, where: str) -> Iterator[Change]:
        """Yield every change between two schemas."""
        yield from self._nodes(self._old.node(old), self._new.node(new), where, ())

    def _nodes(self, old: Node, new: Node, where: str, above: Path) -> Iterator[Change]:
        # Whether it may be null, and what it is when left out, belong to the place that uses a named schema.
        yield from (self._change(found, where) for judge in (_null, _default) for found in judge(old, new))
        if old.name and new.name:
            if (old.name, new.name) in above:  # a tree of comments: seen already
                return
            where, above = old.name, (*above, (old.name, new.name))
        for judge in (_types, _format, _enum, _constant, _pattern, _bounds, _unique, _discriminator):
            yield from (self._change(found, where) for found in judge(old, new))
        if old.variants or new.variants:
            yield from self._variants(old, new, where, above)
        if bool(old.variants) == bool(new.variants):  # else one is a variant of the other, and compared as that
            yield from self._members(old, new, where, above)
            yield from self._items(old, new, where, above)
            yield from self._unknown_members(old, new, where, above)

    def _items(self, old: Node, new: Node, where: str, above: Path) -> Iterator[Change]:
        if "items" in old.keywords and "items" in new.keywords:
            inner = self._old.node(old.keywords["items"]), self._new.node(new.keywords["items"])
            yield from self._nodes(*inner, f"{where}[]", above)

    def _variants(self, old: Node, new: Node, where: str, above: Path) -> Iterator[Change]:
        # A schema without variants is its own only one.
        ours = old.variants or {old.name or "it": old}
        theirs = new.variants or {new.name or "it": new}
        for name, before, after in pairs(ours, theirs):
            if before is None:
                yield self._change(Found("variant-added", f"{name} is new"), where)
            elif after is None:
                yield self._change(Found("variant-removed", f"{name} is gone"), where)
            else:
                yield from self._nodes(before, after, f"{where}<{name}>", above)

    def _members(self, old: Node, new: Node, where: str, above: Path) -> Iterator[Change]:
        ours, theirs = self._visible(self._old, old), self._visible(self._new, new)
        if not ours and not theirs:
            return
        must, must_now = set(old.keywords.get("required", ())), set(new.keywords.get("required", ()))
        for name in {**ours, **theirs}:
            place = f"{where}.{name}"
            if name not in theirs:
                yield self._change(Found("property-removed", "it is gone"), place)
            elif name not in ours:
                kind = "property-added-required" if name in must_now else "property-added"
                yield self._change(Found(kind, "it is new"), place)
            else:
                for found in _presence(name in must, name in must_now, ours[name], theirs[name]):
                    yield self._change(found, place)
                yield from self._nodes(self._old.node(ours[name]), self._new.node(theirs[name]), place, above)

    def _unknown_members(self, old: Node, new: Node, where: str, above: Path) -> Iterator[Change]:
        before = old.keywords.get("additionalProperties", True)
        after = new.keywords.get("additionalProperties", True)
        if before is not False and after is False:
            yield self._change(Found("unknown-properties-refused", "undeclared properties were ignored"), where)
        elif before is False and after is not False:
            yield self._change(Found("unknown-properties-allowed", "undeclared properties were refused"), where)
        elif isinstance(before, dict) and isinstance(after, dict):
            yield from self._nodes(self._old.node(before), self._new.node(after), f"{where}.*", above)

    def _visible(self, schemas: Schemas, node: Node) -> dict[str, Any]:
        properties = node.keywords.get("properties", {})
        return {name: one for name, one in properties.items() if not schemas.resolve(one)[1].get(self._hidden)}

    def _change(self, found: Found, where: str) -> Change:
        return rest_change(found.kind, self._side, where, found.says, self._operation)


def _presence(must: bool, must_now: bool, old: Any, new: Any) -> Iterator[Found]:
    if must_now and not must:
        yield Found("property-became-required", "it was optional")
    if must and not must_now:
        yield Found("property-became-optional", "it was always there")
    if new.get("deprecated") and not old.get("deprecated"):
        yield Found("property-deprecated", "it is deprecated now")


def _null(old: Node, new: Node) -> Iterator[Found]:
    if new.nullable and not old.nullable:
        yield Found("became-nullable", "it was never null")
    elif old.nullable and not new.nullable:
        yield Found("became-not-nullable", "null was allowed")


def _types(old: Node, new: Node) -> Iterator[Found]:
    ours, theirs = old.types, new.types
    if ours == theirs or (old.variants or new.variants):
        return
    said = f"{_shown(ours)} became {_shown(theirs)}"
    if not theirs or _covers(theirs, ours):
        yield Found("type-widened", said)
    elif not ours or _covers(ours, theirs):
        yield Found("type-narrowed", said)
    else:
        yield Found("type-changed", said)


def _covers(wide: frozenset[str], narrow: frozenset[str]) -> bool:
    """Whether every value of one is a value of the other: a number may be whole."""
    return bool(narrow) and narrow <= (wide | ({"integer"} if "number" in wide else set()))


def _shown(types: frozenset[str]) -> str:
    return " or ".join(sorted(types)) or "anything"


def _format(old: Node, new: Node) -> Iterator[Found]:
    yield from _keyword(old, new, "format", "format-added", "format-removed", "format-changed")


def _pattern(old: Node, new: Node) -> Iterator[Found]:
    yield from _keyword(old, new, "pattern", "pattern-added", "pattern-removed", "pattern-changed")
    yield from _keyword(old, new, "multipleOf", "pattern-added", "pattern-removed", "pattern-changed")


def _keyword(old: Node, new: Node, keyword: str, added: str, removed: str, changed: str) -> Iterator[Found]:
    before, after = old.keywords.get(keyword, _MISSING), new.keywords.get(keyword, _MISSING)
    if before == after:
        return
    if before is _MISSING:
        yield Found(added, f"{keyword} {after!r} is new")
    elif after is _MISSING:
        yield Found(removed, f"{keyword} {before!r} is gone")
    else:
        yield Found(changed, f"{keyword} {before!r} became {after!r}")


def _enum(old: Node, new: Node) -> Iterator[Found]:
    before, after = old.keywords.get("enum"), new.keywords.get("enum")
    if before is None and after is not None:
        yield Found("enum-closed", f"only {after} now")
    elif before is not None and after is None:
        yield Found("enum-opened", f"it was one of {before}")
    elif before is not None and after is not None:
        yield from (Found("enum-value-removed", f"{one!r} is gone") for one in before if one not in after)
        yield from (Found("enum-value-added", f"{one!r} is new") for one in after if one not in before)


def _constant(old: Node, new: Node) -> Iterator[Found]:
    before, after = old.keywords.get("const", _MISSING), new.keywords.get("const", _MISSING)
    if before is not after and before != after:
        said = [("anything" if one is _MISSING else repr(one)) for one in (before, after)]
        yield Found("constant-changed", f"{said[0]} became {said[1]}")


def _bounds(old: Node, new: Node) -> Iterator[Found]:
    for keywords, sign in ((_LOWER, 1), (_UPPER, -1)):
        for keyword in keywords:
            before, after = old.keywords.get(keyword), new.keywords.get(keyword)
            if before == after:
                continue
            tighter = before is None or (after is not None and (after - before) * sign > 0)
            said = f"{keyword} {'none' if before is None else before} became {'none' if after is None else after}"
            yield Found("bound-tightened" if tighter else "bound-loosened", said)


def _unique(old: Node, new: Node) -> Iterator[Found]:
    before, after = bool(old.keywords.get("uniqueItems")), bool(new.keywords.get("uniqueItems"))
    if before != after:
        yield Found(
            "items-became-unique" if after else "items-no-longer-unique", f"uniqueItems {before} became {after}"
        )


def _default(old: Node, new: Node) -> Iterator[Found]:
    yield from _keyword(old, new, "default", *(["default-changed"] * 3))


def _discriminator(old: Node, new: Node) -> Iterator[Found]:
    before, after = (one.keywords.get("discriminator", {}).get("propertyName") for one in (old, new))
    if before != after and before is not None:
        yield Found("discriminator-changed", f"{before} became {after}")
