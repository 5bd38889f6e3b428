"""What the limiter reads from its environment."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, SecretStr

from shared.settings import ListenAddress, StoreSettings


class LimitsSettings(StoreSettings):
    """What every service reads, and where it counts.

    ``FRONTAGE_LISTEN`` is for probes and metrics, ``FRONTAGE_GRPC_LISTEN`` for edges. ``FRONTAGE_STORE_URL`` set, but
    empty: in this process' own memory, for a limiter that is alone. ``FRONTAGE_STORE_ANSWER_WITHIN``: how long a check
    may wait for the store before the edge is told that nothing is known.
    """

    grpc_listen: ListenAddress
    # Required: who counts alone by mistake admits as many times the limit as there are limiters.
    store_url: SecretStr
    # Half of what the edge waits for us (edge/spec/limits.py): who loses the store is told so, and not left waiting.
    store_answer_within: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(milliseconds=50)

    @property
    def grpc_host(self) -> str:
        """Host part of ``grpc_listen``, without the brackets of an IPv6 literal."""
        return self.grpc_listen.rpartition(":")[0].strip("[]")

    @property
    def grpc_port(self) -> int:
        """Port part of ``grpc_listen``."""
        return int(self.grpc_listen.rpartition(":")[2])
