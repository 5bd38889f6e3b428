"""The limiter, wired: edges ask over gRPC, operators over HTTP, and both go away in order."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from edge.limits.http2.server import GrpcServer
from edge.limits.judging import MemoryJudge, StoreJudge
from edge.limits.metrics import LimitMetrics
from edge.limits.service import Judge, LimitService, handlers
from edge.limits.settings import MEMORY, LimitsSettings
from shared.asgi.defaults import install_defaults
from shared.clock import Clock, LoopClock
from shared.store.address import read_address
from shared.store.standing import StoreTurnedEvent
from shared.store.store import Store, StorePolicy
from shared.telemetry.logs import get_logger

log = get_logger(__name__)


def create_app(settings: LimitsSettings, clock: Clock | None = None) -> FastAPI:
    """Return the app. While it lives, ``app.state.grpc_port`` is where edges connect."""
    clock = clock or LoopClock()
    app = FastAPI(title="Limits", version=settings.version, openapi_url=None, docs_url=None, redoc_url=None)

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            judge, store = await _open(settings, clock, stack)
            metrics = LimitMetrics(
                running.state.metrics.registry,
                up=lambda: store is None or store.up,
                asked=lambda: {} if store is None else dict(store.outcomes),
                connections=lambda: server.connections,
            )
            service = LimitService(judge, metrics)
            server = GrpcServer(handlers(service, ready=_ready(running)))
            running.state.grpc_port = await server.start(settings.grpc_host, settings.grpc_port)
            yield
            await server.stop(settings.drain_grace.total_seconds())

    app.router.lifespan_context = lifespan
    install_defaults(app, settings, service="limits", clock=clock)
    return app


def _ready(app: FastAPI) -> Callable[[], bool]:
    """Whether edges should ask here. A store that is away is no reason not to: who asks is told so at once."""
    return lambda: not app.state.drain.started


async def _open(settings: LimitsSettings, clock: Clock, stack: AsyncExitStack) -> tuple[Judge, Store | None]:
    url = settings.store_url.get_secret_value()
    if url == MEMORY:
        return MemoryJudge(clock), None
    policy = StorePolicy(answer_within=settings.store_timeout)
    store = Store.open(read_address(url), clock, policy, _tell)
    stack.push_async_callback(store.aclose)
    return StoreJudge(store), store


def _tell(event: StoreTurnedEvent) -> None:
    if event.up:
        log.info("store_back")
    else:
        log.warning("store_away", cause=event.cause, effect="checks are not judged; each limit's policy decides")
