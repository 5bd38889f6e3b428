"""What the web BFF reads from its environment: ``FRONTAGE_…_URL`` of its backends, and every BFF's settings."""

from shared.settings import BackendUrl, BffSettings


class WebSettings(BffSettings):
    """In ``local`` mode, GraphiQL answers a GET."""

    users_url: BackendUrl
    orders_url: BackendUrl
    alerts_url: BackendUrl
