"""Listeners. Step 1 of a request: TLS, protocol, size and header limits, a normal path, nobody's headers but ours."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from edge.assembly import Edge
from edge.envoy import answers, filters, telemetry, untrusted
from edge.envoy.tls import tls_socket
from edge.envoy.words import Json, cidr, seconds, socket_address, typed
from edge.spec.listeners import ListenerSpec, RequestSpec

MANAGER: Final = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
HEADER_MUTATION: Final = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
REQUEST_ID: Final = "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig"

# Envoy's advice for an edge: what one connection or stream may make us hold.
CONNECTION_BUFFER: Final = 32 * 1024
MAX_STREAMS: Final = 100
STREAM_WINDOW: Final = 64 * 1024
CONNECTION_WINDOW: Final = 1024**2
# Longer than a phone's pause between two screens; shorter than a NAT forgets.
DOWNSTREAM_IDLE: Final = "300s"
# Headers are one packet or two, a handshake is three; slower is an attack on our memory.
HEADERS_TIMEOUT: Final = timedelta(seconds=10)
# No byte either way for so long ends a stream; route timeouts end it sooner.
STREAM_IDLE: Final = "60s"
KIBIBYTE: Final = 1024
# The guard answers with a problem at the limit; at twice the limit the codec cuts off, before anything is held.
HARD: Final = 2
# Never a peer; without any range Envoy takes all private ones.
NOBODY: Final = "255.255.255.255"


def compile_listener(edge: Edge, name: str, listener: ListenerSpec, routes: Json, folder: str | None = None) -> Json:
    """Return one listener; ``routes`` says where its route table comes from, ``folder`` where its certificates do."""
    socket: Json = {}
    if listener.tls is not None:
        handshake = {"transport_socket_connect_timeout": _headers_timeout(listener.request)}
        socket = {"transport_socket": tls_socket(name, listener, listener.tls, folder), **handshake}
    chains = [
        {
            "name": chain,
            **match,
            "filters": [{"name": "http", "typed_config": _manager(edge, name, seen, routes)}],
            **socket,
        }
        for chain, match, seen in _chains(listener)
    ]
    return {
        "name": name,
        "address": socket_address(listener.address),
        "per_connection_buffer_limit_bytes": max(CONNECTION_BUFFER, listener.request.max_body, *_own_bodies(edge)),
        "listener_filters": [_inspector()] if listener.tls is not None else [],
        "listener_filters_timeout": _headers_timeout(listener.request),
        "filter_chains": chains,
    }


def _chains(listener: ListenerSpec) -> Iterator[tuple[str, Json, ListenerSpec]]:
    """Yield whom the listener believes: proxies of ours say who calls, strangers are who they are (field case L1)."""
    if not listener.trusted_proxies:
        yield "all", {}, listener
        return
    yield (
        "proxies",
        {"filter_chain_match": {"source_prefix_ranges": list(map(cidr, listener.trusted_proxies))}},
        listener,
    )
    yield "strangers", {}, listener.model_copy(update={"trusted_hops": 0})


def _own_bodies(edge: Edge) -> Iterator[int]:
    """Yield what routes allow beyond the listener: a body is held whole before it goes on."""
    yield from (route.spec.max_body for route in edge.routes() if route.spec.max_body is not None)


def _manager(edge: Edge, name: str, listener: ListenerSpec, routes: Json) -> Json:
    if listener.redirect is None:
        chain = filters.http_filters(edge, listener)
    else:
        chain = [*filters.edge_filters(edge, listener), filters.router()]
    tracer = telemetry.tracing(edge.spec.telemetry)
    return typed(
        MANAGER,
        stat_prefix=name,
        codec_type="AUTO" if "http2" in listener.protocols else "HTTP1",
        http_filters=chain,
        access_log=telemetry.access_log(edge.spec.telemetry),
        local_reply_config=answers.local_replies(),
        server_header_transformation="PASS_THROUGH",
        # Each route says whether it takes them.
        upgrade_configs=[{"upgrade_type": "websocket", "enabled": False}],
        **({"tracing": tracer} if tracer is not None else {}),
        **_trust(listener),
        **_one_spelling(),
        **_limits(listener.request),
        **routes,
    )


def _trust(listener: ListenerSpec) -> Json:
    """Who calls, and what of the request is the caller's to say."""
    early = typed(HEADER_MUTATION, mutations=untrusted.early_mutations(listener))
    return {
        "use_remote_address": True,
        "xff_num_trusted_hops": listener.trusted_hops,
        # Nobody outside is "internal": such callers could steer Envoy with x-envoy-* headers (CVE-2024-45806).
        "internal_address_config": {"cidr_ranges": [{"address_prefix": NOBODY, "prefix_len": 32}]},
        "early_header_mutation_extensions": [{"name": "frontage.untrusted", "typed_config": early}],
        "generate_request_id": True,
        "request_id_extension": {"typed_config": typed(REQUEST_ID, pack_trace_reason=False)},
    }


def _one_spelling() -> Json:
    """One spelling of a path (field case E1) and of a host (E3), before anything judges them."""
    return {
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "strip_any_host_port": True,
        "strip_trailing_host_dot": True,
    }


def _limits(request: RequestSpec) -> Json:
    return {
        "max_request_headers_kb": max(1, HARD * request.max_headers // KIBIBYTE),
        "request_headers_timeout": _headers_timeout(request),
        "request_timeout": seconds(request.timeout),
        "stream_idle_timeout": STREAM_IDLE,
        "delayed_close_timeout": "1s",
        "common_http_protocol_options": {
            "idle_timeout": DOWNSTREAM_IDLE,
            "max_headers_count": HARD * request.max_header_count,
            "headers_with_underscores_action": "ALLOW",  # until the guard, which answers where this would reset
        },
        "http2_protocol_options": {
            "max_concurrent_streams": MAX_STREAMS,
            "initial_stream_window_size": STREAM_WINDOW,
            "initial_connection_window_size": CONNECTION_WINDOW,
            "override_stream_error_on_invalid_http_message": True,  # one bad stream does not end the others
        },
    }


def _headers_timeout(request: RequestSpec) -> str:
    return seconds(min(HEADERS_TIMEOUT, request.timeout))


def _inspector() -> Json:
    config = typed("envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector")
    return {"name": "envoy.filters.listener.tls_inspector", "typed_config": config}
