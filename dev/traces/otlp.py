"""OTLP's trace export, decoded: protobuf or JSON bytes in, spans out.

Owns the format only. HTTP, compression and size limits are ``ingest.py``'s.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.trace.v1 import trace_pb2

from dev.traces.span import Span, Tag
from dev.traces.tags import MAX_TAGS, tag, tags, text

KINDS: Final = {
    trace_pb2.Span.SPAN_KIND_INTERNAL: "internal",
    trace_pb2.Span.SPAN_KIND_SERVER: "server",
    trace_pb2.Span.SPAN_KIND_CLIENT: "client",
    trace_pb2.Span.SPAN_KIND_PRODUCER: "producer",
    trace_pb2.Span.SPAN_KIND_CONSUMER: "consumer",
}
TRACE_ID_BYTES: Final = 16
SPAN_ID_BYTES: Final = 8


class MalformedExport(ValueError):
    """The body is not an OTLP trace export; the text says where it stops making sense."""


def decode_protobuf(body: bytes) -> ExportTraceServiceRequest:
    """Read ``application/x-protobuf``."""
    try:
        return ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise MalformedExport(f"the body is not an ExportTraceServiceRequest: {error}") from error


def decode_json(body: bytes) -> ExportTraceServiceRequest:
    """Read ``application/json``: protobuf's JSON mapping, but ids are hex (OTLP §JSON Protobuf Encoding)."""
    try:
        document = json.loads(body)
        for resource in document.get("resourceSpans") or ():
            for scope in resource.get("scopeSpans") or ():
                for span in scope.get("spans") or ():
                    _ids_to_base64(span)
        return json_format.ParseDict(document, ExportTraceServiceRequest(), ignore_unknown_fields=True)
    except (ValueError, TypeError, AttributeError, RecursionError, json_format.ParseError) as error:
        raise MalformedExport(f"the body is not OTLP/JSON: {error}") from error


def _ids_to_base64(span: dict[str, Any]) -> None:
    for holder in (span, *(span.get("links") or ())):
        for key in ("traceId", "spanId", "parentSpanId"):
            if holder.get(key):
                try:
                    holder[key] = base64.b64encode(bytes.fromhex(holder[key])).decode()
                except (ValueError, binascii.Error) as error:
                    raise MalformedExport(f"{key} must be hexadecimal, not {holder[key]!r:.60}") from error


def spans_of(request: ExportTraceServiceRequest) -> tuple[list[Span], int]:
    """Return the spans, and how many had no valid id and were left out."""
    found: list[Span] = []
    rejected = 0
    for resource in request.resource_spans:
        attributes = resource.resource.attributes
        service = next((one.value.string_value for one in attributes if one.key == "service.name"), "")
        process = tuple(tags(attributes, skip="service.name"))
        for scope in resource.scope_spans:
            for span in scope.spans:
                if _identified(span):
                    found.append(_span(span, scope.scope, text(service) or "unknown", process))
                else:
                    rejected += 1
    return found, rejected


def _identified(span: trace_pb2.Span) -> bool:
    return (
        len(span.trace_id) == TRACE_ID_BYTES
        and len(span.span_id) == SPAN_ID_BYTES
        and any(span.trace_id)
        and any(span.span_id)
    )


def _span(span: trace_pb2.Span, scope: InstrumentationScope, service: str, process: tuple[Tag, ...]) -> Span:
    start_us, end_us = span.start_time_unix_nano // 1_000, span.end_time_unix_nano // 1_000
    body = {
        "tags": [*tags(span.attributes), *_own_tags(span, scope)],
        "logs": [_log(event) for event in span.events[:MAX_TAGS]],
        "links": [{"traceID": one.trace_id.hex(), "spanID": one.span_id.hex()} for one in span.links[:MAX_TAGS]],
        "warnings": ["the span ends before it starts"] if end_us < start_us else None,
    }
    parent = span.parent_span_id
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=parent.hex() if len(parent) == SPAN_ID_BYTES and any(parent) else "",
        service=service,
        name=text(span.name),
        start_us=start_us,
        duration_us=max(0, end_us - start_us),
        body=body,
        process=process,
    )


def _own_tags(span: trace_pb2.Span, scope: InstrumentationScope) -> Iterator[Tag]:
    """Yield what Jaeger adds as tags: the scope, the kind, the status, the trace state."""
    if scope.name:
        yield tag("otel.scope.name", scope.name)
    if span.kind in KINDS:
        yield tag("span.kind", KINDS[span.kind])
    if span.status.code == trace_pb2.Status.STATUS_CODE_ERROR:
        yield tag("error", value=True)
        yield tag("otel.status_code", "ERROR")
    elif span.status.code == trace_pb2.Status.STATUS_CODE_OK:
        yield tag("otel.status_code", "OK")
    if span.status.message:
        yield tag("otel.status_description", span.status.message)
    if span.trace_state:
        yield tag("w3c.tracestate", span.trace_state)


def _log(event: trace_pb2.Span.Event) -> dict[str, Any]:
    return {"timestamp": event.time_unix_nano // 1_000, "fields": [tag("event", event.name), *tags(event.attributes)]}
