"""What the web BFF reads from its environment: ``FRONTAGE_…_URL`` of its backends, and every BFF's settings."""

from shared.settings import BffSettings, HttpUrl


class WebSettings(BffSettings):
    """In ``local`` mode, GraphiQL answers a GET."""

    users_url: HttpUrl
    orders_url: HttpUrl
    alerts_url: HttpUrl
