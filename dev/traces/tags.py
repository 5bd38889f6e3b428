"""From OpenTelemetry attributes to Jaeger's tags, each bounded in size.

The names and types are those that Jaeger itself makes of OTLP, so a reader of one reads the other.
"""

import base64
import json
import math
from collections.abc import Iterable
from typing import Any, Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from dev.traces.span import Tag

# A value longer than a screenful helps nobody and would let one span fill the store.
MAX_TEXT: Final = 4_096
# OpenTelemetry's own default limit of attributes per span.
MAX_TAGS: Final = 128
# Beyond this a JavaScript reader would silently round.
MAX_SAFE_INTEGER: Final = 2**53 - 1


def text(value: str) -> str:
    """Cut an over-long text, visibly."""
    return value if len(value) <= MAX_TEXT else value[: MAX_TEXT - 1] + "…"


def tag(key: str, value: str | bool | float) -> Tag:
    """Return Jaeger's ``{key, type, value}`` for a plain value."""
    if isinstance(value, bool):
        return {"key": text(key), "type": "bool", "value": value}
    if isinstance(value, int):
        safe = abs(value) <= MAX_SAFE_INTEGER
        return {"key": text(key), "type": "int64", "value": value if safe else str(value)}
    if isinstance(value, float):
        return {"key": text(key), "type": "float64", "value": value if math.isfinite(value) else str(value)}
    return {"key": text(key), "type": "string", "value": text(value)}


def tags(attributes: Iterable[KeyValue], *, skip: str = "") -> list[Tag]:
    """Return the tags of an attribute list, at most ``MAX_TAGS``."""
    found = [_tag(one.key, one.value) for one in attributes if one.key != skip]
    return found[:MAX_TAGS]


def _tag(key: str, value: AnyValue) -> Tag:
    kind = value.WhichOneof("value")
    if kind == "bytes_value":
        return {"key": text(key), "type": "binary", "value": text(base64.b64encode(value.bytes_value).decode())}
    plain = _plain(value)
    if isinstance(plain, list | dict) or plain is None:
        plain = "" if plain is None else json.dumps(plain, ensure_ascii=False)
    return tag(key, plain)


def _plain(value: AnyValue) -> Any:
    """Return a JSON-able copy. Nesting is bounded by protobuf's own recursion limit (100)."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(one) for one in value.array_value.values]
    if kind == "kvlist_value":
        return {one.key: _plain(one.value) for one in value.kvlist_value.values}
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return None if kind is None else getattr(value, kind)
