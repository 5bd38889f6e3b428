"""The listener for probes and scrapers: the four paths of every service of ours, and nothing else.

Readiness is Envoy's own health-check filter, so a draining edge says 503 here while it still serves (field case O1).
"""

from typing import Any, Final

from edge.assembly import Edge
from edge.envoy.clusters import ADMIN_CLUSTER
from edge.envoy.filters import router
from edge.envoy.words import Json, socket_address, typed

NAME: Final = "operations"
MANAGER: Final = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"


def operations_listener(edge: Edge) -> list[Json]:
    """Return the listener, or nothing when no address is given."""
    address = edge.spec.operations.address
    if address is None:
        return []
    table = {"name": NAME, "virtual_hosts": [{"name": NAME, "domains": ["*"], "routes": _routes(edge)}]}
    ready = typed(
        "envoy.extensions.filters.http.health_check.v3.HealthCheck",
        pass_through_mode=False,
        headers=[{"name": ":path", "string_match": {"exact": "/health/ready"}}],
    )
    manager = typed(
        MANAGER,
        stat_prefix=NAME,
        http_filters=[{"name": "envoy.filters.http.health_check", "typed_config": ready}, router()],
        route_config=table,
    )
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    return [{"name": NAME, "address": socket_address(address), "filter_chains": [chain]}]


def _routes(edge: Edge) -> list[Json]:
    return [
        _says("/health/live", '{"status":"live"}'),
        _says("/version", f'{{"service":"{edge.spec.telemetry.service}","version":"0.1.0"}}'),
        {
            "match": {"path": "/metrics"},
            "route": {"cluster": ADMIN_CLUSTER, "prefix_rewrite": "/stats/prometheus"},
        },
    ]


def _says(path: str, body: str) -> dict[str, Any]:
    header = {"header": {"key": "content-type", "value": "application/json"}}
    return {
        "match": {"path": path},
        "direct_response": {"status": 200, "body": {"inline_string": body}},
        "response_headers_to_add": [{**header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}],
    }
