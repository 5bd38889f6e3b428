"""What the mobile BFF reads from its environment: where its backends are."""

from shared.settings import BffSettings, HttpUrl


class MobileSettings(BffSettings):
    """``FRONTAGE_USERS_URL``, ``FRONTAGE_ORDERS_URL``, ``FRONTAGE_ALERTS_URL``, and what every BFF reads."""

    users_url: HttpUrl
    orders_url: HttpUrl
    alerts_url: HttpUrl
