"""Spans and access log: what the edge tells about a request, and what it keeps to itself.

Owns the names of both. No query, no credential, no payload; the path without its query, as spans and logs have it
elsewhere. Step 1 of a request: the trace begins or is joined here.
"""

from typing import Any, Final

from edge.envoy.words import Json, typed
from edge.spec.listeners import TelemetrySpec

TRACES_CLUSTER: Final = "frontage.traces"
TEMPLATE: Final = "frontage.route"

MILLION: Final = 1_000_000

# Attributes that Envoy sets by itself, put right: it would write the URL with its query, and the client's address.
PATH: Final = "%PATH(NQ:ORIG_OR_PATH)%"
TAGS: Final = (
    {"tag": "http.url", "value": PATH},
    {"tag": "http.route", "value": f"%METADATA(ROUTE:{TEMPLATE}:template)%"},
    {"tag": "frontage.route", "value": "%ROUTE_NAME%"},
    {"tag": "peer.address", "value": "-"},
    {"tag": "user_agent", "value": "-"},
)


def tracing(telemetry: TelemetrySpec) -> Json | None:
    """Return the tracer. A caller's sampled flag decides; without one the ratio does, once, here (field case T2).

    None when spans have nowhere to go; ids then come from ``lua.GUARD``, by the same rule.
    """
    if telemetry.traces is None:
        return None
    share = {"numerator": round(telemetry.ratio * MILLION), "denominator": "MILLION"}
    uri = {"uri": f"http://{telemetry.traces}/v1/traces", "cluster": TRACES_CLUSTER, "timeout": "2s"}
    config: Json = {
        "service_name": telemetry.service,
        "http_service": {"http_uri": uri},
        "sampler": _sampler("ParentBased", wrapped_sampler=_sampler("TraceIdRatioBased", sampling_percentage=share)),
    }
    return {
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": typed("envoy.config.trace.v3.OpenTelemetryConfig", **config),
        },
        # All of them, as far as Envoy is concerned: its own dice would overrule a caller's 01, too.
        "random_sampling": {"value": 100},
        "client_sampling": {"value": 0},  # x-client-trace-id is no decision of ours
        "operation": f"%REQUEST_HEADER(:METHOD)% %METADATA(ROUTE:{TEMPLATE}:template)%",
        "custom_tags": list(TAGS),
    }


def _sampler(kind: str, **config: Any) -> Json:
    """Return one of the samplers that decide as OpenTelemetry's of the same name do, here and in the BFFs."""
    return {
        "name": f"frontage.sampler.{kind}",
        "typed_config": typed(f"envoy.extensions.tracers.opentelemetry.samplers.v3.{kind}SamplerConfig", **config),
    }


def access_log(telemetry: TelemetrySpec) -> list[Json]:
    """Return one JSON line a request, on stdout."""
    line = {
        "timestamp": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
        "level": "info",
        "event": "request",
        "service": telemetry.service,
        "trace_id": "%RESPONSE_HEADER(X-TRACE-ID)%",
        "request_id": "%REQUEST_HEADER(X-REQUEST-ID)%",
        "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "protocol": "%PROTOCOL%",
        "method": "%REQUEST_HEADER(:METHOD)%",
        "path": PATH,
        "route": "%ROUTE_NAME%",
        "status": "%RESPONSE_CODE%",
        "duration_ms": "%DURATION%",
        "bytes_received": "%BYTES_RECEIVED%",
        "bytes_sent": "%BYTES_SENT%",
        "flags": "%RESPONSE_FLAGS%",
        "details": "%RESPONSE_CODE_DETAILS%",
    }
    config = typed("envoy.extensions.access_loggers.stream.v3.StdoutAccessLog", log_format={"json_format": line})
    return [{"name": "envoy.access_loggers.stdout", "typed_config": config}]


def connection_log(telemetry: TelemetrySpec, name: str) -> list[Json]:
    """Return one JSON line a connection (TCP) or session (UDP), when it ends."""
    line = {
        "timestamp": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
        "level": "info",
        "event": "connection",
        "service": telemetry.service,
        "entry": name,
        "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "server_name": "%REQUESTED_SERVER_NAME%",
        "endpoint": "%UPSTREAM_HOST%",
        "duration_ms": "%DURATION%",
        "bytes_received": "%BYTES_RECEIVED%",
        "bytes_sent": "%BYTES_SENT%",
        "flags": "%RESPONSE_FLAGS%",
    }
    config = typed("envoy.extensions.access_loggers.stream.v3.StdoutAccessLog", log_format={"json_format": line})
    return [{"name": "envoy.access_loggers.stdout", "typed_config": config}]
