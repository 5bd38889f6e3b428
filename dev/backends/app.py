"""A sample backend, wired."""

from collections import OrderedDict

from fastapi import FastAPI

from dev.backends.database import open_copy
from dev.backends.faults import FaultMiddleware, Faults, fault_router
from dev.backends.records import Records
from dev.backends.routes import ROUTERS, TABLES
from dev.backends.seen import Seen, SeenMiddleware, seen_router
from dev.backends.settings import BackendSettings
from shared.asgi.defaults import install_defaults


def create_app(name: str, settings: BackendSettings) -> FastAPI:
    """Return the backend of that name over its copy of the sample file."""
    app = FastAPI(title=name, version=settings.version, docs_url=None, redoc_url=None)
    database = app.state.database = open_copy(settings.database)
    app.state.records = Records(database, name, **TABLES[name]._asdict())
    app.state.keys = OrderedDict()
    faults, seen = Faults(), Seen()
    for router in (ROUTERS[name], fault_router(faults), seen_router(seen)):
        app.include_router(router)
    # Read from the bottom up: the defaults, then what we see, then what goes wrong, then the routes.
    app.add_middleware(FaultMiddleware, faults=faults)
    app.add_middleware(SeenMiddleware, seen=seen)
    install_defaults(app, settings, service=name)
    return app
