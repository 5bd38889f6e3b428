"""The operator's routes: liveness, readiness, metrics and version. No edge route leads here."""

from collections.abc import Callable, Mapping

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from shared.asgi.drain import Drain
from shared.telemetry.metrics import Metrics

Checks = Mapping[str, Callable[[], bool]]


def health_router(*, service: str, version: str, checks: Checks, drain: Drain, metrics: Metrics) -> APIRouter:
    """Return the routes; ``checks`` are cheap, named, and all of them must hold for the service to be ready."""
    router = APIRouter(include_in_schema=False)

    @router.get("/health/live")
    async def live() -> JSONResponse:
        """Answer while the event loop turns."""
        return JSONResponse({"status": "live"})

    @router.get("/health/ready")
    async def ready() -> JSONResponse:
        """Say no while draining or while a check fails, so that the balancer looks elsewhere."""
        failing = [name for name, holds in checks.items() if not holds()]
        if drain.started:
            failing.append("draining")
        status = "not ready" if failing else "ready"
        return JSONResponse({"status": status, "failing": failing}, 503 if failing else 200)

    @router.get("/metrics")
    async def scrape() -> Response:
        """Prometheus text format."""
        return Response(metrics.scrape(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @router.get("/version")
    async def show_version() -> JSONResponse:
        """Which build answers."""
        return JSONResponse({"service": service, "version": version})

    return router
