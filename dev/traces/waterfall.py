"""The waterfall: what happened in one trace, as rows that anyone can draw.

One pure function, ``waterfall``, turns Jaeger's JSON of a trace into rows; ``terminal.py`` and the page draw them.
What one span means is ``rows.py``'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from dev.traces.rows import Role, Row, number_of, rows_of
from dev.traces.tree import Json, tree
from shared.telemetry import names

# A deadline further away than this would squeeze the bars: it is then told in words and drawn at no place.
DEADLINE_IN_SIGHT: Final = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One entry of ``degraded``; ``detail`` is what its section's span says happened."""

    section: str
    reason: str
    source: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """A whole trace, ready to draw. ``deadline_us`` is a place on the scale; ``spare_us`` what was left of it."""

    trace_id: str
    service: str
    name: str
    start_us: int
    total_us: int
    scale_us: int
    status: int
    deadline_ms: int
    deadline_us: int
    deadline_in_sight: bool
    spare_us: int
    degraded: tuple[Gap, ...]
    errors: int
    backends: tuple[str, ...]
    rows: tuple[Row, ...]
    warnings: tuple[str, ...]


def waterfall(trace: Json) -> Waterfall:
    """Return the rows of a trace in tree order, and what is true of the whole."""
    nodes = tree(trace)
    start_us = min((node.start_us for node in nodes), default=0)
    extent_us = max((node.end_us for node in nodes), default=0) - start_us
    rows = rows_of(nodes, start_us)
    answered = next((node for node in nodes if number_of(node, names.DEADLINE_MS)), None)
    deadline_ms = number_of(answered, names.DEADLINE_MS) if answered else 0
    deadline_us = answered.start_us - start_us + deadline_ms * 1_000 if answered else 0
    in_sight = 0 < deadline_us <= extent_us * DEADLINE_IN_SIGHT
    degraded = next((str(node.tags[names.DEGRADED]) for node in nodes if node.tags.get(names.DEGRADED)), "")
    details = {row.section: row.detail for row in rows if row.role is Role.SECTION}
    return Waterfall(
        trace_id=trace["traceID"],
        service=rows[0].service if rows else "",
        name=answered.name if answered else _title(rows),
        start_us=start_us,
        total_us=rows[0].duration_us if rows else 0,
        scale_us=max(extent_us, deadline_us if in_sight else 0, 1),
        status=next((row.status for row in rows if row.role is Role.SERVER and row.status), 0),
        deadline_ms=deadline_ms,
        deadline_us=deadline_us,
        deadline_in_sight=in_sight,
        spare_us=start_us + deadline_us - answered.end_us if answered else 0,
        degraded=gaps(degraded, details),
        errors=sum(row.error for row in rows),
        backends=tuple(sorted({row.backend for row in rows if row.backend})),
        rows=rows,
        warnings=tuple(trace.get("warnings") or ()),
    )


def gaps(value: str, details: Mapping[str, str] = MappingProxyType({})) -> tuple[Gap, ...]:
    """Read ``section:reason:source,…``."""
    parts = ([*one.strip().split(":"), "", ""] for one in value.split(",") if one.strip())
    return tuple(Gap(section=one[0], reason=one[1], source=one[2], detail=details.get(one[0], "")) for one in parts)


def _title(rows: tuple[Row, ...]) -> str:
    """Without a BFF in it, the first span with a route template says what was asked for."""
    routed = (row.name for row in rows if row.role is Role.SERVER and " /" in row.name)
    return next(routed, rows[0].name if rows else "")
