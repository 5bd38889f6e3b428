"""Every span, attribute and metric name, in one file, so that dashboards and docs can be checked against it."""

from typing import Final

SCOPE: Final = "frontage"

# OpenTelemetry semantic conventions (HTTP, stable).
HTTP_METHOD: Final = "http.request.method"
HTTP_RESEND: Final = "http.request.resend_count"
HTTP_ROUTE: Final = "http.route"
HTTP_STATUS: Final = "http.response.status_code"
ERROR_TYPE: Final = "error.type"
EXCEPTION: Final = "exception"
EXCEPTION_TYPE: Final = "exception.type"
# What they call a method that they do not know.
OTHER_METHOD: Final = "_OTHER"

# Ours.
DEADLINE_MS: Final = "frontage.deadline_ms"
DEGRADED: Final = "frontage.degraded"
SECTION: Final = "frontage.section"
OUTCOME: Final = "frontage.outcome"
REASON: Final = "frontage.reason"
BACKEND: Final = "frontage.backend"
ATTEMPT: Final = "frontage.attempt"
CANCELLED: Final = "frontage.cancelled"
HEDGE: Final = "frontage.hedge"
JOINED: Final = "frontage.joined"
SERVED: Final = "frontage.served"
DETAIL: Final = "frontage.detail"
ERRORS: Final = "frontage.errors"
KEPT: Final = "frontage.kept"

METRIC_REQUESTS: Final = "frontage_requests"
METRIC_REQUEST_SECONDS: Final = "frontage_request_seconds"
METRIC_ATTEMPTS: Final = "frontage_backend_attempts"
METRIC_ATTEMPT_SECONDS: Final = "frontage_backend_attempt_seconds"
METRIC_HEDGES: Final = "frontage_backend_hedges"
METRIC_BREAKER: Final = "frontage_backend_breaker"
METRIC_BREAKER_TURNS: Final = "frontage_backend_breaker_turns"
METRIC_IN_FLIGHT: Final = "frontage_backend_in_flight"
METRIC_WAITING: Final = "frontage_backend_waiting"
METRIC_LIMIT: Final = "frontage_backend_limit"
METRIC_SECTIONS: Final = "frontage_sections"
METRIC_LEFT_OUT: Final = "frontage_sections_left_out"
METRIC_SPARED: Final = "frontage_backend_calls_spared"
METRIC_GRAPHQL_ERRORS: Final = "frontage_graphql_errors"
METRIC_TRACES_KEPT: Final = "frontage_traces_kept"
METRIC_TRACES_DROPPED: Final = "frontage_traces_dropped"
