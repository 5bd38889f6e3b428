"""The newcomer BFF, wired."""

from fastapi import FastAPI

from dev.scaffold.rest import backends, routes
from dev.scaffold.rest.settings import NewcomerSettings
from shared.asgi.bff import install_bff
from shared.asgi.rest import rest_app
from shared.clock import Clock


def create_app(settings: NewcomerSettings, clock: Clock | None = None) -> FastAPI:
    """Return newcomer's app; what it needs is opened with it."""
    app = rest_app("Newcomer BFF", settings)
    urls = {backends.USERS: settings.users_url, backends.ORDERS: settings.orders_url}
    install_bff(app, settings, routes.router, service="newcomer", urls=urls, clock=clock)
    return app
