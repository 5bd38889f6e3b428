"""L4: a port of ours, handed on connection by connection (TCP) or client by client (UDP), without reading it.

Each entry has clusters of its own: the same endpoints as the named cluster, chosen the entry's way. A dead endpoint's
connections are closed, so that clients connect anew. One that says that it is not ready gets no new ones, and those it
has are its own to end: that is how an edge drains behind this one (field case O1). A removed one's end at
``idle_timeout`` or ``max_lifetime``.
"""

from collections.abc import Iterator
from typing import Any, Final

from edge.assembly import Edge
from edge.envoy.members import members
from edge.envoy.telemetry import connection_log
from edge.envoy.words import Json, cidr, seconds, socket_address, typed
from edge.spec.l4 import IDLE_TCP, IDLE_UDP, MAX_CONNECTIONS, L4Spec

# A tenth of Envoy's megabyte: a stuck reader holds this much, in each direction.
BUFFER: Final = 128 * 1024
# A client that says nothing where a name or an address must come first.
FIRST_BYTES_WITHIN: Final = "5s"
# A connection that could not be made is tried again: nothing has been sent yet. Where depends on whose turn it is among
# all connections: with one of two endpoints gone, eight tries leave 1 in 256, and take 2 s at most.
CONNECT_ATTEMPTS: Final = 8
# A host that went without a word: gone after 10 s and three times 5 s, whoever checks its health and how.
KEEPALIVE: Final = {"keepalive_time": 10, "keepalive_interval": 5, "keepalive_probes": 3}
# Jumbo frames; a datagram longer than that is cut off by the network anyway.
DATAGRAM: Final = 9_000
POLICIES: Final = "envoy.extensions.load_balancing_policies"


def l4_clusters(edge: Edge) -> Iterator[Json]:
    """Yield the clusters of every entry."""
    for protocol, entry in edge.l4():
        for cluster in dict.fromkeys(entry.clusters()):
            yield _cluster(edge, protocol, entry, cluster)


def l4_listeners(edge: Edge) -> Iterator[Json]:
    """Yield the listener of every entry."""
    for protocol, entry in edge.l4():
        yield _udp(edge, entry) if protocol == "udp" else _tcp(edge, entry)


def _own(protocol: str, entry: L4Spec, cluster: str) -> str:
    return f"{protocol}.{entry.name}.{cluster}"


def _cluster(edge: Edge, protocol: str, entry: L4Spec, cluster: str) -> Json:
    most = entry.max_connections or MAX_CONNECTIONS
    health = edge.spec.clusters[cluster].health
    made: Json = {
        **members(_own(protocol, entry, cluster), edge.spec.clusters[cluster]),
        "load_balancing_policy": {"policies": [{"typed_extension_config": _balance(entry)}]},
        "circuit_breakers": {"thresholds": [{"max_connections": most, "max_pending_requests": most}]},
        # By ``tcp``, what fails is not there; by ``path``, it may just have said no.
        "close_connections_on_host_health_failure": health is None or health.tcp,
        "upstream_connection_options": {"tcp_keepalive": KEEPALIVE},
    }
    if entry.proxy_protocol is not None and entry.proxy_protocol.send is not None:
        made["transport_socket"] = _proxy_header(entry.proxy_protocol.send)
    return made


def _balance(entry: L4Spec) -> Json:
    # Of all endpoints, not the better of two: connections are few and long, and a wrong choice lasts.
    config = {
        "round_robin": typed(f"{POLICIES}.round_robin.v3.RoundRobin"),
        "least_connections": typed(f"{POLICIES}.least_request.v3.LeastRequest", selection_method="FULL_SCAN"),
        # Maglev (Eisenbud et al., NSDI 2016): when an endpoint leaves, the other clients stay where they are.
        "source_hash": typed(f"{POLICIES}.maglev.v3.Maglev"),
    }[entry.balance]
    return {"name": f"frontage.{entry.balance}", "typed_config": config}


def _tcp(edge: Edge, entry: L4Spec) -> Json:
    chains = [_chain(edge, entry, one.cluster, server_names=list(one.hosts)) for one in entry.sni]
    if entry.cluster is not None:
        chains.append(_chain(edge, entry, entry.cluster))
    filters = []
    if entry.proxy_protocol is not None and entry.proxy_protocol.accept_from:
        config = typed("envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol")
        filters.append({"name": "envoy.filters.listener.proxy_protocol", "typed_config": config})
    if entry.sni:
        config = typed("envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector")
        filters.append({"name": "envoy.filters.listener.tls_inspector", "typed_config": config})
    return {
        "name": f"tcp.{entry.name}",
        "address": socket_address(entry.listen),
        "per_connection_buffer_limit_bytes": BUFFER,
        "listener_filters": filters,
        "listener_filters_timeout": FIRST_BYTES_WITHIN,
        "filter_chains": chains,
    }


def _chain(edge: Edge, entry: L4Spec, cluster: str, **match: Any) -> Json:
    name = _own("tcp", entry, cluster)
    filters = [*_limits(entry), _proxy(edge, entry, name)]
    sources = entry.proxy_protocol.accept_from if entry.proxy_protocol else ()
    if sources:
        match["direct_source_prefix_ranges"] = [cidr(one) for one in sources]
    return {"name": name, "filters": filters, **({"filter_chain_match": match} if match else {})}


def _limits(entry: L4Spec) -> Iterator[Json]:
    most = typed(
        "envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit",
        stat_prefix=f"tcp.{entry.name}",
        max_connections=entry.max_connections or MAX_CONNECTIONS,
    )
    yield {"name": "envoy.filters.network.connection_limit", "typed_config": most}
    if entry.connection_rate is not None:
        bucket = {
            "max_tokens": entry.connection_rate, "tokens_per_fill": entry.connection_rate, "fill_interval": "1s",
        }  # fmt: skip
        rate = typed(
            "envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit",
            stat_prefix=f"tcp.{entry.name}",
            token_bucket=bucket,
            share_key=entry.name,  # one count for all names of the port
        )
        yield {"name": "envoy.filters.network.local_ratelimit", "typed_config": rate}


def _proxy(edge: Edge, entry: L4Spec, cluster: str) -> Json:
    proxy = typed(
        "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        stat_prefix=f"tcp.{entry.name}",
        cluster=cluster,
        idle_timeout=seconds(entry.idle_timeout or IDLE_TCP),
        max_connect_attempts=CONNECT_ATTEMPTS,
        access_log=connection_log(edge.spec.telemetry, entry.name),
        **({"hash_policy": [{"source_ip": {}}]} if entry.balance == "source_hash" else {}),
        **({"max_downstream_connection_duration": seconds(entry.max_lifetime)} if entry.max_lifetime else {}),
    )
    return {"name": "envoy.filters.network.tcp_proxy", "typed_config": proxy}


def _udp(edge: Edge, entry: L4Spec) -> Json:
    route = typed("envoy.extensions.filters.udp.udp_proxy.v3.Route", cluster=_own("udp", entry, entry.cluster or ""))
    proxy = typed(
        "envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig",
        stat_prefix=f"udp.{entry.name}",
        matcher={"on_no_match": {"action": {"name": "route", "typed_config": route}}},
        idle_timeout=seconds(entry.idle_timeout or IDLE_UDP),
        upstream_socket_config={"max_rx_datagram_size": DATAGRAM},
        access_log=connection_log(edge.spec.telemetry, entry.name),
        **({"hash_policies": [{"source_ip": True}]} if entry.balance == "source_hash" else {}),
    )
    address = socket_address(entry.listen)
    address["socket_address"]["protocol"] = "UDP"
    return {
        "name": f"udp.{entry.name}",
        "address": address,
        "udp_listener_config": {"downstream_socket_config": {"max_rx_datagram_size": DATAGRAM}},
        "listener_filters": [{"name": "envoy.filters.udp_listener.udp_proxy", "typed_config": proxy}],
    }


def _proxy_header(version: str) -> Json:
    bare = {
        "name": "envoy.transport_sockets.raw_buffer",
        "typed_config": typed("envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"),
    }
    config = typed(
        "envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport",
        config={"version": version.upper()},
        transport_socket=bare,
    )
    return {"name": "envoy.transport_sockets.upstream_proxy_protocol", "typed_config": config}
