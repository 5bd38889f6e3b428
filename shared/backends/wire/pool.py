"""The connections to one backend: which exchange goes over which, and that every slot comes back.

Owns the limit and the queue behind it; how a connection is made is ``dial.py``'s business, how it ages ``idle.py``'s.
Every way an exchange can end (answer, failure, abort while waiting, while connecting, while under way) passes through
``_left`` or ``_freed``, so that no cancelled call can keep a slot (field case S1).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from shared.backends.channel import OutboundRequest, Receiver, Reply
from shared.backends.wire.connection import BrokenExchangeError, Connection, Owner
from shared.backends.wire.dial import Dialer, why
from shared.backends.wire.exchange import WireExchange
from shared.backends.wire.idle import Idle, idle_limit_s
from shared.backends.wire.message import write_request
from shared.backends.wire.names import NamesPolicy, Resolver
from shared.backends.wire.origin import Origin
from shared.backends.wire.tls import TlsPolicy
from shared.clock import Clock
from shared.errors import BackendInvalid, BackendUnreachable

# Multiples of the golden ratio, modulo 1, are spread evenly however many there are (Knuth 6.4).
GOLDEN: Final = 0.618034


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPolicy:
    """How many connections to one backend, and how long each may take to open, may idle, and may live."""

    # As many as the bulkhead's default permits: then the pool never queues what the bulkhead admitted.
    max_connections: int = 128
    # Below the shortest idle time common among servers (5 s: uvicorn, Node), so that they never close under a request.
    idle_timeout: timedelta = timedelta(seconds=4)
    # Then its next request goes to an address that DNS has now; a handshake a minute costs nothing.
    max_age: timedelta = timedelta(minutes=1)
    # Three SYN retransmissions on one network are an outage, not a delay.
    connect_timeout: timedelta = timedelta(seconds=1)
    # Whether to ask for compressed answers: for a backend far away, or one whose answers are large (packed.py).
    compression: bool = False
    names: NamesPolicy = field(default_factory=NamesPolicy)
    tls: TlsPolicy = field(default_factory=TlsPolicy)

    def dialer(
        self, backend: str, origin: Origin, clock: Clock, resolver: Resolver | None, *, alpn: str = "http/1.1"
    ) -> Dialer:
        """Return the way to an origin under this policy. Raises ValueError when its CA file is none."""
        return Dialer(backend, origin, self.tls, clock, self.connect_timeout, resolver, self.names, alpn=alpn)


class WirePool:
    """A ``Channel`` over our own connections."""

    def __init__(
        self, backend: str, url: str, policy: PoolPolicy, clock: Clock, resolver: Resolver | None = None, *,
        connection: Callable[[Owner], Connection] = Connection,
    ) -> None:  # fmt: skip
        origin = Origin.of(url)
        self._backend = backend
        self._policy = policy
        self._clock = clock
        self._connection = connection
        self._dialer = policy.dialer(backend, origin, clock, resolver)
        self._host_header, self._base_path = origin.authority, origin.base_path
        self._idle = Idle(clock, self._shrunk)
        self._active: dict[Connection, WireExchange] = {}
        self._waiting: deque[WireExchange] = deque()
        self._tasks: set[asyncio.Task[Connection]] = set()
        self._size = 0
        self._opened_so_far = 0
        self._closed = False

    @property
    def connections(self) -> int:
        """How many connections are open or being opened."""
        return self._size

    @property
    def active(self) -> int:
        """How many exchanges hold a connection or wait for one."""
        return len(self._active) + len(self._tasks) + sum(not one.over for one in self._waiting)

    def send(self, request: OutboundRequest, receiver: Receiver) -> WireExchange:
        """Start an exchange on an idle connection, a new one, or in the queue; returns without waiting."""
        if self._base_path:
            request = request._replace(target=self._base_path + request.target)
        head = write_request(request, self._host_header)
        exchange = WireExchange(self, head, receiver, idempotent=request.idempotent)
        self.start(exchange)
        return exchange

    def start(self, exchange: WireExchange) -> None:
        """Place an exchange on an idle connection, a new one, or in the queue."""
        connection = self._idle.take(certain=not exchange.idempotent)
        if connection is not None:
            self._assign(connection, exchange)
        elif self._closed:
            asyncio.get_running_loop().call_soon(exchange.broke, self._unreachable("pool closed", sent=False))
        elif self._size < self._policy.max_connections:
            self._connect(exchange)
        else:
            self._waiting.append(exchange)

    def drop(self, connection: Connection) -> None:
        """Close a connection whose exchange was given up."""
        self._active.pop(connection, None)
        connection.close()
        self._left()

    async def aclose(self) -> None:
        """Close every connection; whoever still waits learns that the backend is unreachable."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        for connection, exchange in list(self._active.items()):
            self.drop(connection)
            exchange.broke(self._unreachable("pool closed"))
        while (waiting := self._next_waiting()) is not None:
            waiting.broke(self._unreachable("pool closed", sent=False))
        self._idle.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._dialer.aclose()

    # Owner of connections

    def on_reply(self, connection: Connection, reply: Reply) -> None:
        """Free the connection, then hand the reply on."""
        exchange = self._active.pop(connection)
        if connection.served == 1:
            connection.idle_limit_s = idle_limit_s(reply, connection.idle_limit_s)
        if not connection.reusable:
            self._left()
        elif self._waiting or self._closed:
            self._freed(connection)
        else:
            self._idle.put(connection)
        if not exchange.over:
            exchange.over = True
            exchange.receiver.replied(reply)

    def on_broken(self, connection: Connection, error: BrokenExchangeError) -> None:
        """Send again what a stale connection swallowed (once, when that is safe); otherwise report the failure."""
        exchange = self._active.pop(connection)
        stale = connection.served > 0 and not error.answered
        if stale and exchange.idempotent and not exchange.resent:
            self._size -= 1  # this exchange keeps the slot: whoever waits must not get it as well
            exchange.resent = True
            exchange.connection = None
            self._connect(exchange)
            return
        self._left()
        if error.invalid:
            exchange.broke(BackendInvalid(self._backend, str(error)))
        else:
            exchange.broke(self._unreachable(str(error)))

    def on_idle_closed(self, connection: Connection) -> None:
        """Forget an idle connection that the backend closed."""
        if self._idle.forget(connection):
            self._size -= 1

    # Slots

    def _assign(self, connection: Connection, exchange: WireExchange) -> None:
        self._active[connection] = exchange
        exchange.connection = connection
        connection.send(exchange.head)

    def _freed(self, connection: Connection) -> None:
        waiting = self._next_waiting()
        if waiting is not None:
            self._assign(connection, waiting)
        elif self._closed:
            connection.close()
            self._size -= 1
        else:
            self._idle.put(connection)

    def _shrunk(self) -> None:
        self._size -= 1

    def _left(self) -> None:
        self._size -= 1
        waiting = None if self._closed else self._next_waiting()
        if waiting is not None:
            self._connect(waiting)

    def _next_waiting(self) -> WireExchange | None:
        while self._waiting:
            exchange = self._waiting.popleft()
            if not exchange.over:
                return exchange
        return None

    # Connecting: the one place with a task, and only while no connection is open

    def _connect(self, exchange: WireExchange) -> None:
        self._size += 1
        task = asyncio.get_running_loop().create_task(self._open())
        exchange.task = task
        self._tasks.add(task)
        # In the callback, not in the task: a task cancelled before its first step never runs its own clean-up.
        task.add_done_callback(lambda done: self._opened(done, exchange))

    async def _open(self) -> Connection:
        connection = self._connection(self)
        try:
            await self._dialer.open(lambda: connection)
        except BaseException:
            connection.close()
            raise
        connection.idle_limit_s = self._policy.idle_timeout.total_seconds()
        connection.retires_s = self._clock.now_s() + self._lifetime_s()
        return connection

    def _lifetime_s(self) -> float:
        """Return how long one more connection may live; those opened together do not end together."""
        self._opened_so_far += 1
        early = self._opened_so_far * GOLDEN % 1 / 4
        return self._policy.max_age.total_seconds() * (1 - early)

    def _opened(self, task: asyncio.Task[Connection], exchange: WireExchange) -> None:
        self._tasks.discard(task)
        exchange.task = None
        if (failed := self._why_not(task)) is not None:
            self._left()
            exchange.broke(self._unreachable(failed, sent=False))
        elif exchange.over:
            self._freed(task.result())
        else:
            self._assign(task.result(), exchange)

    def _why_not(self, task: asyncio.Task[Connection]) -> str | None:
        """Tell why a connection cannot be used; None if it can."""
        if task.cancelled():
            return "connecting was given up"
        if (error := task.exception()) is not None:
            return why(error)
        if self._closed:
            task.result().close()
            return "pool closed"
        # Between the handshake and this callback the backend may have hung up: nobody would ever tell the exchange.
        return "closed before anything was sent" if task.result().closing else None

    def _unreachable(self, detail: str, *, sent: bool = True) -> BackendUnreachable:
        return BackendUnreachable(self._backend, detail, sent=sent)
