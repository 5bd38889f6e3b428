"""Finding traces by their spans: Jaeger's query parameters, as one frozen value and one SQL statement.

A trace is found when one of its spans fits everything that is asked. Newest first.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dev.traces.store import Store

DEFAULT_LIMIT: Final = 20  # Jaeger's own
MAX_LIMIT: Final = 1_500  # Jaeger's own page asks for no more
UNITS_US: Final = {"us": 1, "µs": 1, "μs": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
DAY_US: Final = 24 * UNITS_US["h"]
DURATION: Final = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(us|µs|μs|ms|s|m|h|d)")

FIND: Final = """
SELECT trace_id, touched_us FROM traces WHERE number IN (
  SELECT trace FROM spans WHERE (:service = '' OR service = :service) AND (:operation = '' OR name = :operation)
    AND start_us BETWEEN :start_us AND :end_us AND duration_us BETWEEN :min_us AND :max_us)
ORDER BY start_us DESC, number DESC LIMIT :limit
"""
SERVICES: Final = "SELECT DISTINCT service FROM spans ORDER BY service"
OPERATIONS: Final = "SELECT DISTINCT name FROM spans WHERE service = :service ORDER BY name"
SIZE: Final = "SELECT count(*), coalesce(sum(spans), 0) FROM traces"


class BadQuery(ValueError):
    """A parameter cannot be read; the text names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceQuery:
    """What to look for. Times and durations in microseconds."""

    service: str = ""
    operation: str = ""
    start_us: int = 0
    end_us: int = 2**62
    min_us: int = 0
    max_us: int = 2**62
    limit: int = DEFAULT_LIMIT


def read_query(parameters: Mapping[str, str]) -> TraceQuery:
    """Read Jaeger's query parameters; ``start`` wins over ``lookback``."""
    start_us = _number(parameters, "start", 0)
    lookback = parameters.get("lookback", "")
    if not start_us and lookback not in {"", "custom"}:
        start_us = max(0, time.time_ns() // 1_000 - duration_us("lookback", lookback))
    found = TraceQuery(
        service=parameters.get("service", ""),
        operation=parameters.get("operation", ""),
        start_us=start_us,
        end_us=_number(parameters, "end", 2**62),
        min_us=duration_us("minDuration", parameters.get("minDuration", "")),
        max_us=duration_us("maxDuration", parameters.get("maxDuration", "")) or 2**62,
        limit=_number(parameters, "limit", DEFAULT_LIMIT),
    )
    if not 1 <= found.limit <= MAX_LIMIT:
        raise BadQuery(f"parameter 'limit' must be 1 to {MAX_LIMIT}, not {found.limit}")
    if found.end_us < found.start_us:
        raise BadQuery("parameter 'end' is before 'start'")
    return found


def _number(parameters: Mapping[str, str], name: str, default: int) -> int:
    value = parameters.get(name, "")
    if not value:
        return default
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise BadQuery(f"parameter {name!r} must be a whole number, not {value!r:.40}")
    return int(value)


def duration_us(name: str, value: str) -> int:
    """Read a duration as Jaeger writes it: ``1.2s``, ``100ms``, ``1h30m``, ``2d``."""
    if not value:
        return 0
    parts = DURATION.findall(value)
    if "".join(number + unit for number, unit in parts) != value:
        raise BadQuery(f"parameter {name!r} must be a duration such as 100ms, 1.2s or 1h, not {value!r:.40}")
    return int(sum(float(number) * UNITS_US.get(unit, DAY_US) for number, unit in parts))


def find(store: Store, query: TraceQuery) -> list[tuple[str, int]]:
    """Return the ids of the newest traces that fit, each with when it was last added to."""
    parameters: dict[str, object] = {name: getattr(query, name) for name in TraceQuery.__slots__}
    return [(str(trace_id), int(touched)) for trace_id, touched in store.rows(FIND, parameters)]


def services(store: Store) -> list[str]:
    """Return every service that sent a span."""
    return [str(row[0]) for row in store.rows(SERVICES, {})]


def operations(store: Store, service: str) -> list[str]:
    """Return the span names of one service."""
    return [str(row[0]) for row in store.rows(OPERATIONS, {"service": service})]


def size(store: Store) -> tuple[int, int]:
    """Return how many traces and spans are kept."""
    traces, spans = store.rows(SIZE, {})[0]
    return int(traces), int(spans)
