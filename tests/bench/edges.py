"""Edges to measure, each one Envoy on one core: what our compiler makes of a file, beside one written by hand.

Owns the files. All listen without TLS: record by record it costs each of them the same, and would hide the rest.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from edge.envoy.compile import compile_edge
from edge.envoy.listeners import MANAGER
from edge.envoy.words import TYPES
from edge.load import load
from edge.rules import judge
from edge.validate import envoy_path
from tests.bench.backends import ISSUER, Addresses
from tests.bench.machine import STATE, BenchError, nginx
from tests.bench.processes import free_port
from tests.bench.variants import Variant

PATH: Final = "/api/internal/sized/1000"
READY: Final = "/v1/ready"
ORIGIN: Final = "https://app.example.test"
BACKEND: Final = "backend"
# Mode edge wants mTLS to its upstream: without TLS here as elsewhere in the bench, that rule would have the last word.
UNPROTECTED: Final = "unprotected_hop"

# What every edge of the bench begins with; each adds its routes and policies.
FRAME: Final = """
listeners:
  public:
    address: 127.0.0.1:{port}
    hosts: [127.0.0.1]
    tls: {{certificate: unused.pem, key: unused.key}}
routes:
  - {{name: ready, match: {{path: "{ready}"}}, cluster: backend, timeout: 3s}}
  - {{name: api, match: {{path: "/api/{{**rest}}"}}, cluster: backend, timeout: 3s{route}}}
clusters:
  backend: {{endpoints: ["{backend}"]}}
admin: {{address: "127.0.0.1:{admin}"}}
{more}
"""
TRACES: Final = 'telemetry: {{traces: "{backend}", ratio: {ratio}}}\n'
UNTRACED: Final = 'telemetry: {traces: ""}\n'
AUTH: Final = """
  auth:
    customers: {{accept: [jwt], mode: {mode}, issuers: [main]}}
  issuers:
    main: {{issuer: "{issuer}", audience: frontage, jwks: "http://{backend}/jwks", algorithms: [ES256]}}
"""
CORS: Final = f"""
  cors:
    apps: {{origins: ["{ORIGIN}"], credentials: true, methods: [GET, POST]}}
"""
# Nobody is refused: what is measured is the counting.
LOCAL: Final = "{limit: 1000000000, window: 1m}"
DISTRIBUTED: Final = "{limit: 1000000000, window: 1m, scope: distributed, on_store_failure: open}"


def edge(
    where: Addresses, name: str, *, route: str = "", policies: str = "", more: str = "", ratio: float | None = None
) -> Variant:  # fmt: skip
    """Compile an edge with these policies on its one route."""
    port, backend = free_port(), urlsplit(where.backend).netloc
    traces = UNTRACED if ratio is None else TRACES.format(backend=backend, ratio=ratio)
    wanted = f"policies:\n{policies}" if policies else ""
    text = FRAME.format(
        port=port, ready=READY, backend=backend, admin=free_port(), route=route, more=traces + wanted + more
    )
    return envoy(name, compiled(name, text), port)


def l7(where: Addresses, name: str = "edge-l7") -> Variant:
    """Only what every route has: a normal path, nobody's headers but ours, security headers, deadline, access log."""
    return edge(where, name)


def gateway(
    where: Addresses, name: str = "edge", *, limit: str = LOCAL, mode: str = "verify", more: str = ""
) -> Variant:  # fmt: skip
    """Everything: JWT, limit, CORS, headers, access log, 1 % of traces."""
    policies = AUTH.format(mode=mode, issuer=ISSUER, backend=urlsplit(where.backend).netloc) + CORS
    policies += f"  limits:\n    counted: {limit}\n"
    route = ", auth: customers, cors: apps, limits: [counted]"
    made = edge(where, name, route=route, policies=policies, more=more, ratio=0.01)
    return replace(made, headers={"origin": ORIGIN})


def l4(where: Addresses, name: str = "edge-l4") -> Variant:
    """A TCP entry: bytes, not requests."""
    port, backend = free_port(), urlsplit(where.backend).netloc
    entry = f'tcp:\n  - {{name: bytes, listen: "127.0.0.1:{port}", cluster: backend}}\n'
    text = FRAME.format(
        port=free_port(), ready=READY, backend=backend, admin=free_port(), route="", more=UNTRACED + entry
    )
    return envoy(name, compiled(name, text), port)


def compiled(name: str, text: str) -> dict[str, Any]:
    """Return Envoy's configuration of an edge, all in one, and without its TLS."""
    path = STATE / f"{name}.yaml"
    path.write_text(text)
    loaded = load(path, {})
    problems = [*loaded.problems, *(judge(loaded.edge) if loaded.edge is not None else [])]
    problems = [one for one in problems if one.rule != UNPROTECTED]
    if loaded.edge is None or problems:
        raise BenchError(f"{name}: {problems[0]}")
    whole = compile_edge(loaded.edge).whole()
    for listener in whole["static_resources"]["listeners"]:
        listener["listener_filters"] = []
        for chain in listener["filter_chains"]:
            chain.pop("transport_socket", None)
            chain.pop("transport_socket_connect_timeout", None)
    return whole


def envoy(name: str, bootstrap: dict[str, Any], port: int) -> Variant:
    """Return an Envoy with this configuration, as ``edge run`` would start it."""
    path = STATE / f"{name}.json"
    path.write_text(json.dumps(bootstrap))
    command = (
        str(envoy_path()), "--config-path", str(path), "--disable-hot-restart", "--concurrency", "1",
        "--log-level", "warning", "--file-flush-interval-msec", "250",
    )  # fmt: skip
    return Variant(name, command, path=PATH, port=port, ready=READY)


def plain_envoy(where: Addresses, name: str = "envoy-plain") -> Variant:
    """The least that proxies HTTP: a route, a cluster, the router; no log, no header, no limit."""
    port = free_port()
    backend = urlsplit(where.backend)
    routes = {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
        {"match": {"prefix": "/"}, "route": {"cluster": BACKEND, "timeout": "3s"}}]}]}  # fmt: skip
    manager = {
        "@type": TYPES + MANAGER, "stat_prefix": "plain", "route_config": routes,
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {
            "@type": f"{TYPES}envoy.extensions.filters.http.router.v3.Router"}}],
    }  # fmt: skip
    listener = {
        "name": "plain", "address": _socket(port), "filter_chains": [{"filters": [
            {"name": "http", "typed_config": manager}]}],
    }  # fmt: skip
    cluster = {
        "name": BACKEND, "connect_timeout": "1s", "load_assignment": {"cluster_name": BACKEND, "endpoints": [
            {"lb_endpoints": [{"endpoint": {"address": _socket(backend.port or 80)}}]}]},
        "circuit_breakers": {"thresholds": [{"max_requests": 10_000, "max_connections": 10_000}]},
    }  # fmt: skip
    return envoy(name, {"static_resources": {"listeners": [listener], "clusters": [cluster]}}, port)


def _socket(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


DIRECT: Final = """
daemon off; master_process off; worker_processes 1; pid {state}/direct.pid; error_log {state}/direct.error.log warn;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; default_type application/json;
  server_tokens off; tcp_nodelay on;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location /api/internal/sized/ {{ alias {state}/sized/; }}
    location /v1/ {{ return 200; }}
  }}
}}
"""


def direct(name: str = "direct") -> Variant:
    """No edge at all: the backend itself where the edges are, on their core."""
    port, path = free_port(), Path(STATE / "direct.conf")
    path.write_text(DIRECT.format(state=STATE, port=port))
    return Variant(name, (nginx(), "-p", str(STATE), "-c", str(path)), path=PATH, port=port, ready=READY)
