"""The web BFF, wired."""

from fastapi import FastAPI

from bffs.web import routes
from bffs.web.admission import Admission
from bffs.web.backends import ALERTS, ORDERS, USERS
from bffs.web.prepare import Preparer
from bffs.web.schema import schema
from bffs.web.settings import WebSettings
from bffs.web.trusted import read_manifest
from shared.asgi.bff import install_bff
from shared.clock import Clock, LoopClock
from shared.limits.charging import LIMITER, Charger


def create_app(settings: WebSettings, clock: Clock | None = None) -> FastAPI:
    """Return the app; backends and keys are opened with it. Raises ValueError for a manifest that is none."""
    app = FastAPI(
        title="Web BFF",
        version=settings.version,
        openapi_url=None,  # the contract is schema.graphql
        redirect_slashes=False,  # a redirect would name the host that the client sent
    )
    app.state.mode = settings.mode
    preparer = Preparer(schema, open_schema=settings.mode == "local", plans=settings.graphql == "plans")
    documents = read_manifest(settings.documents, preparer)
    app.state.cursors = settings.cursors
    clock = clock or LoopClock()
    charger = Charger(clock, distributed=settings.limiter is not None)
    app.state.admission = Admission(documents, preparer, settings.policies, charger)
    urls = {USERS: settings.users_url, ORDERS: settings.orders_url, ALERTS: settings.alerts_url}
    if settings.limiter is not None:
        urls[LIMITER] = settings.limiter
    install_bff(app, settings, routes.router, service="web", urls=urls, clock=clock)
    return app
