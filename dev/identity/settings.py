"""What the identity provider reads from its environment."""

from shared.settings import HttpUrl, ServiceSettings


class IdentitySettings(ServiceSettings):
    """``FRONTAGE_ISSUER`` is its own address as others reach it; ``FRONTAGE_AUDIENCE`` whom its tokens are for."""

    issuer: HttpUrl
    audience: str = "frontage"
