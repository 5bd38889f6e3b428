"""What a record says as a span: name, kind, attributes, whether it failed, what happened in it, what it points at.

Pure, and the only place that knows; both ways to make spans (``afterwards.py``, ``eager.py``) say the same.
"""

from typing import NamedTuple

from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags, TraceState

from shared.telemetry import names
from shared.telemetry.ledger import FAULT, AttemptRecord, Ledger, SectionRecord, SpanPlace, TraceOrigin

Attributes = dict[str, str | int | bool]


class Telling(NamedTuple):
    """One span, but for its ids and times. ``exception`` is the type of one that nobody caught."""

    name: str
    kind: SpanKind
    attributes: Attributes
    failed: bool
    links: tuple[SpanPlace, ...] = ()
    exception: str = ""


def tell_server(ledger: Ledger) -> Telling:
    """Say a request, as the SERVER span over everything that it did."""
    attributes: Attributes = {names.HTTP_METHOD: method_of(ledger), names.HTTP_STATUS: ledger.status}
    if ledger.route:
        attributes[names.HTTP_ROUTE] = ledger.route
    if ledger.deadline_ms:
        attributes[names.DEADLINE_MS] = ledger.deadline_ms
    if ledger.degraded:
        attributes[names.DEGRADED] = ledger.degraded
    if ledger.errors:
        attributes[names.ERRORS] = ",".join(ledger.errors)
    if ledger.kept:
        attributes[names.KEPT] = ledger.kept
    if ledger.failed:
        by_status = str(ledger.status) if ledger.status >= FAULT else ""
        attributes[names.ERROR_TYPE] = ledger.exception or by_status or attributes[names.ERRORS]
    return Telling(server_name(ledger), SpanKind.SERVER, attributes, ledger.failed, exception=ledger.exception)


def method_of(ledger: Ledger) -> str:
    """Return the method as the conventions want it; an unknown one could be any text."""
    return names.OTHER_METHOD if ledger.method == "OTHER" else ledger.method


def server_name(ledger: Ledger) -> str:
    """Return method and template; never a path, which may hold an id."""
    method = "HTTP" if ledger.method == "OTHER" else ledger.method
    return f"{method} {ledger.route}".strip()


def section_name(section: SectionRecord) -> str:
    """Return the name of a section's span."""
    return f"section {section.name}"


def tell_section(section: SectionRecord, origin: TraceOrigin) -> Telling:
    """Say a section, as an INTERNAL span over its attempts that points at the sections it was waiting for."""
    attributes: Attributes = {names.SECTION: section.name, names.OUTCOME: section.outcome}
    if section.reason:
        attributes[names.REASON] = section.reason.value
    if section.detail:
        attributes[names.DETAIL] = section.detail
    if section.served:
        attributes[names.SERVED] = section.served
    links = tuple(SpanPlace(origin, needed.span_id) for needed in section.needs)
    return Telling(section_name(section), SpanKind.INTERNAL, attributes, section.outcome == "failed", links)


def attempt_name(attempt: AttemptRecord) -> str:
    """Return the name of an attempt's span."""
    return f"{attempt.method} {attempt.backend}"


def attempt_kind(attempt: AttemptRecord) -> SpanKind:
    """Return the kind of an attempt's span: the backend never saw the id of one that only joined."""
    return SpanKind.INTERNAL if attempt.joined else SpanKind.CLIENT


def tell_attempt(attempt: AttemptRecord) -> Telling:
    """Say an attempt, as a CLIENT span; one that joined another's exchange points at it."""
    attributes: Attributes = {
        names.BACKEND: attempt.backend, names.ATTEMPT: attempt.number, names.HTTP_METHOD: attempt.method,
    }  # fmt: skip
    if attempt.number > 1 and not (attempt.hedge or attempt.joined):
        attributes[names.HTTP_RESEND] = attempt.number - 1
    if attempt.status:
        attributes[names.HTTP_STATUS] = attempt.status
    if attempt.error or attempt.cancelled:
        attributes[names.ERROR_TYPE] = attempt.error.value if attempt.error else "cancelled"
    if attempt.detail:
        attributes[names.DETAIL] = attempt.detail
    if attempt.cancelled:
        attributes[names.CANCELLED] = True
    if attempt.hedge:
        attributes[names.HEDGE] = True
    if attempt.joined:
        attributes[names.JOINED] = True
    failed = bool(attempt.error or attempt.cancelled)
    links = (attempt.joined,) if attempt.joined else ()
    return Telling(attempt_name(attempt), attempt_kind(attempt), attributes, failed, links)


def context_of(origin: TraceOrigin, span_id: int, *, remote: bool = False) -> SpanContext:
    """Return OpenTelemetry's form of a place in a trace."""
    flags = TraceFlags(TraceFlags.SAMPLED if origin.sampled else TraceFlags.DEFAULT)
    state = TraceState.from_header([origin.tracestate]) if origin.tracestate else None
    return SpanContext(int(origin.trace_id, 16), span_id, is_remote=remote, trace_flags=flags, trace_state=state)


def caller_of(origin: TraceOrigin) -> SpanContext | None:
    """Return the caller's span, if the request came with one."""
    return context_of(origin, int(origin.parent_id, 16), remote=True) if origin.parent_id else None


def link_to(place: SpanPlace) -> Link:
    """Return OpenTelemetry's form of a pointer."""
    return Link(context_of(place.origin, place.span_id))
