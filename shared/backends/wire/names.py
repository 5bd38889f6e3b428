"""The addresses of a host: asked for anew when they are old, and taken in turns.

Owns how long an answer of DNS counts and the order in which addresses are tried. Connecting is ``dial.py``'s business.
"""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from itertools import chain, zip_longest
from typing import NamedTuple, Protocol

from shared.clock import Clock


class Address(NamedTuple):
    """One address of a host: an IP literal, which may have a zone (``fe80::1%eth0``)."""

    ip: str
    port: int

    @property
    def family(self) -> socket.AddressFamily:
        """IPv4 or IPv6."""
        return socket.AF_INET6 if ":" in self.ip else socket.AF_INET


class Resolver(Protocol):
    """Who knows the addresses of a host."""

    async def resolve(self, host: str) -> Sequence[str]:
        """Return its addresses, the preferred first (RFC 6724). Raises OSError when there are none."""


class SystemResolver:
    """The machine's own: hosts file, DNS, search domains."""

    async def resolve(self, host: str) -> Sequence[str]:
        """Return what getaddrinfo says, each address once."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except UnicodeError:  # a label that is empty or over 63 characters never reaches DNS
            raise OSError("its name is not one that DNS can have") from None
        return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesPolicy:
    """How long an answer of DNS counts."""

    # As long as CoreDNS lets Kubernetes' records live (5 s) to how long most balancers' do (60 s): nearer the former.
    max_age: timedelta = timedelta(seconds=10)
    # A resolver that is down must not take the backends with it; what moved meanwhile fails to connect.
    max_age_without_dns: timedelta = timedelta(minutes=5)


@dataclass(slots=True)
class _Known:
    ips: Sequence[str]
    at_s: float
    turn: int = 0


class Names:
    """What is known of the addresses of hosts; one lookup of a host at a time, whoever waits for it."""

    def __init__(self, resolver: Resolver, clock: Clock, policy: NamesPolicy) -> None:
        self._resolver = resolver
        self._clock = clock
        self._policy = policy
        self._known: dict[str, _Known] = {}
        self._behind: set[Address] = set()
        self._lookups: dict[str, asyncio.Task[Sequence[str]]] = {}

    async def addresses(self, host: str, port: int) -> list[Address]:
        """Return where to connect to, in order: in turns within a family, the families alternating (RFC 8305 §4).

        What failed or was slow is tried last, until DNS is asked again. Raises OSError when there is no address.
        """
        if is_literal(host):
            return [Address(host, port)]
        known = self._known.get(host)
        if known is None or self._clock.now_s() - known.at_s >= self._policy.max_age.total_seconds():
            known = await self._ask(host, known)
        known.turn += 1
        in_order = [Address(ip, port) for ip in _alternating(known.ips, known.turn - 1)]
        return sorted(in_order, key=self._behind.__contains__)

    def put_behind(self, address: Address) -> None:
        """Note that an address did not connect, or not in time."""
        self._behind.add(address)

    async def _ask(self, host: str, known: _Known | None) -> _Known:
        lookup = self._lookups.get(host)
        if lookup is None:
            lookup = asyncio.get_running_loop().create_task(self._look_up(host))
            self._lookups[host] = lookup
            lookup.add_done_callback(lambda _: self._lookups.pop(host, None))
        try:
            await asyncio.shield(lookup)  # whoever gives up leaves the others their answer
        except OSError:
            oldest_s = self._clock.now_s() - self._policy.max_age_without_dns.total_seconds()
            if known is None or known.at_s < oldest_s:
                raise
            return known
        return self._known[host]

    async def _look_up(self, host: str) -> Sequence[str]:
        ips = await self._resolver.resolve(host)
        if not ips:
            raise OSError(f"{host} has no address")
        turn = self._known[host].turn if host in self._known else 0
        self._known[host] = _Known(ips, self._clock.now_s(), turn)
        self._behind.clear()
        return ips

    async def aclose(self) -> None:
        """Give up every lookup."""
        for lookup in list(self._lookups.values()):
            lookup.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await lookup


def is_literal(host: str) -> bool:
    """Whether a host is an address already."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _alternating(ips: Sequence[str], turn: int) -> list[str]:
    """Interleave the families, the resolver's first one first, each of them turned by one more at every call."""
    six = [ip for ip in ips if ":" in ip]
    four = [ip for ip in ips if ":" not in ip]
    families = [_turned(family, turn) for family in ((six, four) if ":" in ips[0] else (four, six))]
    return [ip for ip in chain.from_iterable(zip_longest(*families)) if ip is not None]


def _turned(ips: list[str], turn: int) -> list[str]:
    start = turn % len(ips) if ips else 0
    return ips[start:] + ips[:start]
