"""A sample backend, wired."""

from fastapi import FastAPI

from dev.backends.database import open_sample
from dev.backends.faults import FaultMiddleware, Faults, fault_router
from dev.backends.routes import ROUTERS
from dev.backends.seen import Seen, SeenMiddleware, seen_router
from dev.backends.settings import BackendSettings
from shared.asgi.defaults import install_defaults


def create_app(name: str, settings: BackendSettings) -> FastAPI:
    """Return the backend of that name over the sample file."""
    app = FastAPI(title=name, version=settings.version, docs_url=None, redoc_url=None)
    app.state.database = open_sample(settings.database)
    faults, seen = Faults(), Seen()
    for router in (ROUTERS[name], fault_router(faults), seen_router(seen)):
        app.include_router(router)
    # Read from the bottom up: the defaults, then what we see, then what goes wrong, then the routes.
    app.add_middleware(FaultMiddleware, faults=faults)
    app.add_middleware(SeenMiddleware, seen=seen)
    install_defaults(app, settings, service=name)
    return app
