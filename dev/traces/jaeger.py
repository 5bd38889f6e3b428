"""Jaeger's JSON, made of what the store has: the trace, the envelope, the error.

Pure. The shape is the one of Jaeger's HTTP query API, so that its readers (and ours) work on either.
"""

import json
from typing import Any

from dev.traces.span import Span, StoredTrace

Json = dict[str, Any]


def trace_json(trace: StoredTrace) -> Json:
    """Return one trace: its spans, and each distinct process once."""
    processes: dict[str, Json] = {}
    ids: dict[str, str] = {}
    spans = []
    for span in trace.spans:
        process = {"serviceName": span.service, "tags": list(span.process)}
        identity = json.dumps(process, sort_keys=True)
        if identity not in ids:
            ids[identity] = f"p{len(ids) + 1}"
            processes[ids[identity]] = process
        spans.append(_span_json(span, ids[identity]))
    dropped = [f"{trace.dropped} more spans did not fit and were dropped"] if trace.dropped else None
    return {"traceID": trace.trace_id, "spans": spans, "processes": processes, "warnings": dropped}


def _span_json(span: Span, process_id: str) -> Json:
    references = [
        {"refType": "FOLLOWS_FROM", "traceID": link["traceID"], "spanID": link["spanID"]} for link in span.body["links"]
    ]
    if span.parent_id:
        references.insert(0, {"refType": "CHILD_OF", "traceID": span.trace_id, "spanID": span.parent_id})
    return {
        "traceID": span.trace_id,
        "spanID": span.span_id,
        "operationName": span.name,
        "references": references,
        "startTime": span.start_us,
        "duration": span.duration_us,
        "tags": span.body["tags"],
        "logs": span.body["logs"],
        "processID": process_id,
        "warnings": span.body["warnings"],
    }


def answer(data: list[Any]) -> Json:
    """Return Jaeger's envelope."""
    return {"data": data, "total": len(data), "limit": 0, "offset": 0, "errors": None}


def refusal(code: int, message: str) -> Json:
    """Return Jaeger's envelope of an error."""
    return {"data": None, "total": 0, "limit": 0, "offset": 0, "errors": [{"code": code, "msg": message}]}
