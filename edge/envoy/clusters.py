"""Clusters: the endpoints of a spec, and those that the edge itself needs (keys, traces, its own administration)."""

from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from edge.assembly import Edge
from edge.envoy.filters import jwks_cluster
from edge.envoy.telemetry import TRACES_CLUSTER
from edge.envoy.words import Json, seconds, socket_address, typed
from edge.spec.routes import ClusterSpec, HealthSpec
from edge.units import Address

ADMIN_CLUSTER: Final = "frontage.admin"
BALANCE: Final = {"least_requests": "LEAST_REQUEST", "round_robin": "ROUND_ROBIN", "random": "RANDOM"}
# Uvicorn closes idle connections after 75 s (shared/asgi/serve.py): we must be first, or we meet a close (O2).
IDLE: Final = "60s"
CONNECT_OUTSIDE: Final = "2s"  # an issuer may be in another region
HTTP_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
SYSTEM_ROOTS: Final = "/etc/ssl/certs/ca-certificates.crt"


def compile_clusters(edge: Edge) -> list[Json]:
    """Return every cluster."""
    own: list[Json] = []
    for name, issuer in edge.spec.policies.issuers.items():
        url = urlsplit(issuer.jwks)
        address = Address(url.hostname or "", url.port or (443 if url.scheme == "https" else 80))
        own.append(_cluster(jwks_cluster(name), (address,), CONNECT_OUTSIDE, _tls(url.scheme, address.host)))
    if edge.spec.telemetry.traces is not None:
        own.append(_cluster(TRACES_CLUSTER, (edge.spec.telemetry.traces,), CONNECT_OUTSIDE))
    if edge.spec.operations.address is not None:
        own.append(_cluster(ADMIN_CLUSTER, (edge.spec.admin.address,), CONNECT_OUTSIDE))
    return [*(_for_people(name, cluster) for name, cluster in edge.spec.clusters.items()), *own]


def _for_people(name: str, cluster: ClusterSpec) -> Json:
    thresholds: Json = {
        "max_requests": cluster.max_requests,
        "max_connections": cluster.max_requests,  # HTTP/1.1: one request a connection
        "max_pending_requests": cluster.max_requests,
    }
    more: Json = {
        "lb_policy": BALANCE[cluster.balance],
        "circuit_breakers": {"thresholds": [thresholds]},
        # No endpoint healthy: 503 at once, instead of Envoy's habit of sending to all of them (field case O4).
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
    }
    if cluster.health is not None:
        more["health_checks"] = [_health(name, cluster.health)]
        more["ignore_health_on_host_removal"] = True
    return _cluster(name, cluster.endpoints, seconds(cluster.connect_timeout), more)


def _health(name: str, health: HealthSpec) -> Json:
    interval = seconds(health.interval)
    return {
        "timeout": seconds(health.timeout),
        "interval": interval,
        "no_traffic_interval": interval,  # Envoy's default of 60 s would leave a restarted BFF out for a minute
        "unhealthy_threshold": health.unhealthy_after,
        "healthy_threshold": 1,
        "http_health_check": {"path": health.path, "host": name},
    }


def _cluster(name: str, endpoints: tuple[Address, ...], connect: str, more: Json | None = None) -> Json:
    fixed = all(_is_ip(endpoint.host) for endpoint in endpoints)
    options = typed(
        HTTP_OPTIONS,
        common_http_protocol_options={"idle_timeout": IDLE},
        explicit_http_config={"http_protocol_options": {}},
    )
    cluster: dict[str, Any] = {
        "name": name,
        "type": "STATIC" if fixed else "STRICT_DNS",
        "connect_timeout": connect,
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket_address(one)}} for one in endpoints]}],
        },
        "typed_extension_protocol_options": {HTTP_OPTIONS: options},
        **(more or {}),
    }
    if not fixed:
        cluster["dns_lookup_family"] = "V4_PREFERRED"  # container networks speak IPv4; IPv6 where there is nothing else
    return cluster


def _tls(scheme: str, host: str) -> Json:
    if scheme != "https":
        return {}
    context = {
        "trusted_ca": {"filename": SYSTEM_ROOTS},
        "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": host}}],
    }
    config = typed(
        "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        sni=host,
        common_tls_context={"validation_context": context},
    )
    return {"transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": config}}


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
