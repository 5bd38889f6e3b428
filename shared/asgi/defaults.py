"""What every service of ours has: one call that installs it, one list that orders it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource

from shared.asgi.deadline import DeadlineMiddleware
from shared.asgi.disconnect import DisconnectMiddleware
from shared.asgi.drain import Drain
from shared.asgi.front import Front
from shared.asgi.health import Checks, health_router
from shared.asgi.lean import LeanMiddleware, LeanRoute
from shared.asgi.observe import ObserveMiddleware, Observer
from shared.asgi.problem import ProblemMiddleware, install_problems
from shared.asgi.slow import slow_limit
from shared.clock import Clock, LoopClock
from shared.settings import ServiceSettings
from shared.telemetry.keeping import Keeper, KeepPolicy
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import Tracing, open_tracing

# The edge's own routes allow 3 s; a caller that names no deadline gets no more than that here.
DEADLINE_CEILING: Final = timedelta(seconds=3)
# A collector that is down must not hold up a deploy (field case T4): delay + grace + this + 2 s for the access log.
FLUSH_WITHIN_S: Final = 2.0
# OpenTelemetry's own default. A collector that takes 5 s for a request still gets every trace.
EXPORT_TIMEOUT_S: Final = 10.0


def install_defaults(
    app: FastAPI,
    settings: ServiceSettings,
    *,
    service: str,
    checks: Checks | None = None,
    lean: Mapping[tuple[str, str], LeanRoute] | None = None,
    clock: Clock | None = None,
) -> None:
    """Give ``app`` health, metrics and version routes, problems, a deadline, tracing and cancellation.

    ``checks`` name what must hold for readiness; ``lean`` has the routes to dispatch ahead of FastAPI. Afterwards
    ``app.state`` has ``drain``, ``metrics``, ``observer`` and ``clock``, and ``front``:
    the app for a server to run.
    """
    clock = clock or LoopClock()
    metrics = Metrics()
    drain = Drain(settings.drain_delay)
    observer = Observer(metrics, settings.trace_ratio)
    app.state.clock, app.state.metrics, app.state.drain, app.state.observer = clock, metrics, drain, observer

    install_problems(app)
    app.include_router(
        health_router(service=service, version=settings.version, checks=checks or {}, drain=drain, metrics=metrics)
    )
    # Starlette puts the last one added outermost: read from the bottom up.
    if lean:
        app.add_middleware(LeanMiddleware, routes=lean)
    app.add_middleware(DeadlineMiddleware, ceiling=DEADLINE_CEILING, clock=clock)
    app.add_middleware(DisconnectMiddleware)
    app.add_middleware(ProblemMiddleware)
    app.add_middleware(ObserveMiddleware, observer=observer, clock=clock)

    app.state.front = Front(app, lean or {}, observer, DEADLINE_CEILING, clock)

    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[None]:
        observer.keeper = Keeper(keep_policy(settings, running))
        if settings.otlp_endpoint:
            observer.tracing = _tracing_to(settings.otlp_endpoint, settings, service, metrics)
        try:
            async with inner(running):
                yield
        finally:
            if observer.tracing is not None:
                await asyncio.to_thread(observer.tracing.close, FLUSH_WITHIN_S)

    app.router.lifespan_context = lifespan


def keep_policy(settings: ServiceSettings, app: FastAPI) -> KeepPolicy:
    """Return what is worth keeping; a route's own ``slow_after`` stands above the setting."""
    declared = [(route.path, slow_limit(route.endpoint)) for route in iter_route_contexts(app.routes)]
    return KeepPolicy(
        why=settings.trace_keep,
        slow_after=settings.trace_slow_after,
        routes={path: limit for path, limit in declared if path and limit is not None},
        most_per_s=settings.trace_keep_per_second,
    )


def _tracing_to(endpoint: str, settings: ServiceSettings, service: str, metrics: Metrics) -> Tracing:
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_TIMEOUT_S)
    resource = Resource.create({"service.name": service, "service.version": settings.version})
    return open_tracing(settings.tracing, exporter, resource, settings.trace_ratio, metrics.traces_dropped)
