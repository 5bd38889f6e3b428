"""Idle connections: which one is used next, and when each is closed before the backend would close it (field case O2).

Owns the ages. That every slot comes back is ``pool.py``'s business: it is told of each connection that is closed here.
"""

import re
import select
from collections.abc import Callable
from typing import Final, Protocol

from shared.backends.channel import Reply
from shared.backends.wire.connection import Connection
from shared.clock import Clock, Timer

KEEP_ALIVE: Final = frozenset({b"keep-alive"})
TIMEOUT: Final = re.compile(r"\btimeout\s*=\s*(\d{1,9})\b", re.ASCII)
# How much sooner than an announced idle time a connection is left alone: a request must get there first.
MARGIN_S: Final = 1.0


class Socketed(Protocol):
    """Something with a socket."""

    def fileno(self) -> int:
        """Return its descriptor; -1 when there is none any more."""


class Idle:
    """The connections of one pool that carry nothing; ``closed`` is called for each that is closed here."""

    def __init__(self, clock: Clock, closed: Callable[[], None]) -> None:
        self._clock = clock
        self._closed = closed
        self._idle: dict[Connection, None] = {}
        self._reaper: Timer | None = None

    def __len__(self) -> int:
        return len(self._idle)

    def take(self, *, certain: bool) -> Connection | None:
        """Take the connection used last, so that the others can age out.

        ``certain``, for what cannot be sent twice: not one whose end has come already and was not read yet.
        """
        while self._idle:
            connection, _ = self._idle.popitem()
            if (
                not connection.closing
                and self._clock.now_s() < connection.expires_s
                and not (certain and has_unread(connection))
            ):
                return connection
            self._close(connection)
        return None

    def put(self, connection: Connection) -> None:
        """Keep a connection for the next exchange."""
        connection.expires_s = min(self._clock.now_s() + connection.idle_limit_s, connection.retires_s)
        self._idle[connection] = None
        if self._reaper is None:
            self._reap_at(connection.expires_s)

    def forget(self, connection: Connection) -> bool:
        """Drop a connection that the backend closed; tell whether it was idle."""
        return self._idle.pop(connection, self) is None

    def close(self) -> None:
        """Close every connection."""
        if self._reaper is not None:
            self._reaper.cancel()
        while self._idle:
            self._close(self._idle.popitem()[0])

    def _close(self, connection: Connection) -> None:
        connection.close()
        self._closed()

    def _reap_at(self, moment_s: float) -> None:
        delay_s = max(moment_s - self._clock.now_s(), 0.01)  # loops may fire a little early
        self._reaper = self._clock.call_later(delay_s, self._reap)

    def _reap(self) -> None:
        self._reaper = None
        now_s = self._clock.now_s()
        for connection in [one for one in self._idle if now_s >= one.expires_s]:
            del self._idle[connection]
            self._close(connection)
        if self._idle:
            self._reap_at(min(one.expires_s for one in self._idle))


def idle_limit_s(reply: Reply, ours_s: float) -> float:
    """Return how long a connection may idle: what is ours, and less where the backend announces less.

    ``Keep-Alive: timeout=5`` is Node's and Apache's way to say when they close (RFC 2068 §19.7.1.1).
    """
    said = next((TIMEOUT.search(value) for _, value in reply.headers_among(KEEP_ALIVE)), None)
    if said is None:
        return ours_s
    theirs_s = float(said[1])
    return min(ours_s, max(theirs_s - MARGIN_S, theirs_s / 2))


def has_unread(connection: Socketed) -> bool:
    """Tell whether the kernel holds something of an idle connection: its end, or bytes that nobody asked for."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
