"""One row of the waterfall: what a span means, read from its attributes.

Pure. Attribute names are ``shared/telemetry/names.py``'s; Envoy's older ones are known here.
"""

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from dev.traces.tree import Json, Node
from shared.telemetry import names

SERVER_FAULT: Final = 500


class Role(StrEnum):
    """What a span is in the life of a request."""

    SERVER = "server"
    SECTION = "section"
    ATTEMPT = "attempt"
    CALL = "call"
    INNER = "inner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One span, ready to draw. Times in microseconds from the start of the trace."""

    span_id: str
    depth: int
    role: Role
    service: str
    name: str
    offset_us: int
    duration_us: int
    section: str
    backend: str
    attempt: int
    attempts: int
    status: int
    reason: str
    detail: str
    outcome: str
    retried: bool
    cancelled: bool
    degraded: bool
    error: bool
    kept: str
    orphan: bool
    skew_us: int
    span: Json
    process_tags: list[Json]


def rows_of(nodes: list[Node], start_us: int) -> tuple[Row, ...]:
    """Return one row per node, in the same order."""
    sizes = _attempts_per_call(nodes)
    return tuple(_row(node, start_us, sizes.get(_call_of(node), 0)) for node in nodes)


def _row(node: Node, start_us: int, attempts: int) -> Row:
    number = number_of(node, names.ATTEMPT)
    status = number_of(node, names.HTTP_STATUS) or number_of(node, "http.status_code")  # Envoy still says the latter
    outcome = str(node.tags.get(names.OUTCOME, ""))
    error_type = str(node.tags.get(names.ERROR_TYPE, ""))
    kept = str(node.tags.get(names.KEPT, ""))
    cancelled = _flag(node, names.CANCELLED) or error_type == "cancelled"
    return Row(
        span_id=node.span_id,
        depth=node.depth,
        role=_role(node),
        service=node.service,
        name=node.name,
        offset_us=node.start_us - start_us,
        duration_us=node.duration_us,
        section=_inherited(node, names.SECTION),
        backend=_inherited(node, names.BACKEND),
        attempt=number,
        attempts=attempts,
        status=status,
        reason=str(node.tags.get(names.REASON, "")) or ("" if error_type == "cancelled" else error_type),
        detail=str(node.tags.get(names.DETAIL, "")),
        outcome=outcome,
        retried=0 < number < attempts,
        cancelled=cancelled,
        degraded=bool(node.tags.get(names.DEGRADED)) or outcome not in {"", "fresh"},
        error=_flag(node, "error") or node.tags.get("otel.status_code") == "ERROR" or status >= SERVER_FAULT,
        kept=kept,
        orphan=node.orphan and not kept,  # a kept trace begins here: its parent was never told
        skew_us=node.skew_us,
        span=node.span,
        process_tags=node.process_tags,
    )


def _role(node: Node) -> Role:
    kind = node.tags.get("span.kind")
    if kind == "server":
        return Role.SERVER
    if kind == "client":
        return Role.ATTEMPT if names.BACKEND in node.tags else Role.CALL
    return Role.SECTION if names.SECTION in node.tags else Role.INNER


def _inherited(node: Node, key: str) -> str:
    """Read from the span or what it hangs under: two steps lead from a backend's span to its attempt and section."""
    step: Node | None = node
    for _ in range(3):
        if step is not None and key in step.tags:
            return str(step.tags[key])
        step = step.parent if step is not None else None
    return ""


def _call_of(node: Node) -> tuple[str, str]:
    return node.parent_id, str(node.tags.get(names.BACKEND, ""))


def _attempts_per_call(nodes: list[Node]) -> dict[tuple[str, str], int]:
    """How many attempts each call made: attempts of one backend under one section."""
    found: defaultdict[tuple[str, str], int] = defaultdict(int)
    for node in nodes:
        if number := number_of(node, names.ATTEMPT):
            found[_call_of(node)] = max(found[_call_of(node)], number)
    return found


def number_of(node: Node, key: str) -> int:
    """Read a whole number, however the sender typed it; 0 when there is none."""
    value = node.tags.get(key)
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()) else 0


def _flag(node: Node, key: str) -> bool:
    value: Any = node.tags.get(key)
    return value is True or value == "true"
