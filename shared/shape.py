"""Shapes: what is read from backends and written to clients as JSON, in a third of the time of a pydantic model.

    class Order(Shape):
        id: Identifier
        placed_at: Moment

A shape is frozen, camelCase on the wire, refuses what does not fit and drops what nobody declared. msgspec reads and
writes it. To FastAPI and OpenAPI it looks like the pydantic model with the same fields (``described``), so a contract
does not change with it. A call's ``into``, a field of another shape, and what a handler returns can be shapes.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from pydantic import (
    BaseModel,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    GetPydanticSchema,
    TypeAdapter,
    create_model,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

T = TypeVar("T")


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _aware(_source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
    """Return what pydantic makes of a moment: the same as msgspec and the shape around it."""
    aware = core_schema.datetime_schema(tz_constraint="aware")
    return core_schema.no_info_after_validator_function(_utc, aware)


# A point in time that says its offset (without one it means another moment on every machine); once read it is in UTC.
Moment = Annotated[datetime, msgspec.Meta(tz=True), GetPydanticSchema(_aware)]


class AsText:
    """Marks a field that may come as a whole number and is text for everybody else."""


@dataclass(frozen=True, slots=True)
class Called:
    """Marks a field that the backend calls otherwise: ``tier: Annotated[str, Called("accountTier")]``."""

    name: str


class Shape(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """A part of an answer. Made of text, numbers, times and other shapes, so no cycle can begin here (``gc``)."""

    def __init_subclass__(cls, **config: Any) -> None:
        """Let numbers become text where a field is marked so, and moments UTC; msgspec looks for the method next."""
        super().__init_subclass__(**config)
        hints = get_type_hints(cls, include_extras=True)
        texts = [name for name, hint in hints.items() if any(isinstance(one, AsText) for one in get_args(hint)[1:])]
        moments = [name for name, hint in hints.items() if _is_moment(hint)]
        if texts or moments:
            cls.__post_init__ = _settler_of(texts, moments)  # type: ignore[attr-defined]

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic pass a shape through as it is, and write it as msgspec would."""
        written = core_schema.plain_serializer_function_ser_schema(_builtins)
        name = f"{cls.__module__}.{cls.__qualname__}:{id(cls)}"  # by which schemas refer to it, as to models
        return core_schema.is_instance_schema(cls, ref=name, serialization=written)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe it as the pydantic model with its fields."""
        return handler(described(cls).__pydantic_core_schema__)


def _is_moment(hint: Any) -> bool:
    """Tell whether a field is a moment, or one that may be missing."""
    return hint == Moment or any(one == Moment for one in get_args(hint))


def _settler_of(texts: Iterable[str], moments: Iterable[str]) -> Callable[[Shape], None]:
    """Return what settles a shape just read. Clients read every moment in UTC, whatever offset a backend writes.

    It runs for every item of every list, so it is written out field by field.
    """
    lines = [f"if shape.{name}.__class__ is int: change(shape, {name!r}, str(shape.{name}))" for name in texts]
    for name in moments:  # by identity: UTC is one object, and so is what msgspec makes of "Z"
        differs = f"shape.{name} is not None and shape.{name}.tzinfo is not UTC"
        lines.append(f"if {differs}: change(shape, {name!r}, shape.{name}.astimezone(UTC))")
    made: dict[str, Any] = {"change": msgspec.structs.force_setattr, "UTC": UTC}
    exec("\n    ".join(["def settle(shape):", *lines]), made)  # noqa: S102 - the names of a class's own fields
    settle: Callable[[Shape], None] = made["settle"]
    return settle


@cache
def described(shape: type[Shape]) -> type[BaseModel]:
    """Return the pydantic model that describes a shape: same names, types and texts."""
    hints = get_type_hints(shape, include_extras=True)
    fields: dict[str, Any] = {}
    for one in msgspec.structs.fields(shape):
        about = Field(... if one.required else one.default, alias=one.encode_name, description=_said(hints[one.name]))
        fields[one.name] = (hints[one.name], about)
    return create_model(shape.__name__, __doc__=shape.__doc__, __module__=shape.__module__, **fields)


def _said(hint: Any) -> str | None:
    """Return the description in a field's ``msgspec.Meta``."""
    metas = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((one.description for one in metas if isinstance(one, msgspec.Meta) and one.description), None)


def decoder(into: type[T]) -> Callable[[bytes], T]:
    """Return what reads JSON as that type: msgspec for shapes and tuples of them, pydantic for everything else.

    ``Called`` counts for the shape that a backend's answer is, or is a list of; deeper it raises TypeError.
    """
    listed = get_origin(into) is tuple
    shape: Any = get_args(into)[0] if listed else into
    if not (isinstance(shape, type) and issubclass(shape, Shape)):
        # The adapter's own method is the same behind checks of options that we never pass; it costs half a parse.
        return TypeAdapter(into).validator.validate_json
    theirs = _as_called(shape)
    if theirs is shape:
        return msgspec.json.Decoder(into).decode
    read = msgspec.json.Decoder(tuple[theirs, ...] if listed else theirs).decode  # type: ignore[valid-type]
    return lambda raw: msgspec.convert(read(raw), into, from_attributes=True)


def _as_called(shape: type[Shape]) -> type[msgspec.Struct]:
    """Return the shape under the names that its backend uses; itself when these are ours."""
    hints = get_type_hints(shape, include_extras=True)
    called = {name: one.name for name, hint in hints.items() for one in get_args(hint)[1:] if isinstance(one, Called)}
    for inner in _shapes_in(hints.values()):
        if _as_called(inner) is not inner:
            raise TypeError(f"{shape.__name__} holds {inner.__name__}, of which a backend calls a field otherwise")
    if not called:
        return shape
    fields = msgspec.structs.fields(shape)
    names = {one.name: called.get(one.name, one.encode_name) for one in fields}
    parts = [(one.name, hints[one.name], *(() if one.required else (one.default,))) for one in fields]
    return msgspec.defstruct(shape.__name__, parts, rename=names, kw_only=True, gc=False)


def _shapes_in(hints: Iterable[Any]) -> Iterator[type[Shape]]:
    for hint in hints:
        if isinstance(hint, type) and issubclass(hint, Shape):
            yield hint
        else:
            yield from _shapes_in(get_args(hint))


def _plain(value: Any) -> Any:
    """Say what msgspec does not know: pydantic models."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    raise NotImplementedError(f"{type(value).__name__} has no JSON")


encode: Final[Callable[[object], bytes]] = msgspec.json.Encoder(enc_hook=_plain).encode


def _builtins(value: Any) -> Any:
    return msgspec.to_builtins(value, enc_hook=_plain)
