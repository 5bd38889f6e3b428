"""The lines to the store on redis-py's connections. Nothing of redis-py leaves this module.

Owns the discipline of one exchange: as many replies are read as commands were sent, or the connection is closed and
never used again (field case L7). Nobody who waits for an answer waits in here, so nobody who leaves interrupts it; what
ends an exchange early is its own time alone. Nothing is tried twice: a script that counts must not count twice.

Imported only where there is a store: redis-py takes 30 MB, and half of the time that a service may take to start.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Final

from redis import exceptions as theirs
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

from shared.store.address import StoreAddress, Topology
from shared.store.command import Word
from shared.store.errors import StoreError, StoreRefused, StoreTimedOut, StoreUnreachable, StoreUnready
from shared.store.lines import Line, Lines, NoScript

# Most specific first: the first row that fits wins. Several of theirs are both an answer and a broken connection.
FAILURES: Final[tuple[tuple[tuple[type[Exception], ...], type[StoreError]], ...]] = (
    ((theirs.BusyLoadingError, theirs.ClusterDownError, theirs.ReadOnlyError, theirs.TryAgainError), StoreUnready),
    ((theirs.TimeoutError, TimeoutError), StoreTimedOut),
    ((theirs.ConnectionError, theirs.RedisClusterException, theirs.AskError, OSError), StoreUnreachable),
)
# First words of errors that say "not now", for which redis-py has no class.
NOT_NOW: Final = frozenset({"BUSY", "LOADING", "MASTERDOWN", "READONLY", "CLUSTERDOWN"})


def failure_of(error: Exception) -> StoreError:
    """Say an exception of redis-py in our words; of its text, only the first word."""
    word = str(error).partition(" ")[0]
    word = word if word.isascii() and word.isupper() and word.isalpha() else type(error).__name__
    if isinstance(error, theirs.NoScriptError):
        return NoScript(word)
    ours = next((ours for kinds, ours in FAILURES if isinstance(error, kinds)), StoreRefused)
    return (StoreUnready if word in NOT_NOW else ours)(word)


class OneConnection:
    """A line that is one connection of redis-py, taken out of its pools."""

    def __init__(self, connection: AbstractConnection, connect_s: float, answer_s: float) -> None:
        self._connection = connection
        self._connect_s = connect_s
        self._answer_s = answer_s

    async def connect(self) -> None:
        """Be connected. A connection that the store closed, or on which something unasked arrived, is made anew."""
        connection = self._connection
        try:
            if connection.is_connected:
                if not await connection.can_read():
                    return
                await self._hang_up()
            async with asyncio.timeout(self._connect_s):
                await connection.connect()  # type: ignore[no-untyped-call]
        except Exception as error:  # noqa: BLE001 - whatever redis-py raises, there is no connection
            await self._hang_up()
            raise failure_of(error) from None
        except BaseException:
            await self._hang_up()
            raise

    async def exchange(self, batch: Sequence[tuple[Word, ...]]) -> Sequence[Any]:
        """Send all and read as many replies; whatever comes between closes the connection."""
        connection = self._connection
        replies: list[Any] = []
        try:
            async with asyncio.timeout(self._answer_s):
                await connection.send_packed_command(connection.pack_commands(batch), check_health=False)
                while len(replies) < len(batch):
                    replies.append(await self._reply())
        except Exception as error:  # noqa: BLE001 - whatever redis-py raises, the answers are not all read
            raise failure_of(error) from None
        finally:
            if len(replies) < len(batch) or any(isinstance(one, StoreUnready) for one in replies):
                await self._hang_up()  # after a fail-over, the next connection finds the new primary
        return replies

    async def _reply(self) -> Any:
        try:
            return await self._connection.read_response()
        except theirs.ResponseError as said:  # an answer like any other: the connection stays in step
            return failure_of(said)

    async def _hang_up(self) -> None:
        with contextlib.suppress(Exception):  # it is closed as far as we are concerned
            await self._connection.disconnect(nowait=True)

    async def aclose(self) -> None:
        """Close it."""
        await self._hang_up()


class ServerLines:
    """Lines to one server, or to the primary that sentinels name when a connection is made."""

    most_at_once: int = 64

    def __init__(self, address: StoreAddress, connect_s: float, answer_s: float) -> None:
        self._times = connect_s, answer_s
        self._options = _options(address, connect_s, None) | {"db": address.database}
        self._sentinel: Sentinel | None = None
        self._pool: SentinelConnectionPool | None = None
        if address.topology is Topology.SENTINEL:
            secure = {"ssl": True} if address.tls else {}
            each_s = connect_s / (len(address.hosts) + 1)  # all of them, and the store itself, in the time there is
            asking = self._options | secure | {"db": 0, "socket_timeout": each_s, "socket_connect_timeout": each_s}
            asking |= {"username": address.sentinel_user, "password": address.sentinel_password}
            self._sentinel = Sentinel(address.hosts, sentinel_kwargs=asking)  # type: ignore[no-untyped-call]
            self._pool = SentinelConnectionPool(  # type: ignore[no-untyped-call]
                address.group, self._sentinel, **secure, **self._options
            )
        else:
            self._options["host"], self._options["port"] = address.hosts[0]
        self._kind = SSLConnection if address.tls else Connection

    def line(self) -> Line:
        """Make one more."""
        if self._pool is None:
            return OneConnection(self._kind(**self._options), *self._times)
        return OneConnection(self._pool.make_connection(), *self._times)  # type: ignore[no-untyped-call]

    async def aclose(self) -> None:
        """Leave the sentinels."""
        for one in self._sentinel.sentinels if self._sentinel is not None else ():
            await one.aclose()


class ClusterLines:
    """Lines into a cluster: redis-py knows its slots and nodes, and follows them when they move.

    Each command goes alone: one that waits for a silent node must not hold up those of the others.
    """

    most_at_once: int = 1

    def __init__(self, address: StoreAddress, connect_s: float, answer_s: float, most: int) -> None:
        options = _options(address, connect_s, answer_s)
        if address.tls:
            options["ssl"] = True
        nodes = [ClusterNode(host, port) for host, port in address.hosts]
        self._cluster: RedisCluster = RedisCluster(startup_nodes=nodes, max_connections=most, **options)

    def line(self) -> Line:
        """Make one more; all share the connections to the nodes, of which each has as many as there are lines."""
        return self

    async def connect(self) -> None:
        """Know the cluster's nodes."""
        try:
            await self._cluster.initialize()
        except Exception as error:  # noqa: BLE001 - whatever redis-py raises, the cluster is not known
            raise failure_of(error) from None

    async def exchange(self, batch: Sequence[tuple[Word, ...]]) -> Sequence[Any]:
        """Ask each command's node; PING asks every primary."""
        replies: list[Any] = []
        for words in batch:
            try:
                replies.append(await self._cluster.execute_command(*words))
            except Exception as error:  # noqa: BLE001 - theirs are several trees
                replies.append(failure_of(error))
        return replies

    async def aclose(self) -> None:
        """Close the connections to all nodes."""
        await self._cluster.aclose()


def open_lines(address: StoreAddress, connect_s: float, answer_s: float, most: int) -> Lines:
    """Return the lines to a store; nothing is connected before the first is used."""
    if address.topology is Topology.CLUSTER:
        return ClusterLines(address, connect_s, answer_s, most)
    return ServerLines(address, connect_s, answer_s)


def _options(address: StoreAddress, connect_s: float, answer_s: float | None) -> dict[str, Any]:
    options: dict[str, Any] = {
        "username": address.user,
        "password": address.password,
        "socket_connect_timeout": connect_s,
        "socket_timeout": answer_s,
        "retry": _never(),
        # RESP2: RESP3 adds pushes that nobody asked for, and one more question to every new connection.
        "protocol": 2,
    }
    if address.tls:
        options |= {"ssl_ca_certs": address.ca, "ssl_certfile": address.certificate, "ssl_keyfile": address.key}
        options |= {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
    return options


def _never() -> Retry:
    return Retry(NoBackoff(), 0)
