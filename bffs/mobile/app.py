"""The mobile BFF, wired."""

from fastapi import FastAPI

from bffs.mobile import routes
from bffs.mobile.backends import ALERTS, ORDERS, USERS
from bffs.mobile.settings import MobileSettings
from shared.asgi.bff import install_bff
from shared.asgi.rest import rest_app
from shared.clock import Clock


def create_app(settings: MobileSettings, clock: Clock | None = None) -> FastAPI:
    """Return the app; backends and keys are opened with it."""
    app = rest_app("Mobile BFF", settings)
    urls = {USERS: settings.users_url, ORDERS: settings.orders_url, ALERTS: settings.alerts_url}
    install_bff(app, settings, routes.router, service="mobile", urls=urls, clock=clock)
    return app
