"""Where the store is: one URL for a single server, a group watched by sentinels, or a cluster, with or without TLS.

    valkey://user:password@host:6379/0                       one server; the path is the number of its database
    valkeys://host:6380/0?ca=/tls/ca.pem                     over TLS, always verified; ca: not one of the system's
    valkeys://host:6380/0?ca=…&certificate=…&key=…           and we show a certificate of our own
    valkey+sentinel://host1,host2:26379/main/0               the primary of the group "main", wherever it is by now
    valkey+cluster://host1,host2:6379                        a cluster, known by some of its nodes

``redis`` may stand for ``valkey`` everywhere, and ``rediss`` for ``valkeys``. A password is percent-encoded where it
has ``/``, ``@`` or ``:``. Sentinels are spoken to over TLS when the store is; those that want a password get it as
``sentinel_user`` and ``sentinel_password`` after the ``?``.

Owns the reading of it. Errors say what is wrong and what to write, and never show the URL: it may hold a password.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

STORE_PORT: Final = 6379
SENTINEL_PORT: Final = 26379
PARAMETERS: Final = ("ca", "certificate", "key", "sentinel_user", "sentinel_password")


class Topology(StrEnum):
    """How many servers there are, and who knows which one to ask."""

    SINGLE = "single"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


# With TLS or without, by the scheme's first part.
SECURE: Final = {"valkey": False, "redis": False, "valkeys": True, "rediss": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAddress:
    """A URL, read. Its ``repr`` has no secret."""

    topology: Topology
    hosts: tuple[tuple[str, int], ...]
    database: int = 0
    group: str = ""
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    sentinel_user: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)


def read_address(url: str) -> StoreAddress:
    """Read a URL of the forms above. Raises ValueError, which names what is wrong with it."""
    parts = urlsplit(url)
    family, _, kind = parts.scheme.partition("+")
    topology = Topology.SINGLE if not kind and "+" not in parts.scheme else _topology(kind)
    if family not in SECURE:
        raise ValueError(
            f"the scheme {parts.scheme!r} is none of valkey, valkeys, redis, rediss, with or without +sentinel or "
            "+cluster; write for example valkey://host:6379"
        )
    credentials, at, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    group, database = _path(topology, [unquote(part) for part in parts.path.split("/")[1:] if part])
    return StoreAddress(
        topology=topology,
        hosts=_hosts(topology, hosts),
        database=database,
        group=group,
        user=unquote(user) or None if at else None,
        password=unquote(password) or None if at else None,
        tls=SECURE[family],
        **_parameters(parts.query, tls=SECURE[family]),
    )


def _topology(kind: str) -> Topology:
    if kind not in {Topology.SENTINEL, Topology.CLUSTER}:
        raise ValueError(f"+{kind} is no kind of store; write +sentinel, +cluster, or nothing for one server")
    return Topology(kind)


def _hosts(topology: Topology, text: str) -> tuple[tuple[str, int], ...]:
    usual = SENTINEL_PORT if topology is Topology.SENTINEL else STORE_PORT
    hosts = tuple(_host(one.strip(), usual) for one in text.split(","))
    if topology is Topology.SINGLE and len(hosts) > 1:
        raise ValueError("it names several hosts, but one server is meant; write +cluster or +sentinel")
    return hosts


def _host(text: str, usual: int) -> tuple[str, int]:
    try:
        split = urlsplit(f"//{text}")
        host, port = split.hostname, split.port or usual
    except ValueError:
        host, port = None, usual
    if not host:
        raise ValueError("a host is missing or its port is no number; write host:port, with [::1]:port for IPv6")
    return host, port


def _path(topology: Topology, parts: list[str]) -> tuple[str, int]:
    """Return group and database of the path."""
    group = ""
    if topology is Topology.SENTINEL:
        if not parts:
            raise ValueError("the group that the sentinels watch is missing; write …/main or …/main/0")
        group, *parts = parts
    if topology is Topology.CLUSTER and parts:
        raise ValueError("a cluster has one database only; leave out the path")
    if not parts:
        return group, 0
    if len(parts) > 1 or not (parts[0].isascii() and parts[0].isdigit()):
        raise ValueError("what follows the host is no number of a database; write …/0 or nothing")
    return group, int(parts[0])


def _parameters(query: str, *, tls: bool) -> dict[str, str]:
    found = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := found.keys() - set(PARAMETERS):
        raise ValueError(f"{', '.join(sorted(unknown))} after the ? is not known; known are {', '.join(PARAMETERS)}")
    if not tls and (idle := found.keys() & {"ca", "certificate", "key"}):
        raise ValueError(f"{', '.join(sorted(idle))} means TLS, and the scheme does not; write valkeys")
    if ("certificate" in found) != ("key" in found):
        raise ValueError("certificate and key go together; write both or none")
    return found
