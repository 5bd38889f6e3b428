"""Clusters: the endpoints of a spec, and those that the edge itself needs (keys, traces, its own administration)."""

from typing import Final
from urllib.parse import urlsplit

from edge.assembly import Edge
from edge.envoy.control import control_cluster, is_asked
from edge.envoy.filters import jwks_cluster
from edge.envoy.l4 import l4_clusters
from edge.envoy.limiter import limiter_cluster
from edge.envoy.members import members, where
from edge.envoy.telemetry import TRACES_CLUSTER
from edge.envoy.words import Json, seconds, typed
from edge.spec.clusters import ClusterSpec, EndpointSpec, UpstreamTlsSpec
from edge.units import Address

ADMIN_CLUSTER: Final = "frontage.admin"
BALANCE: Final = {
    "least_requests": "LEAST_REQUEST", "round_robin": "ROUND_ROBIN", "random": "RANDOM", "ring_hash": "RING_HASH",
    "maglev": "MAGLEV",
}  # fmt: skip
IDLE: Final = "60s"
# Envoy's advice for an edge. Its 1 MiB would be held for every client that reads slowly, or not at all.
CONNECTION_BUFFER: Final = 32 * 1024
CONNECT_OUTSIDE: Final = "2s"  # an issuer may be in another region
HTTP_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
UPSTREAM_TLS: Final = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
SYSTEM_ROOTS: Final = "/etc/ssl/certs/ca-certificates.crt"


def compile_clusters(edge: Edge) -> list[Json]:
    """Return every cluster."""
    own: list[Json] = []
    for name, issuer in edge.spec.policies.issuers.items():
        url = urlsplit(issuer.jwks)
        address = Address(url.hostname or "", url.port or (443 if url.scheme == "https" else 80))
        tls = _tls(UpstreamTlsSpec(server_name=address.host)) if url.scheme == "https" else {}
        own.append(_for_us(jwks_cluster(name), address, tls))
    if (limiter := edge.spec.limiter) is not None:
        own.append(limiter_cluster(limiter))
    if (control := edge.spec.control) is not None and is_asked(edge):
        own.append(control_cluster(control))
    if edge.spec.telemetry.traces is not None:
        own.append(_for_us(TRACES_CLUSTER, edge.spec.telemetry.traces))
    if edge.spec.operations.address is not None:
        own.append(_for_us(ADMIN_CLUSTER, edge.spec.admin.address))
    people = [_for_people(name, cluster) for name, cluster in edge.spec.clusters.items()]
    return [*people, *l4_clusters(edge), *own]


def _for_people(name: str, cluster: ClusterSpec) -> Json:
    thresholds: Json = {
        "max_requests": cluster.max_requests,
        "max_connections": cluster.max_connections or cluster.max_requests,  # HTTP/1.1: one request a connection
        "max_pending_requests": cluster.max_waiting or cluster.max_requests,
        "track_remaining": True,
    }
    tls = _tls(cluster.tls) if cluster.tls is not None else {}
    return {
        **members(name, cluster),
        **_balance(cluster),
        "circuit_breakers": {"thresholds": [thresholds]},
        "per_connection_buffer_limit_bytes": CONNECTION_BUFFER,
        **_http(seconds(cluster.idle_timeout), cluster.protocol),
        **tls,
    }


def _balance(cluster: ClusterSpec) -> Json:
    made: Json = {"lb_policy": BALANCE[cluster.balance]}
    if cluster.slow_start is not None:
        config = "round_robin_lb_config" if cluster.balance == "round_robin" else "least_request_lb_config"
        made[config] = {"slow_start_config": {"slow_start_window": seconds(cluster.slow_start)}}
    return made


def _for_us(name: str, address: Address, more: Json | None = None) -> Json:
    """Return a cluster of one endpoint that the edge itself needs."""
    endpoint = EndpointSpec.model_validate(str(address))
    return {
        "name": name, "connect_timeout": CONNECT_OUTSIDE, **where(name, (endpoint,)), **_http(), **(more or {}),
    }  # fmt: skip


def _http(idle: str = IDLE, protocol: str = "http1") -> Json:
    options = typed(
        HTTP_OPTIONS,
        common_http_protocol_options={"idle_timeout": idle},
        explicit_http_config={"http2_protocol_options" if protocol == "http2" else "http_protocol_options": {}},
    )
    return {"typed_extension_protocol_options": {HTTP_OPTIONS: options}}


def _tls(tls: UpstreamTlsSpec) -> Json:
    common: Json = {
        "validation_context": {
            "trusted_ca": {"filename": tls.ca or SYSTEM_ROOTS},
            "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": tls.server_name}}],
        },
    }
    if tls.certificate is not None:
        pair = {"certificate_chain": {"filename": tls.certificate}, "private_key": {"filename": tls.key}}
        common["tls_certificates"] = [pair]
    config = typed(UPSTREAM_TLS, sni=tls.server_name, common_tls_context=common)
    return {"transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": config}}
