"""Runs one service in one process: uvicorn, and the order in which it goes away.

First signal: readiness says no and each answer is its connection's last; ``drain_delay`` passes, the listener closes,
calls in flight end within ``drain_grace``, pools close, exit 0. Second signal: at once (field case O1).
"""

import asyncio
import gc
from types import FrameType
from typing import Final

import uvicorn
from fastapi import FastAPI

from shared.asgi.drain import Drain
from shared.asgi.server_protocol import ServerProtocol
from shared.identity.hop import HopSettings
from shared.settings import ServiceSettings
from shared.telemetry.access import AccessLog
from shared.telemetry.logs import configure_logs, get_logger

# Longer than any client of ours keeps a connection idle (the edge: 60 s), so that we never close under a request (O2).
KEEP_ALIVE_S: Final = 75

# What lives after start lives for ever: frozen out of collection. Then young objects die young, and a full pass is
# rare: +23 to 37 % throughput and a third of the p99 in docs/performance.md.
GC_THRESHOLDS: Final = (20_000, 50, 1_000)

# A reader of our log that is stuck must not hold up a deploy.
FLUSH_WITHIN_S: Final = 2.0


class DrainingServer(uvicorn.Server):
    """A uvicorn server that drains on the first signal and exits with 0."""

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config)
        self._drain = drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Begin to drain, or, the second time, stop at once. A signal not recorded is not raised again by uvicorn."""
        if self._drain.started:
            self.force_exit = self.should_exit = True
            return
        self._drain.started = True
        if self._drain.delay:
            asyncio.get_running_loop().call_later(self._drain.delay.total_seconds(), self._leave)
        else:
            self._leave()

    def _leave(self) -> None:
        self.should_exit = True


def server_config(app: FastAPI, settings: ServiceSettings) -> uvicorn.Config:
    """Return how ``app`` is served, here and by the testing kit."""
    app.state.caller = settings.tls_caller if isinstance(settings, HopSettings) else None
    return uvicorn.Config(
        app,
        **(settings.uvicorn_tls if isinstance(settings, HopSettings) else {}),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=ServerProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(settings.drain_grace.total_seconds()),
    )


def serve(app: FastAPI, settings: ServiceSettings) -> None:
    """Serve ``app`` on ``settings.listen`` until a signal; returns after a clean stop."""
    configure_logs(app.title, settings.log_level, for_good=True)
    log = get_logger(__name__)
    config = server_config(app, settings)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    log.info("starting", listen=settings.listen, mode=settings.mode)
    server = DrainingServer(config, app.state.drain)
    access = app.state.observer.access = AccessLog(app.title) if settings.log_level in {"debug", "info"} else None
    try:
        server.run()
    finally:
        if access is not None:
            access.close(FLUSH_WITHIN_S)
    log.info("stopped")
    if not server.started:
        raise SystemExit(1)
