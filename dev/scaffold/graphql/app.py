"""The newcomer BFF, wired."""

from fastapi import FastAPI

from dev.scaffold.graphql import backends, routes
from dev.scaffold.graphql.settings import NewcomerSettings
from shared.asgi.bff import install_bff
from shared.clock import Clock


def create_app(settings: NewcomerSettings, clock: Clock | None = None) -> FastAPI:
    """Return newcomer's app; what it needs is opened with it."""
    app = FastAPI(title="Newcomer BFF", version=settings.version, openapi_url=None, redirect_slashes=False)
    urls = {backends.USERS: settings.users_url, backends.ORDERS: settings.orders_url}
    install_bff(app, settings, routes.router_of(settings), service="newcomer", urls=urls, clock=clock)
    return app
