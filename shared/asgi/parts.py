"""A part of a screen: the sections asked for, without those that the client has, and of their members those it wants.

GET /dashboard?sections=alerts&fields=alerts.message        If-Section-Match: alerts="5f1c", recentOrders="0a77"

Owns both parameters and the header, and what they leave of an answer; what the contract says of that is
``part_contract.py``. Nothing here runs for a request that has none of the three. Members are cut out of the answer's
own bytes: what is left is never encoded anew.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple, get_args, get_type_hints
from urllib.parse import parse_qsl

import msgspec

from shared.asgi.validators import digest_of_parts
from shared.backends.sections import Degraded, Sections
from shared.errors import ProblemCode, ProblemError
from shared.shape import Shape

MEDIA_TYPE: Final = "application/vnd.frontage.part+json"
HEADER: Final = b"if-section-match"
HELD: Final = re.compile(r'([A-Za-z0-9]+)\s*=\s*(?:W/)?"([^"]*)"')
# A client that wants more pieces than this wants the whole.
MOST_NAMES: Final = 100
# Apps ask in a handful of ways; what is asked once need not be remembered for long.
MOST_REMEMBERED: Final = 256
# Always there: without it a hole would look like an answer.
ALWAYS: Final = frozenset({"degraded", "tags", "unchanged"})

Tree = Mapping[str, Any]
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Wanted(NamedTuple):
    """What a query asks for; None: all."""

    sections: frozenset[str] | None
    fields: Tree | None
    named: str


ALL: Final = Wanted(None, None, "")


class Parts:
    """How a screen's answer falls into sections. ``members`` are those of a section that has not its own name's one.

    Raises TypeError for a screen that cannot be answered in part, or a mapping that does not fit it.
    """

    def __init__(self, answer: type[Shape], sections: type[Sections] | None = None, **members: tuple[str, ...]) -> None:
        self.answer = answer
        self.tree = tree_of(answer)
        declared = sections.declared if sections else ()
        if whole := [one.name for one in declared if one.fallback is None]:
            raise TypeError(f"{answer.__name__}: {', '.join(whole)} is required, so there is no part without it")
        self.attributes = {one.name: one.attribute for one in declared}
        self.members = {name: members.get(name, (name,)) for name in self.attributes}
        if lost := members.keys() - self.attributes.keys() or {
            one for names in self.members.values() for one in names if one not in self.tree
        }:
            raise TypeError(f"{answer.__name__} has no {', '.join(sorted(lost))}")
        self._section_of = {one: name for name, names in self.members.items() for one in names}
        self._read = lru_cache(MOST_REMEMBERED)(self._wanted)

    def asked(self, query: bytes) -> Collection[str] | None:
        """Return the attributes of the sections to fetch, for ``fetch(..., only=)``; None is all of them."""
        wanted = self.wanted(query) if query else ALL
        return None if wanted.sections is None else [self.attributes[name] for name in wanted.sections]

    def wanted(self, query: bytes) -> Wanted:
        """Return what a query asks for. Raises ProblemError for a name that the screen does not have."""
        return self._read(query)

    def _wanted(self, query: bytes) -> Wanted:
        given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
        names, paths = _names(given, "sections"), _names(given, "fields")
        if names is not None and not names <= self.attributes.keys():
            raise ProblemError(ProblemCode.INVALID_REQUEST, "Check sections.")
        fields = None if paths is None else self._branch(paths)
        return Wanted(names, fields, given.get("fields", ""))

    def _branch(self, paths: Collection[str]) -> Tree:
        wanted: dict[str, Any] = {}
        for path in sorted(paths):  # a member before its own members: all of it is more than some
            known, into = self.tree, wanted
            *above, last = path.split(".")
            for name in above:
                if not known.get(name):
                    raise ProblemError(ProblemCode.INVALID_REQUEST, "Check fields.")
                known, into = known[name], into.setdefault(name, {})
                if into is None:
                    break
            if last not in known:
                raise ProblemError(ProblemCode.INVALID_REQUEST, "Check fields.")
            if into is not None:
                into[last] = None
        return wanted

    def cut(self, body: bytes, query: bytes, held: str | None, gaps: Collection[str]) -> bytes:
        """Return the part of a whole answer. ``held`` is ``If-Section-Match``; ``gaps`` are its degraded sections."""
        wanted = self.wanted(query) if query else ALL
        members = _members(body)
        sections = self.members if wanted.sections is None else wanted.sections
        named = wanted.named.encode("utf-8", "replace")  # other fields of a section are another answer
        tags = {
            name: digest_of_parts(named, *(members[one] for one in its))
            for name, its in self.members.items()
            if name in sections and name not in gaps
        }
        has = dict(HELD.findall(held)) if held else {}
        unchanged = [name for name, tag in tags.items() if has.get(name) == tag]
        left = {
            name: _kept(raw, wanted.fields, name)
            for name, raw in members.items()
            if self._is_left(name, sections, unchanged, wanted.fields)
        }
        return msgspec.json.encode({**left, "tags": tags, "unchanged": unchanged} if self.members else left)

    def _is_left(self, name: str, sections: Collection[str], unchanged: list[str], fields: Tree | None) -> bool:
        if name in ALWAYS:
            return True
        section = self._section_of.get(name)
        if section is not None and (section not in sections or section in unchanged):
            return False
        return fields is None or name in fields


def _names(given: Mapping[str, str], parameter: str) -> frozenset[str] | None:
    if parameter not in given:
        return None
    names = given[parameter].split(",", MOST_NAMES)
    if len(names) > MOST_NAMES:
        raise ProblemError(ProblemCode.INVALID_REQUEST, f"Check {parameter}.")
    return frozenset(names)


def _kept(raw: msgspec.Raw, fields: Tree | None, name: str) -> object:
    wanted = None if fields is None else fields.get(name)
    return raw if wanted is None else _only(msgspec.json.decode(raw), wanted)


def _only(value: Any, wanted: Tree) -> Any:
    if isinstance(value, list):
        return [_only(one, wanted) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: one if wanted[name] is None else _only(one, wanted[name]) for name, one in value.items() if name in wanted
    }


def shapes_in(hint: Any) -> Iterator[type[Shape]]:
    """Yield the shapes that a type is made of, and that have a choice of members: a gap is told whole or not at all."""
    if isinstance(hint, type) and issubclass(hint, Shape) and hint is not Degraded:
        yield hint
    for one in get_args(hint):
        yield from shapes_in(one)


@cache
def tree_of(shape: type[Shape]) -> Tree:
    """Return the members of a shape, and of the shapes in it; None where there is nothing to choose from."""
    hints = get_type_hints(shape, include_extras=True)
    inner = {one.encode_name: next(shapes_in(hints[one.name]), None) for one in msgspec.structs.fields(shape)}
    return {name: None if one is None else tree_of(one) for name, one in inner.items()}
