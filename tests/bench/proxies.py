"""Other proxies at the same work, each set up as its own manual says, and only for what it can do without a plugin.

Owns their files. "plain" hands requests on; "policies" counts each client's requests, sets six security headers and
writes a line of JSON for each request (to nowhere). Of the four, HAProxy alone judges a JWT by itself.
"""

import json
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from joserfc.jwk import ECKey

from tests.bench.backends import Addresses
from tests.bench.edges import PATH, READY
from tests.bench.machine import PEERS, STATE, install_python, nginx, once, which
from tests.bench.processes import ask, free_port
from tests.bench.variants import Variant

HEADERS: Final = {
    "x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin", "permissions-policy": "camera=()",
    "content-security-policy": "frame-ancestors 'none'",
}  # fmt: skip

NGINX: Final = """
daemon off; master_process off; worker_processes 1; pid {state}/{name}.pid; error_log {state}/{name}.error.log warn;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; server_tokens off; tcp_nodelay on;
  client_body_temp_path {state}/nginx.tmp; proxy_temp_path {state}/nginx.tmp;
  upstream backend {{ server {backend}; keepalive 512; }}
  limit_req_zone $binary_remote_addr zone=clients:10m rate=1000000r/s;
  log_format line escape=json '{{"time":"$time_iso8601","client":"$remote_addr","method":"$request_method",'
    '"path":"$uri","status":$status,"seconds":$request_time,"sent":$body_bytes_sent}}';
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
      {policies}
    }}
  }}
}}
"""
HAPROXY: Final = """
global
  nbthread 1
  maxconn 8192
  log stdout format raw local0
defaults
  mode http
  timeout client 300s
  timeout server 10s
  timeout connect 2s
  option http-keep-alive
  http-reuse always
frontend public
  bind 127.0.0.1:{port}
  {policies}
  default_backend api
backend api
  server one {backend} maxconn 512 pool-max-conn -1
"""
HAPROXY_LINE: Final = (
    r'log-format {"time":"%t","client":"%ci","method":"%HM","path":"%HP","status":%ST,"ms":%Ta,"sent":%B}'
)
# All of it in JSON, which is YAML, which Traefik reads.
CADDY: Final = """
{{
  admin off
  auto_https off
}}
http://127.0.0.1:{port} {{
  {policies}
  reverse_proxy {backend}
}}
"""


def proxies(where: Addresses) -> list[Variant]:
    """Return the four, plain."""
    return [one(where, "") for one in (nginx_proxy, haproxy, traefik, caddy)]


def with_policies(where: Addresses) -> list[Variant]:
    """Return the four, with what they have of the policies."""
    return [one(where, "-policies") for one in (nginx_proxy, haproxy, traefik, caddy)]


def nginx_proxy(where: Addresses, suffix: str) -> Variant:
    """One worker, like all here."""
    headers = "".join(f'add_header {name} "{value}" always; ' for name, value in HEADERS.items())
    policies = f"limit_req zone=clients burst=100000 nodelay; access_log /dev/stdout line; {headers}" if suffix else ""
    path, port = _file(f"nginx{suffix}.conf"), free_port()
    path.write_text(
        NGINX.format(state=STATE, name=f"nginx{suffix}", port=port, backend=_netloc(where), policies=policies)
    )
    return _variant(f"nginx{suffix}", (nginx(), "-p", str(STATE), "-c", str(path)), port)


def haproxy(where: Addresses, suffix: str) -> Variant:
    """``-jwt`` judges the token as well."""
    lines = []
    if suffix:
        lines = [
            "stick-table type ip size 100k expire 60s store http_req_rate(60s)", "http-request track-sc0 src",
            "http-request deny deny_status 429 if { sc_http_req_rate(0) gt 1000000000 }", "log global", HAPROXY_LINE,
            *(f'http-response set-header {name} "{value}"' for name, value in HEADERS.items()),
        ]  # fmt: skip
    if suffix == "-jwt":
        key = _file("jwt.pem")
        key.write_bytes(_public_key(where))
        lines += [
            "acl api path_beg /api/", "http-request set-var(txn.bearer) http_auth_bearer",
            f'acl judged var(txn.bearer),jwt_verify("ES256","{key}") -m int 1',
            "http-request deny deny_status 401 if api !judged",
        ]  # fmt: skip
    path, port = _file(f"haproxy{suffix}.cfg"), free_port()
    path.write_text(HAPROXY.format(port=port, backend=_netloc(where), policies="\n  ".join(lines)))
    return _variant(f"haproxy{suffix}", (which("haproxy") or "haproxy", "-db", "-f", str(path)), port)


def traefik(where: Addresses, suffix: str) -> Variant:
    """File provider; one processor, as it would take all cores."""
    port, dynamic, static = free_port(), _file(f"traefik{suffix}.dynamic.yaml"), _file(f"traefik{suffix}.yaml")
    middlewares = {
        "counted": {"rateLimit": {"average": 1_000_000, "burst": 1_000_000}},
        "headers": {"headers": {"customResponseHeaders": HEADERS}},
    }
    router = {"rule": "PathPrefix(`/`)", "service": "api", "entryPoints": ["public"]}
    http: dict[str, object] = {
        "routers": {"all": {**router, **({"middlewares": list(middlewares)} if suffix else {})}},
        "services": {"api": {"loadBalancer": {"servers": [{"url": where.backend}]}}},
        "serversTransports": {},
    }
    http = {name: value for name, value in http.items() if value} | ({"middlewares": middlewares} if suffix else {})
    dynamic.write_text(json.dumps({"http": http}))
    common = {
        "entryPoints": {"public": {"address": f"127.0.0.1:{port}"}}, "log": {"level": "ERROR"},
        "providers": {"file": {"filename": str(dynamic)}},
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "serversTransport": {"maxIdleConnsPerHost": 512},
    }  # fmt: skip
    static.write_text(json.dumps({**common, **({"accessLog": {"format": "json"}} if suffix else {})}))
    return _variant(f"traefik{suffix}", (_program("traefik"), f"--configFile={static}"), port, GOMAXPROCS="1")


def caddy(where: Addresses, suffix: str) -> Variant:
    """Without the limit: Caddy counts requests only with a plugin."""
    port, path = free_port(), _file(f"caddy{suffix}.caddyfile")
    headers = "\n  ".join(f'header {name} "{value}"' for name, value in HEADERS.items())
    policies = "log {\n    output stdout\n    format json\n  }\n  " + headers if suffix else ""
    path.write_text(CADDY.format(port=port, backend=_netloc(where), policies=policies))
    command = (_program("caddy"), "run", "--adapter", "caddyfile", "--config", str(path))
    return _variant(f"caddy{suffix}", command, port, GOMAXPROCS="1", XDG_DATA_HOME=str(STATE), HOME=str(STATE))


def _variant(name: str, command: tuple[str, ...], port: int, **environment: str) -> Variant:
    return Variant(name, command, environment, path=PATH, port=port, ready=READY)


def _program(name: str) -> str:
    """Return the path of one that PyPI has, installed from its own lock."""
    once(PEERS / "proxies/requirements.lock", STATE / "proxies", install_python)
    return str(STATE / "proxies/bin" / name)


def _public_key(where: Addresses) -> bytes:
    port = urlsplit(where.backend).port or 80
    (key,) = json.loads(ask(port, "/jwks")[1])["keys"]
    return ECKey.import_key(key).as_pem(private=False)


def _netloc(where: Addresses) -> str:
    return urlsplit(where.backend).netloc


def _file(name: str) -> Path:
    return STATE / name
