"""What the newcomer BFF reads from its environment: where its backends are."""

from shared.settings import BackendUrl, BffSettings


class NewcomerSettings(BffSettings):
    """``FRONTAGE_USERS_URL``, ``FRONTAGE_ORDERS_URL``, and what every BFF reads."""

    users_url: BackendUrl
    orders_url: BackendUrl
