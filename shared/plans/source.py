"""The Python of one selection: a function that puts an object's fields into the answer, one after the other.

    def selection(source, out, place, run):
        try:
            value = source.status
        except Exception as error:
            value = error
        if type(value) is not str:
            value = run.fill(value, (place, 'status', out, spot_1))
        out['status'] = value
        ...

Source text, because it is twice as fast as closures over the same steps and no harder to read; a traceback shows it.
Names of the operation stand in it as literals only. What each field's lines say depends on what the usual value is:
that value passes through them, anything else (null, an exception, something to wait for, another type) is
``Run.fill``'s business.
"""

import keyword
import linecache
import weakref
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from itertools import count
from typing import Any, Final

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLString,
)
from graphql.pyutils import Undefined
from strawberry import Schema

from shared.plans.completing import Select, Selection, spot_of
from shared.plans.place import Asked
from shared.plans.resolving import attribute_of, resolver_of
from shared.plans.run import plain

# What a value of these types is when graphql-core passes it through as it is.
AS_THEY_ARE: Final = {
    GraphQLString: "type(value) is str",
    GraphQLID: "type(value) is str",
    GraphQLBoolean: "value is True or value is False",
    GraphQLInt: "type(value) is int and -2147483648 <= value <= 2147483647",
    GraphQLFloat: "type(value) is float and -1.7976931348623157e308 <= value <= 1.7976931348623157e308",
}

numbers = count(1)


def selection_of(fields: Iterable[Asked], schema: Schema, select: Select) -> Selection:
    """Return the function for these fields of one object."""
    names: dict[str, Any] = {"plain": plain, "Undefined": Undefined}
    lines = ["def selection(source, out, place, run):"]
    for number, asked in enumerate(fields):
        lines += [f"    {line}" for line in _field(asked, number, names, schema, select)]
    return _made("\n".join([*lines, "    return out", ""]), names)


def _field(asked: Asked, number: int, names: dict[str, Any], schema: Schema, select: Select) -> Iterator[str]:
    """Give the lines of one field, and put what they name into ``names``."""
    key = repr(asked.key)
    if asked.nodes[0].name.value == "__typename":
        yield f"out[{key}] = {asked.on.name!r}"
        return
    names[f"spot_{number}"] = spot_of(asked, asked.definition.type, select)
    here = f"(place, {key}, out, spot_{number})"
    attribute = attribute_of(asked.definition)
    if attribute is None:
        names[f"resolve_{number}"] = resolver_of(asked, schema)
        yield f"here = {here}"
        read, here = f"resolve_{number}(source, here, run)", "here"
    elif attribute.isidentifier() and not keyword.iskeyword(attribute):
        read = f"source.{attribute}"
    else:
        read = f"getattr(source, {attribute!r})"
    fill = f"run.fill(value, {here})"
    inner = _nullable(asked.definition.type)
    if test := AS_THEY_ARE.get(inner) if isinstance(inner, GraphQLScalarType) else None:
        yield from (*_guarded(f"value = {read}"), f"if not ({test}):", f"    value = {fill}", f"out[{key}] = value")
    elif isinstance(inner, GraphQLEnumType) and (table := _members(inner)):
        names[f"names_{number}"], names[f"kind_{number}"] = table, type(next(iter(table)))
        known = f"names_{number}[value] if type(value) is kind_{number} else {fill}"
        yield from (*_guarded(f"value = {read}"), f"out[{key}] = {known}")
    elif isinstance(inner, GraphQLScalarType):
        names[f"coerce_{number}"] = inner.coerce_output_value
        coerced = f"said = coerce_{number}(value) if type(value) in plain else None"
        yield from ("said = None", *_guarded(f"value = {read}", coerced))
        yield from ("if said is None or said is Undefined:", f"    said = {fill}", f"out[{key}] = said")
    else:
        yield from (*_guarded(f"value = {read}"), f"out[{key}] = {fill}")


def _guarded(*lines: str) -> tuple[str, ...]:
    """Let what is raised be the value: the same error as one that is returned."""
    return ("try:", *(f"    {line}" for line in lines), "except Exception as error:", "    value = error")


def _nullable(type_: GraphQLOutputType) -> Any:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def _members(type_: GraphQLEnumType) -> Mapping[Enum, str]:
    """Return the names of a Python enum's members, when the type says them all."""
    kind = getattr(type_, "wrapped_cls", None)
    if not (isinstance(kind, type) and issubclass(kind, Enum)):
        return {}
    try:
        return {member: type_.coerce_output_value(member) for member in kind}
    except Exception:  # noqa: BLE001 - a member that the type does not know is judged when it comes
        return {}


def _made(source: str, names: dict[str, Any]) -> Selection:
    file = f"<plan {next(numbers)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), names)  # noqa: S102 - our own text: of the operation it holds literals only
    made: Selection = names.pop("selection")
    weakref.finalize(made, linecache.cache.pop, file, None)
    return made
