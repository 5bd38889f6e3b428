"""What the limiter reads from its environment."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from shared.settings import ListenAddress, ServiceSettings
from shared.store.address import read_address

MEMORY = "memory:"


def _sound(url: SecretStr) -> SecretStr:
    if url.get_secret_value() != MEMORY:
        read_address(url.get_secret_value())
    return url


class LimitsSettings(ServiceSettings):
    """What every service reads, and where it counts.

    ``FRONTAGE_LISTEN`` is for probes and metrics, ``FRONTAGE_GRPC_LISTEN`` for edges. ``FRONTAGE_STORE_URL``: a form of
    ``shared/store/address.py``, or ``memory:`` for a limiter that is alone. ``FRONTAGE_STORE_TIMEOUT``: how long a
    check may wait for the store before the edge is told that nothing is known.
    """

    grpc_listen: ListenAddress
    store_url: Annotated[SecretStr, AfterValidator(_sound)]
    # Half of what the edge waits for us (edge/spec/limits.py): who loses the store is told so, and not left waiting.
    store_timeout: timedelta = timedelta(milliseconds=50)

    @property
    def grpc_host(self) -> str:
        """Host part of ``grpc_listen``, without the brackets of an IPv6 literal."""
        return self.grpc_listen.rpartition(":")[0].strip("[]")

    @property
    def grpc_port(self) -> int:
        """Port part of ``grpc_listen``."""
        return int(self.grpc_listen.rpartition(":")[2])
