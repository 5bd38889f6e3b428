"""Operations made up over any schema, from a seed: valid ones, in all the forms that documents have.

Aliases come from a small store, so that fields meet and merge; fragments are named, inline, with and without a type;
``@skip`` and ``@include`` read literals and variables; arguments are left out, literal, null, or variables of theirs.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    parse,
    validate,
)
from graphql.pyutils import Undefined

ALIASES = ("a", "b", "c")
FRAGMENTS_AT_MOST = 3
SCALARS: dict[str, tuple[str, ...]] = {
    "Int": ("1", "2", "0", "-1"),
    "Float": ("1", "2.5"),
    "String": ('"x"', '"\\u00e9 \\"y\\""', '""'),
    "Boolean": ("true", "false"),
    "DateTime": ('"2026-01-02T03:04:05+00:00"',),
    "Decimal": ('"1.50"',),
}
VALUES: dict[str, tuple[Any, ...]] = {
    "Int": (1, 2, 0), "Float": (1, 2.5), "String": ("x", "é"), "Boolean": (True, False),
    "DateTime": ("2026-01-02T03:04:05+00:00",), "Decimal": ("1.50",),
}  # fmt: skip
WRONG: tuple[Any, ...] = (None, "wrong", 2**40, [], {}, 1.5, True, {"low": "x"}, [None])


@dataclass
class Document:
    """A document of one operation, and variables for it."""

    text: str
    variables: dict[str, Any] = field(default_factory=dict)


def documents(
    schema: GraphQLSchema, seed: int, roots: tuple[str, ...] = ("query",), ids: tuple[str, ...] = ("7",)
) -> Iterator[Document]:
    """Give valid operations without end; ``ids`` are worth asking for."""
    dice = random.Random(seed)
    while True:
        found = Writer(schema, dice, ids).document(dice.choice(roots))
        if not validate(schema, parse(found.text)):
            yield found


class Writer:
    """Writes one document."""

    def __init__(self, schema: GraphQLSchema, dice: random.Random, ids: tuple[str, ...]) -> None:
        self.schema, self.dice, self.ids = schema, dice, ids
        self.size = dice.choice((3, 6, 12, 25))
        self.declared: dict[str, str] = {}
        self.values: dict[str, Any] = {}
        self.fragments: dict[str, tuple[str, str]] = {}
        self.asked: dict[str, str] = {}  # what each key stands for, so that what meets can merge

    def document(self, root: str) -> Document:
        type_ = {"query": self.schema.query_type, "mutation": self.schema.mutation_type}[root]
        body = self.selections(type_, self.dice.choice((2, 3, 4)))
        declared = f" Made({' '.join(self.declared.values())})" if self.declared else ""
        fragments = "".join(f" fragment {name} on {on} {text}" for name, (on, text) in self.fragments.items())
        return Document(f"{root}{declared} {body}{fragments}", self.values)

    def selections(self, type_: Any, depth: int) -> str:
        parts = [self.selection(type_, depth) for _ in range(self.dice.randint(1, 5))]
        return f"{{ {' '.join(parts)} }}"

    def selection(self, type_: Any, depth: int) -> str:
        chance = self.dice.random()
        if chance < 0.12 and depth:
            return f"... {self.decided()} {self.selections(type_, depth - 1)}"
        if chance < 0.3 and depth:
            on = self.dice.choice(self.possible(type_))
            return f"... on {on} {self.decided()} {self.selections(on, depth - 1)}"
        if chance < 0.42 and depth and (name := self.fragment(self.dice.choice(self.possible(type_)), depth - 1)):
            return f"...{name} {self.decided()}"
        return self.field(type_, depth)

    def possible(self, type_: Any) -> list[Any]:
        if is_abstract_type(type_):
            return [type_, *self.schema.get_possible_types(type_)]
        return [type_, *type_.interfaces]

    def fragment(self, on: Any, depth: int) -> str:
        """Return the name of a fragment on that type, perhaps a new one; none when there are enough others."""
        usable = [name for name, (type_, _) in self.fragments.items() if type_ == str(on)]
        if usable and self.dice.random() < 0.6:
            return self.dice.choice(usable)
        name = f"F{len(self.fragments)}"
        if len(self.fragments) >= FRAGMENTS_AT_MOST:
            return usable[0] if usable else ""
        self.fragments[name] = ("", "")  # being written: nobody may spread it yet
        self.fragments[name] = (str(on), self.selections(on, depth))
        return name

    def field(self, type_: Any, depth: int) -> str:
        fields = getattr(type_, "fields", {})
        self.size -= 1
        usable = [
            (name, one) for name, one in fields.items()
            if is_leaf_type(get_named_type(one.type)) or (depth > 0 and self.size > 0)
        ]  # fmt: skip
        if not usable or self.dice.random() < 0.08:
            return "__typename" if self.dice.random() < 0.7 else f"{self.dice.choice(ALIASES)}: __typename"
        name, one = self.dice.choice(usable)
        named = get_named_type(one.type)
        below = "" if is_leaf_type(named) else f" {self.selections(named, depth - 1)}"
        return f"{self.key(name, one)} {self.decided()}{below}"

    def key(self, name: str, one: Any) -> str:
        """Return the field with its arguments, under an alias or its own name: the same key is the same field."""
        key = self.dice.choice(ALIASES) if self.dice.random() < 0.25 else name
        if key in self.asked and key != name and self.asked[key].partition("(")[0] != f"{key}: {name}":
            key = name
        if key not in self.asked:
            self.asked[key] = f"{name if key == name else f'{key}: {name}'}{self.arguments(one)}"
        return self.asked[key]

    def arguments(self, one: Any) -> str:
        said = []
        for name, argument in one.args.items():
            needed = isinstance(argument.type, GraphQLNonNull) and argument.default_value is Undefined
            if needed or self.dice.random() < 0.5:
                said.append(f"{name}: {self.argument(argument)}")
        return f"({', '.join(said)})" if said else ""

    def argument(self, argument: Any) -> str:
        if self.dice.random() < 0.4:
            return self.variable(argument.type, optional=argument.default_value is not Undefined)
        return self.literal(argument.type)

    def literal(self, type_: Any, depth: int = 2, *, null: float = 0.1) -> str:
        if isinstance(type_, GraphQLNonNull):
            return self.literal(type_.of_type, depth, null=0)
        if self.dice.random() < null:
            return "null"
        if isinstance(type_, GraphQLList):
            return f"[{', '.join(self.literal(type_.of_type, depth) for _ in range(self.dice.randrange(3)))}]"
        if isinstance(type_, GraphQLEnumType):
            return self.dice.choice(list(type_.values))
        if isinstance(type_, GraphQLInputObjectType):
            fields = [
                f"{name}: {self.dice.choice((self.literal, self.in_object))(one.type, depth - 1)}"
                for name, one in type_.fields.items()
                if (isinstance(one.type, GraphQLNonNull) and one.default_value is Undefined)
                or (depth and self.dice.random() < 0.5)
            ]
            return f"{{{', '.join(fields)}}}"
        if type_.name == "ID":
            return f'"{self.dice.choice(self.ids)}"'
        return self.dice.choice(SCALARS[type_.name])

    def in_object(self, type_: Any, depth: int) -> str:
        return self.variable(type_) if is_leaf_type(get_named_type(type_)) else self.literal(type_, depth)

    def decided(self) -> str:
        chance = self.dice.random()
        if chance > 0.2:
            return ""
        name = self.dice.choice(("skip", "include"))
        boolean = GraphQLNonNull(self.schema.type_map["Boolean"])
        value = self.dice.choice(("true", "false")) if chance > 0.12 else self.variable(boolean)
        return f"@{name}(if: {value})"

    def variable(self, type_: Any, *, optional: bool = False) -> str:
        """Declare a variable, or use one of this type again; give it a value, most often one that fits."""
        name = f"v{len(self.declared)}"
        same = [one for one, said in self.declared.items() if said.partition(": ")[2] == str(type_)]
        if same and self.dice.random() < 0.7:
            return f"${self.dice.choice(same)}"
        inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        said, value = str(type_), self.value(inner)
        if self.dice.random() < 0.3:
            said = f"{type_} = {self.constant(inner)}"
        elif optional and self.dice.random() < 0.5:
            said = str(inner)  # null then fails where it is used
        self.declared[name] = f"${name}: {said}"
        if self.dice.random() < 0.8 or ("=" not in said and said.endswith("!")):
            self.values[name] = self.dice.choice(WRONG) if self.dice.random() < 0.03 else value
        return f"${name}"

    def constant(self, type_: Any) -> str:
        while "$" in (said := self.literal(type_)) or said == "null":
            pass
        return said

    def value(self, type_: Any, depth: int = 2) -> Any:
        if isinstance(type_, GraphQLNonNull):
            return self.value(type_.of_type, depth)
        if isinstance(type_, GraphQLList):
            return [self.value(type_.of_type, depth) for _ in range(self.dice.randrange(3))]
        if isinstance(type_, GraphQLEnumType):
            return self.dice.choice(list(type_.values))
        if isinstance(type_, GraphQLInputObjectType):
            return {
                name: self.value(one.type, depth - 1)
                for name, one in type_.fields.items()
                if (isinstance(one.type, GraphQLNonNull) and one.default_value is Undefined)
                or (depth and self.dice.random() < 0.5)
            }
        return self.dice.choice(self.ids if type_.name == "ID" else VALUES[type_.name])
