"""What stands behind every variant: nginx with three fast static backends, an issuer, a sink for traces; and silence.

Ids are text here, although our sample backends send integers beyond 2^53: JSON.parse would round them, and then no
two variants would answer alike.
"""

import json
import socket
import threading
import time
import uuid
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from joserfc.jwk import ECKey

from dev.identity.settings import IdentitySettings
from dev.identity.tokens import TokenRequest, make_token
from tests.bench.machine import LOAD_CORE, STATE, USERS_FILE, nginx
from tests.bench.processes import Process, free_port
from tests.bench.shop import write_shop

ISSUER: Final = "http://identity.bench"
USER: Final = "u-1"
# The web BFF takes free text from such callers only; a row may send an id instead.
SCOPE: Final = "dashboard graphql:explore"
# More than are ever asked for at once: as in life, two answers are seldom the same, and none is shared.
USERS: Final = tuple(f"u-{number}" for number in range(1, 513))

PROFILE: Final = {
    "userId": USER, "displayName": "Ada Lovelace", "accountTier": "Gold", "email": "ada@example.com", "region": "eu-1",
}  # fmt: skip
ORDERS: Final = [
    {
        "id": str(9_007_199_254_740_993 + number), "userId": USER, "status": "shipped", "amount": f"{12 + number}.30",
        "currency": "EUR", "placedAt": f"2026-11-{20 - number:02}T08:15:00Z",
    }
    for number in range(5)
]  # fmt: skip
ALERTS: Final = [
    {
        "id": f"a-{number}", "userId": USER, "severity": "warning", "message": f"Card {number} expires soon",
        "createdAt": f"2026-11-{10 + number}T10:00:00Z",
    }
    for number in range(3)
]  # fmt: skip

# Bodies of about so many bytes, in lines of a hundred.
SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)

CONFIGURATION: Final = """
daemon off; master_process off; worker_processes 1; pid {state}/nginx.pid; error_log {state}/nginx.error.log warn;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; default_type application/json;
  client_body_temp_path {state}/nginx.tmp; server_tokens off; tcp_nodelay on;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location /api/internal/users/ {{ return 200 '{profile}'; }}
    location /api/internal/keyed/ {{ add_header cache-control 'max-age=3600'; return 200 '{profile}'; }}
    location /api/internal/sized/ {{ alias {state}/sized/; }}
    location = /api/internal/orders {{ return 200 '{orders}'; }}
    location = /api/internal/alerts {{ return 200 '{alerts}'; }}
    {shop}
    location = /jwks {{ return 200 '{jwks}'; }}
    location /v1/ {{ client_max_body_size 0; return 200; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where things are, and the token that opens them."""

    backend: str
    silent: str
    token: str


class Backends:
    """Everything behind the variants; ``with`` stops it."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        port = free_port()
        key = ECKey.generate_key("P-256", {"kid": "bench", "use": "sig", "alg": "ES256"}, private=True)
        path = STATE / "nginx.conf"
        path.write_text(_configuration(port, {"keys": [key.as_dict(private=False)]}))
        command = [nginx(), "-p", str(STATE), "-c", str(path)]
        process = self._stack.enter_context(Process("nginx", command, {}, LOAD_CORE))
        process.wait_ready(port, "/jwks")
        silence = self._stack.enter_context(Silence())
        settings = IdentitySettings(listen="127.0.0.1:1", issuer=ISSUER, audience="frontage")
        tokens = {user: make_token(TokenRequest(user=user, scope=SCOPE), settings, key, time.time()) for user in USERS}
        USERS_FILE.write_text("".join(f"{user} {token}\n" for user, token in tokens.items()))
        token = tokens[USER]
        self.addresses = Addresses(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{silence.port}", token)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def _configuration(port: int, jwks: object) -> str:
    (STATE / "nginx.tmp").mkdir(exist_ok=True)
    (STATE / "sized").mkdir(exist_ok=True)
    for size in SIZES:
        lines = [f"{number:07} {'.' * 84}" for number in range(size // 100)]  # with its quotes and comma, 96 bytes
        (STATE / f"sized/{size}").write_text(json.dumps(lines))
    bodies = {"profile": PROFILE, "orders": ORDERS, "alerts": ALERTS, "jwks": jwks}
    texts = {name: json.dumps(body, separators=(",", ":")) for name, body in bodies.items()}
    return CONFIGURATION.format(state=Path(STATE), port=port, shop=write_shop(Path(STATE)), **texts)


class Silence:
    """A backend that takes every connection and never says a word."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, name=f"silence-{uuid.uuid4().hex[:4]}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed: the end
            while True:
                connection, _ = self._listener.accept()
                connection.setblocking(False)
                self._open.add(connection)
                if len(self._open) > 1024:
                    self._forget_gone()

    def _forget_gone(self) -> None:
        for one in list(self._open):
            try:
                while one.recv(4096):
                    pass
            except BlockingIOError:
                continue
            except OSError:
                pass
            self._open.discard(one)
            one.close()
