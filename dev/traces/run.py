"""Two servers, one process, one store: begun together, ended together on the first signal."""

import asyncio
import os
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.applications import Starlette

from dev.traces.app import create_query_app
from dev.traces.counters import Counters
from dev.traces.ingest import create_otlp_app
from dev.traces.settings import TracesSettings
from dev.traces.store import Store
from shared.telemetry.logs import configure_logs, get_logger

log = get_logger(__name__)

# An exporter gives up after 2 s (shared/asgi/defaults.py); nobody waits longer for us.
GRACE_S: Final = 2


class PairedServer(uvicorn.Server):
    """A uvicorn server that leaves the signals to the pair."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield


def listen(address: str, *, setting: str) -> socket.socket:
    """Bind ``host:port``, or say which setting names a port that is taken."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise SystemExit(f"traces cannot listen on {address}: {why}. Set {setting} to another.") from error


def run(settings: TracesSettings) -> None:
    """Serve until SIGTERM or SIGINT; return after a clean stop."""
    configure_logs("traces", settings.log_level, for_good=True)
    query_socket = listen(settings.listen, setting="FRONTAGE_LISTEN")
    otlp_socket = listen(settings.otlp_listen, setting="FRONTAGE_OTLP_LISTEN")
    store = Store(settings.database, max_traces=settings.max_traces, max_spans=settings.max_spans)
    counters = Counters()
    pair = (
        (_server(create_query_app(store, counters, settings.version)), query_socket),
        (_server(create_otlp_app(store, counters)), otlp_socket),
    )
    log.info("started", listen=_name(query_socket), otlp_listen=_name(otlp_socket), database=settings.database)
    try:
        asyncio.run(_serve(pair))
    finally:
        store.close()
    log.info("stopped")


async def _serve(pair: tuple[tuple[PairedServer, socket.socket], ...]) -> None:
    def stop() -> None:
        for server, _ in pair:
            server.force_exit = server.should_exit  # the second signal does not wait
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop)
    await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in pair))


def _server(app: Starlette) -> PairedServer:
    return PairedServer(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=GRACE_S,
        )
    )


def _name(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"{host}:{port}"
