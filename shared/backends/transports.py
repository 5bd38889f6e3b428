"""Which client carries the calls to a backend: one setting, one table, the same policy for each.

Owns the choice and what the process's settings add to a backend's own policy.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from shared.backends.channel import Channel
from shared.backends.http2.channel import Http2Channel
from shared.backends.httpx_channel import HttpxChannel
from shared.backends.packed import PackedChannel
from shared.backends.stock import StockTransport
from shared.backends.wire.names import Resolver
from shared.backends.wire.origin import Origin
from shared.backends.wire.pool import PoolPolicy, WirePool
from shared.clock import Clock

Transport = Literal["wire", "h2", "httpx"]
Open = Callable[[str, str, PoolPolicy, Clock, Resolver | None], Channel]


def _httpx(backend: str, url: str, policy: PoolPolicy, clock: Clock, resolver: Resolver | None) -> Channel:
    return HttpxChannel(backend, url, StockTransport.to(backend, Origin.of(url), policy, clock, resolver))


# ``wire`` is our own HTTP/1.1 client, ``h2`` our HTTP/2 client, ``httpx`` the stock one on httpcore2.
TRANSPORTS: Final[dict[Transport, Open]] = {"wire": WirePool, "h2": Http2Channel, "httpx": _httpx}


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How this process reaches its backends. ``ca`` counts where a backend's own policy names none."""

    transport: Transport = "wire"
    ca: Path | None = None
    resolver: Resolver | None = None

    def open(
        self, backend: str, url: str, policy: PoolPolicy, clock: Clock, transport: Transport | None = None
    ) -> Channel:
        """Return a channel; ``transport`` is for a backend that speaks no other. Nothing is connected before a call.

        Raises ValueError when a CA file is none.
        """
        if self.ca is not None and policy.tls.ca is None:
            policy = replace(policy, tls=replace(policy.tls, ca=self.ca))
        channel = TRANSPORTS[transport or self.transport](backend, url, policy, clock, self.resolver)
        return PackedChannel(backend, channel) if policy.compression else channel
