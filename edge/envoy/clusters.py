"""Clusters: the endpoints of a spec, and those that the edge itself needs (keys, traces, its own administration)."""

from typing import Final
from urllib.parse import urlsplit

from edge.assembly import Edge
from edge.envoy.filters import jwks_cluster
from edge.envoy.l4 import l4_clusters
from edge.envoy.members import members, where
from edge.envoy.telemetry import TRACES_CLUSTER
from edge.envoy.words import Json, typed
from edge.spec.clusters import ClusterSpec, EndpointSpec
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
        own.append(_for_us(jwks_cluster(name), address, _tls(url.scheme, address.host)))
    if edge.spec.telemetry.traces is not None:
        own.append(_for_us(TRACES_CLUSTER, edge.spec.telemetry.traces))
    if edge.spec.operations.address is not None:
        own.append(_for_us(ADMIN_CLUSTER, edge.spec.admin.address))
    people = [_for_people(name, cluster) for name, cluster in edge.spec.clusters.items()]
    return [*people, *l4_clusters(edge), *own]


def _for_people(name: str, cluster: ClusterSpec) -> Json:
    thresholds: Json = {
        "max_requests": cluster.max_requests,
        "max_connections": cluster.max_requests,  # HTTP/1.1: one request a connection
        "max_pending_requests": cluster.max_requests,
    }
    return {
        **members(name, cluster),
        "lb_policy": BALANCE[cluster.balance],
        "circuit_breakers": {"thresholds": [thresholds]},
        **_http(),
    }


def _for_us(name: str, address: Address, more: Json | None = None) -> Json:
    """Return a cluster of one endpoint that the edge itself needs."""
    endpoint = EndpointSpec.model_validate(str(address))
    return {
        "name": name, "connect_timeout": CONNECT_OUTSIDE, **where(name, (endpoint,)), **_http(), **(more or {}),
    }  # fmt: skip


def _http() -> Json:
    options = typed(
        HTTP_OPTIONS,
        common_http_protocol_options={"idle_timeout": IDLE},
        explicit_http_config={"http_protocol_options": {}},
    )
    return {"typed_extension_protocol_options": {HTTP_OPTIONS: options}}


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
