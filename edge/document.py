"""YAML with memory: plain values that still know the line they came from.

Owns reading one file: ``${NAME:-default}`` from a mapping handed in, duplicate keys, and the place of every value.
What the values mean is ``spec``'s business.
"""

import re
from collections.abc import Mapping
from typing import Final

import yaml

from edge.problems import Place, Problem

# As in compose files: ${NAME:-default} stands in for unset or empty, ${NAME-default} for unset only; a name without a
# default must be set.
VARIABLE: Final = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<how>:?-)(?P<default>[^}]*))?\}")

# The deepest honest edge.yaml has nine levels; a bomb of aliases has no bottom.
MAX_DEPTH: Final = 20


class Block(dict[str, object]):
    """A YAML mapping that knows its line, and the line of each value."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places: dict[str, Place] = {}


class Sequence(list[object]):
    """A YAML sequence that knows its line, and the line of each item."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places: list[Place] = []
        self.ends: list[int] = []  # the last line of each item


class Reader:
    """Reads one file. Problems are collected, never raised: the reader goes on behind each."""

    def __init__(self, file: str, environment: Mapping[str, str]) -> None:
        self._file = file
        self._environment = environment
        self.problems: list[Problem] = []

    def read(self, text: str) -> Block:
        """Return the document's mapping; an empty one, with a problem, when there is none."""
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            self._add("not_yaml", Place(self._file, line), f"this is not YAML: {error.problem}", "correct the syntax")
            return Block(Place(self._file, 1))
        except (yaml.YAMLError, RecursionError) as error:  # a control character, or nesting without end
            said = str(error).splitlines()[0]
            self._add("not_yaml", Place(self._file, 1), f"this is not YAML: {said}", "correct the file")
            return Block(Place(self._file, 1))
        if not isinstance(node, yaml.MappingNode):
            self._add("not_yaml", Place(self._file, 1), "the file holds no mapping", "begin with a key, e.g. 'routes:'")
            return Block(Place(self._file, 1))
        return self._block(node, 0)

    def _value(self, node: yaml.Node, depth: int) -> object:
        if depth > MAX_DEPTH:
            self._add("not_yaml", self._place(node), f"nested deeper than {MAX_DEPTH} levels", "write it flat")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._block(node, depth)
        if isinstance(node, yaml.SequenceNode):
            sequence = Sequence(self._place(node))
            for item in node.value:
                sequence.append(self._value(item, depth + 1))
                sequence.places.append(self._place(item))
                sequence.ends.append(item.end_mark.line + (item.end_mark.column > 0))
            return sequence
        return self._scalar(node)

    def _block(self, node: yaml.MappingNode, depth: int) -> Block:
        block = Block(self._place(node))
        for key_node, value_node in node.value:
            key, place = str(key_node.value), self._place(key_node)
            if key in block:
                first = block.places[key]
                self._add("duplicate_key", place, f"{key!r} stands here a second time", f"keep one (first: {first})")
                continue
            block[key] = self._value(value_node, depth + 1)
            block.places[key] = place
        return block

    def _scalar(self, node: yaml.Node) -> object:
        if not isinstance(node, yaml.ScalarNode):  # an unknown tag's node: nothing of ours
            return None
        if VARIABLE.search(node.value):
            return VARIABLE.sub(lambda found: self._variable(found, node), node.value)
        if node.style in ("'", '"'):
            return str(node.value)
        try:
            return yaml.SafeLoader("").construct_object(node)
        except (yaml.YAMLError, ValueError):  # a foreign tag: no value of ours
            self._add("not_yaml", self._place(node), f"{node.tag} {node.value!r} is no plain value", "write it plainly")
            return None

    def _variable(self, found: re.Match[str], node: yaml.Node) -> str:
        name, default = found["name"], found["default"]
        value = self._environment.get(name)
        if value is None or (value == "" and found["how"] == ":-"):
            value = default
        if value is None:
            self._add(
                "unset_variable", self._place(node), f"${{{name}}} is not set",
                f"set {name} or give a default: ${{{name}:-…}}",
            )  # fmt: skip
            return ""
        return value

    def _place(self, node: yaml.Node) -> Place:
        return Place(self._file, node.start_mark.line + 1)

    def _add(self, rule: str, place: Place, message: str, remedy: str) -> None:
        self.problems.append(Problem(place, rule, message, remedy))
