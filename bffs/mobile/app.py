"""The mobile BFF, wired."""

from fastapi import FastAPI

from bffs.mobile import routes
from bffs.mobile.backends import ALERTS, ORDERS, USERS
from bffs.mobile.settings import MobileSettings
from shared.asgi.bff import install_bff
from shared.clock import Clock


def create_app(settings: MobileSettings, clock: Clock | None = None) -> FastAPI:
    """Return the app; backends and keys are opened with it."""
    app = FastAPI(
        title="Mobile BFF",
        version=settings.version,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would name the host that the client sent
        generate_unique_id_function=lambda route: route.name,  # clients are generated: names they can live with
    )
    urls = {USERS: settings.users_url, ORDERS: settings.orders_url, ALERTS: settings.alerts_url}
    install_bff(app, settings, routes.router, service="mobile", urls=urls, clock=clock)
    return app
