"""Made-up exports as our services and Envoy send them."""

import json
from typing import Any, Final

TRACE_ID: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
AT_NS: Final = 1_780_000_000_000_000_000
KINDS: Final = {"internal": 1, "server": 2, "client": 3}


def attribute(key: str, value: str | bool | float) -> dict[str, Any]:
    kind = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}[type(value)]
    return {"key": key, "value": {kind: value}}


def span(
    number: int,
    parent: int,
    name: str,
    start_ms: float,
    duration_ms: float,
    kind: str,
    *,
    error: bool = False,
    trace_id: str = TRACE_ID,
    at_ns: int = AT_NS,
    **attributes: Any,
) -> dict[str, Any]:
    """One span as OTLP/JSON; an attribute's dots are written as two underscores."""
    start = at_ns + int(start_ms * 1e6)
    return {
        "traceId": trace_id,
        "spanId": f"{number:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "name": name,
        "kind": KINDS[kind],
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + int(duration_ms * 1e6)),
        "attributes": [attribute(key.replace("__", "."), value) for key, value in attributes.items()],
        "status": {"code": 2} if error else {},
    }


def export(**spans_of_service: list[dict[str, Any]]) -> dict[str, Any]:
    """One export as OTLP/JSON."""
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": [attribute("service.name", service), attribute("service.version", "0.1.0")]},
                "scopeSpans": [{"scope": {"name": "frontage"}, "spans": spans}],
            }
            for service, spans in spans_of_service.items()
        ]
    }


def as_json(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()


def as_protobuf(document: dict[str, Any]) -> bytes:
    from dev.traces.otlp import decode_json  # noqa: PLC0415 - the one place that knows ids are hex

    return decode_json(as_json(document)).SerializeToString()


def dashboard(trace_id: str = TRACE_ID, at_ns: int = AT_NS) -> dict[str, Any]:
    """A degraded dashboard: orders times out and is given up at the deadline, alerts comes at the second attempt."""
    its = {"trace_id": trace_id, "at_ns": at_ns}
    edge = [
        span(1, 0, "GET /mobile/{**rest}", 0, 907, "server", **its, http__status_code="200"),
        span(2, 1, "router mobile egress", 1.1, 905, "client", **its, http__status_code="200"),
    ]
    mobile = [
        span(
            *(3, 2, "GET /mobile/v1/dashboard", 2.2, 899.4, "server"), **its,
            http__request__method="GET", http__route="/mobile/v1/dashboard", http__response__status_code=200,
            frontage__deadline_ms=900, frontage__degraded="recentOrders:deadline:default",
        ),
        span(4, 3, "section profile", 3, 12, "internal", **its, frontage__section="profile", frontage__outcome="fresh"),
        span(
            *(5, 4, "GET users", 3.1, 11.6, "client"), **its,
            frontage__backend="users", frontage__attempt=1, http__response__status_code=200,
        ),
        span(
            *(7, 3, "section recentOrders", 3, 897, "internal"), **its,
            frontage__section="recentOrders", frontage__outcome="default", frontage__reason="deadline",
        ),
        span(
            *(8, 7, "GET orders", 3.1, 400, "client"), **its, error=True,
            frontage__backend="orders", frontage__attempt=1, error__type="timeout",
        ),
        span(
            *(9, 7, "GET orders", 440, 460, "client"), **its, error=True,
            frontage__backend="orders", frontage__attempt=2, error__type="cancelled", frontage__cancelled=True,
        ),
        span(10, 3, "section alerts", 3, 90, "internal", **its, frontage__section="alerts", frontage__outcome="fresh"),
        span(
            *(11, 10, "GET alerts", 3.1, 30, "client"), **its, error=True,
            frontage__backend="alerts", frontage__attempt=1, error__type="faulted", http__response__status_code=503,
        ),
        span(
            *(12, 10, "GET alerts", 50, 40, "client"), **its,
            frontage__backend="alerts", frontage__attempt=2, http__response__status_code=200,
        ),
    ]  # fmt: skip
    users = [
        span(
            *(6, 5, "GET /api/internal/users/{user_id}/profile", 4, 9, "server"), **its,
            http__response__status_code=200, frontage__deadline_ms=890,
        )
    ]  # fmt: skip
    return export(edge=edge, mobile=mobile, users=users)


def healthy(trace_id: str, at_ns: int, *, took_ms: float = 21.4) -> dict[str, Any]:
    """A whole dashboard, far from its deadline."""
    its = {"trace_id": trace_id, "at_ns": at_ns}
    mobile = [
        span(
            *(1, 0, "GET /mobile/v1/dashboard", 0, took_ms, "server"), **its,
            http__response__status_code=200, frontage__deadline_ms=900,
        )
    ]  # fmt: skip
    for at, (section, backend) in enumerate((("profile", "users"), ("recentOrders", "orders"), ("alerts", "alerts"))):
        mobile += [
            span(
                *(10 + at, 1, f"section {section}", 0.4, took_ms - 2 - 4 * at, "internal"), **its,
                frontage__section=section, frontage__outcome="fresh",
            ),
            span(
                *(20 + at, 10 + at, f"GET {backend}", 0.5, took_ms - 2.2 - 4 * at, "client"), **its,
                frontage__backend=backend, frontage__attempt=1, http__response__status_code=200,
            ),
        ]  # fmt: skip
    return export(mobile=mobile)
