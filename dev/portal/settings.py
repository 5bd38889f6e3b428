"""What the portal reads from its environment: whom it asks, where it sends people, what example calls trust."""

from pathlib import Path

from shared.settings import HttpUrl, ServiceSettings


class PortalSettings(ServiceSettings):
    """``identity_url`` gives tokens; ``traces_url`` is where a browser finds traces; ``ca`` is what curl must trust.

    ``tree`` is where the committed contracts are: ``bffs/`` and ``edge/generated/``.
    """

    identity_url: HttpUrl
    traces_url: HttpUrl
    ca: str = ".local/tls/ca.pem"
    tree: Path = Path()
