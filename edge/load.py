"""From files to an assembled edge, or to every problem at once.

Owns reading ``edge.yaml`` and its fragments and turning pydantic's findings into ours. Names in problems are relative
to the folder one works in, so that a terminal can open them.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from edge.assembly import Edge
from edge.document import Block, Reader, Sequence
from edge.problems import Place, Problem, suggestion
from edge.spec.base import Spec
from edge.spec.files import EdgeSpec, FragmentSpec

# What pydantic finds, and which rule of ours that is; everything else is a bad value.
RULES: Final = {"extra_forbidden": "unknown_key", "missing": "missing_key"}
# Pydantic's words where they speak of Python; {context} is what it adds.
REMEDIES: Final = {
    "too_short": "name at least one",
    "string_type": "write a word, in quotes where YAML reads something else (no, on, 1.0)",
    "string_pattern_mismatch": "write it as {pattern}",
    "literal_error": "use {expected}",
    "model_type": "write a block of keys",
    "dict_type": "write a block of keys",
    "tuple_type": "write a list",
}
# Every rule that reading alone can break; each has its pair of files under tests/edge/bad/.
READING_RULES: Final = (
    "not_yaml", "duplicate_key", "unset_variable", "unknown_key", "missing_key", "bad_value", "missing_file",
)  # fmt: skip

Model = TypeVar("Model", bound=Spec)
# Takes a file's name and what it holds.
Mend = Callable[[str, Block], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What reading gave: an edge, unless a file could not be understood; all problems; all files that were read."""

    edge: Edge | None
    problems: tuple[Problem, ...]
    files: tuple[Path, ...]
    # Where each route stands: its file, first and last line.
    routes: tuple[tuple[str, int, int], ...] = ()

    def route_at(self, place: Place) -> tuple[str, int] | None:
        """Return the file and first line of the route that is written there, or None."""
        for file, first, last in self.routes:
            if file == place.file and first <= place.line <= last:
                return file, first
        return None


class Loader:
    """Reads one edge. Goes on behind each fault, so that a person sees all of them."""

    def __init__(self, environment: Mapping[str, str], mend: Mend | None = None) -> None:
        self._environment = environment
        self._mend = mend
        self.problems: list[Problem] = []
        self.files: list[Path] = []
        self.routes: list[tuple[str, int, int]] = []

    def edge(self, path: Path) -> Edge | None:
        """Read ``edge.yaml`` and every fragment that it includes."""
        spec = self._read(path, EdgeSpec, Place(_shown(path), 1))
        if spec is None:
            return None
        spec = self._here(spec)
        fragments: dict[str, FragmentSpec] = {}
        for name, include in spec.include.items():
            file = Path(os.path.normpath(path.parent / include.file))  # a mount's links are followed at each reading
            fragment = self._read(file, FragmentSpec, include.place)
            if fragment is not None:
                fragments[name] = fragment
        return Edge(spec, fragments)

    def _here(self, spec: EdgeSpec) -> EdgeSpec:
        """Leave out what is for a developer's machine, unless this is one."""
        if self._environment.get("FRONTAGE_MODE") == "local":
            return spec
        include = {name: one for name, one in spec.include.items() if not one.local}
        clusters = {name: one for name, one in spec.clusters.items() if not one.local}
        return spec.model_copy(update={"include": include, "clusters": clusters})

    def _read(self, path: Path, model: type[Model], asked_at: Place) -> Model | None:
        self.files.append(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            self._add(asked_at, "missing_file", f"cannot read {_shown(path)}: {reason}", "name a readable file")
            return None
        reader = Reader(_shown(path), self._environment)
        block = reader.read(text)
        self.problems.extend(reader.problems)
        if any(problem.rule == "not_yaml" for problem in reader.problems):
            return None
        if isinstance(listed := block.get("routes"), Sequence):
            ranges = zip(listed.places, listed.ends, strict=True)
            self.routes.extend((place.file, place.line, last) for place, last in ranges)
        if self._mend is not None:
            self._mend(_shown(path), block)
        try:
            return model.model_validate(block)
        except ValidationError as error:
            # A value that is not set cannot be good: one finding for it is enough.
            unset = {problem.place for problem in reader.problems}
            findings = error.errors(include_url=False)
            # A list is "too short" when its items were refused: that is no finding of its own.
            inner = {finding["loc"][:depth] for finding in findings for depth in range(len(finding["loc"]))}
            counting = [one for one in findings if one["type"] != "too_short" or one["loc"] not in inner]
            found = [_explain(finding, block, model) for finding in counting]
            self.problems.extend(problem for problem in found if problem.place not in unset)
            return None

    def _add(self, place: Place, rule: str, message: str, remedy: str) -> None:
        self.problems.append(Problem(place, rule, message, remedy))


def load(path: Path, environment: Mapping[str, str], mend: Mend | None = None) -> Loaded:
    """Read the edge at ``path``; ``environment`` fills the variables; ``mend`` may change what was read of a file."""
    loader = Loader(environment, mend)
    edge = loader.edge(path.absolute())
    return Loaded(edge, tuple(loader.problems), tuple(loader.files), tuple(loader.routes))


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _explain(finding: Any, block: Block, model: type[Spec]) -> Problem:
    location = tuple(part for part in finding["loc"] if part != "[key]")
    place = _place_of(block, location)
    rule = RULES.get(finding["type"], "bad_value")
    where = ".".join(str(part) for part in location)
    if rule == "unknown_key":
        known = _known_keys(model, location[:-1])
        return Problem(place, rule, f"{where!r} is no key here", suggestion(str(location[-1]), known))
    if rule == "missing_key":
        return Problem(place, rule, f"{where!r} is missing", f"add {location[-1]!r}")
    value = finding["input"]
    shown = "a block" if isinstance(value, dict | list) else repr(value)
    said = REMEDIES.get(finding["type"], "").format(**finding.get("ctx", {}))
    said = said or str(finding["msg"]).removeprefix("Value error, ")
    return Problem(place, rule, f"{where!r} is {shown}", said[:1].lower() + said[1:])


def _place_of(block: Block, location: tuple[str | int, ...]) -> Place:
    """Return the place of the value at ``location``, or of the innermost thing around it that was written."""
    place: Place = block.place
    current: object = block
    for part in location:
        match current, part:
            case Block(), str() if part in current:
                place, current = current.places[part], current[part]
            case Sequence(), int() if part < len(current):
                place, current = current.places[part], current[part]
            case _:
                break
    return place


def _known_keys(model: type[Spec], location: tuple[str | int, ...]) -> list[str]:
    """Walk the models along ``location``: fields by name, entries of maps and lists by their type."""
    current: Any = model
    for part in location:
        if isinstance(current, type) and issubclass(current, BaseModel):
            current = current.model_fields[str(part)].annotation if str(part) in current.model_fields else None
        else:
            arguments = [one for one in getattr(current, "__args__", ()) if one is not Ellipsis]
            current = arguments[-1] if arguments else None
        current = _unwrapped(current)
    if not (isinstance(current, type) and issubclass(current, BaseModel)):
        return []
    return [name for name in current.model_fields if name != "place"]


def _unwrapped(annotation: Any) -> Any:
    """Strip ``Annotated`` and ``| None`` from a type."""
    if hasattr(annotation, "__metadata__"):
        return _unwrapped(annotation.__origin__)
    options = [one for one in getattr(annotation, "__args__", ()) if one is not type(None)]
    if type(None) in getattr(annotation, "__args__", ()) and len(options) == 1:
        return _unwrapped(options[0])
    return annotation
