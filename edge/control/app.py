"""The control service, wired: edges ask over gRPC, BFFs fetch the keys and operators look in over HTTP."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import httpx
from fastapi import FastAPI
from starlette.responses import JSONResponse

from edge.control.judging import open_judge
from edge.control.key_board import KeyBoard, NoBoard, StoreBoard
from edge.control.metrics import ControlMetrics
from edge.control.minting import Mint
from edge.control.service import ControlService, handlers
from edge.control.settings import ControlSettings
from edge.control.signing import SigningKeys
from shared.asgi.defaults import install_defaults
from shared.backends.wire.pool import PoolPolicy
from shared.backends.wire.transport import WireTransport
from shared.clock import Clock, LoopClock
from shared.grpc.server import GrpcServer
from shared.store.store import Store, StorePolicy
from shared.telemetry.stores import StoreMetrics

JWKS_PATH: Final = "/.well-known/edge-jwks.json"
# Verifiers read them again after so long anyway (``shared/identity/internal.py``).
KEYS_KEPT: Final = {"cache-control": "max-age=60"}
MAX_DOCUMENT_BYTES: Final = 1024 * 1024


def create_app(settings: ControlSettings, clock: Clock | None = None) -> FastAPI:
    """Return the app. While it lives, edges connect to ``app.state.grpc_port``."""
    clock = clock or LoopClock()
    app = FastAPI(title="Control", version=settings.version, openapi_url=None, docs_url=None, redoc_url=None)

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            signing = SigningKeys(await _board(stack, settings, running, clock), clock)
            transport = WireTransport(PoolPolicy(), clock, max_body_bytes=MAX_DOCUMENT_BYTES)
            client = await stack.enter_async_context(httpx.AsyncClient(transport=transport))
            judge = await stack.enter_async_context(open_judge(settings, client, clock))
            mint = Mint(signing, settings.internal_issuer, clock)
            metrics = ControlMetrics(running.state.metrics.registry, lambda: server.connections, lambda: mint.signed)
            service = ControlService(judge, mint, metrics)
            stack.push_async_callback(service.close)
            await signing.start()
            stack.push_async_callback(signing.close)
            running.state.signing = signing
            server = GrpcServer(handlers(service, ready=_ready(running)))
            running.state.grpc_port = await server.start(settings.grpc_host, settings.grpc_port)
            yield
            await server.stop(settings.drain_grace.total_seconds())

    app.router.lifespan_context = lifespan

    @app.get(JWKS_PATH)
    async def publish_keys() -> JSONResponse:
        """Publish the keys of all control services: internal tokens are signed with one of them."""
        return JSONResponse(app.state.signing.published(), headers=KEYS_KEPT)

    install_defaults(
        app, settings, service="control", clock=clock, checks={"keys": lambda: bool(app.state.signing.ready)}
    )  # fmt: skip
    return app


async def _board(stack: AsyncExitStack, settings: ControlSettings, app: FastAPI, clock: Clock) -> KeyBoard:
    address = settings.store
    if address is None:
        return NoBoard()
    stores: StoreMetrics = app.state.metrics.stores
    store = Store.open(address, clock, StorePolicy(), stores.turned)
    stores.watch(store, {})
    stack.push_async_callback(store.aclose)
    return StoreBoard(store)


def _ready(app: FastAPI) -> Callable[[], bool]:
    """Whether edges should ask here. A store or an issuer that is away is no reason not to: who asks is told so."""
    return lambda: bool(app.state.signing.ready) and not app.state.drain.started
