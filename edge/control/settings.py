"""What the control service reads from its environment."""

from typing import Self

from pydantic import model_validator

from shared.identity.internal import EDGE_ISSUER
from shared.identity.settings import CredentialSettings
from shared.settings import ListenAddress, StoreSettings


class ControlSettings(StoreSettings, CredentialSettings):
    """What every service reads, and what it judges with (``shared/identity/settings.py``).

    ``FRONTAGE_LISTEN`` is for probes, metrics and the published keys, ``FRONTAGE_GRPC_LISTEN`` for edges.
    ``FRONTAGE_STORE_URL`` is where all control services publish their signing keys; without one, a service is alone.
    ``FRONTAGE_INTERNAL_ISSUER`` is the name that internal tokens are signed under.
    """

    grpc_listen: ListenAddress
    internal_issuer: str = EDGE_ISSUER

    @property
    def grpc_host(self) -> str:
        """Host part of ``grpc_listen``, without the brackets of an IPv6 literal."""
        return self.grpc_listen.rpartition(":")[0].strip("[]")

    @property
    def grpc_port(self) -> int:
        """Port part of ``grpc_listen``."""
        return int(self.grpc_listen.rpartition(":")[2])

    @model_validator(mode="after")
    def _addresses(self) -> Self:
        """Refuse a bad URL at start, by its variable's name."""
        _ = self.store, self.keys
        return self
