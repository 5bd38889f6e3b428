"""The span as the viewer keeps it: ids as hex, times in microseconds, tags already in Jaeger's shape.

Owns the values only. Reading them from OTLP is ``otlp.py``'s work, keeping them ``store.py``'s, and putting them
together as Jaeger's trace ``jaeger.py``'s.
"""

from dataclasses import dataclass
from typing import Any

Tag = dict[str, Any]
"""Jaeger's ``{key, type, value}``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span of one service. ``body`` has the JSON-able rest: tags, logs, links, warnings."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    start_us: int
    duration_us: int
    body: dict[str, Any]
    process: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrace:
    """What the store has of one trace. ``dropped`` spans did not fit; ``touched_us`` is when the last one came."""

    trace_id: str
    spans: tuple[Span, ...]
    dropped: int
    touched_us: int
