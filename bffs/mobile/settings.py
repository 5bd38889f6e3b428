"""What the mobile BFF reads from its environment: where its backends are."""

from shared.settings import BackendUrl, BffSettings


class MobileSettings(BffSettings):
    """``FRONTAGE_USERS_URL``, ``FRONTAGE_ORDERS_URL``, ``FRONTAGE_ALERTS_URL``, and what every BFF reads."""

    users_url: BackendUrl
    orders_url: BackendUrl
    alerts_url: BackendUrl
