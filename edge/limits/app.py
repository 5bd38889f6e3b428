"""The limiter, wired: edges ask over gRPC, operators over HTTP, and both go away in order."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from edge.limits.judging import MemoryJudge, StoreJudge
from edge.limits.metrics import LimitMetrics
from edge.limits.service import Judge, LimitService, handlers
from edge.limits.settings import LimitsSettings
from shared.asgi.defaults import install_defaults
from shared.clock import Clock, LoopClock
from shared.grpc.server import GrpcServer
from shared.store.store import Store, StorePolicy
from shared.telemetry.stores import StoreMetrics


def create_app(settings: LimitsSettings, clock: Clock | None = None) -> FastAPI:
    """Return the app; raises ValueError for a bad URL. While it lives, edges connect to ``app.state.grpc_port``."""
    clock = clock or LoopClock()
    address = settings.store
    app = FastAPI(title="Limits", version=settings.version, openapi_url=None, docs_url=None, redoc_url=None)

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            judge: Judge = MemoryJudge(clock)
            if address is not None:
                stores: StoreMetrics = running.state.metrics.stores
                policy = StorePolicy(answer_within=settings.store_answer_within)
                store = Store.open(address, clock, policy, stores.turned)
                stores.watch(store, {})
                stack.push_async_callback(store.aclose)
                judge = StoreJudge(store)
            metrics = LimitMetrics(running.state.metrics.registry, lambda: server.connections)
            server = GrpcServer(handlers(LimitService(judge, metrics), ready=_ready(running)))
            running.state.grpc_port = await server.start(settings.grpc_host, settings.grpc_port)
            yield
            await server.stop(settings.drain_grace.total_seconds())

    app.router.lifespan_context = lifespan
    install_defaults(app, settings, service="limits", clock=clock)
    return app


def _ready(app: FastAPI) -> Callable[[], bool]:
    """Whether edges should ask here. A store that is away is no reason not to: who asks is told so at once."""
    return lambda: not app.state.drain.started
