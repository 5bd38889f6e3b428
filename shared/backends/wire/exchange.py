"""One request on its way through the pool, from ``send`` to its end."""

import asyncio
from typing import Protocol

from shared.backends.channel import Receiver
from shared.backends.wire.connection import Connection
from shared.backends.wire.message import Head
from shared.errors import CallFailed


class Slots(Protocol):
    """The part of the pool that an exchange needs when it is given up."""

    def drop(self, connection: Connection) -> None:
        """Close a connection whose exchange was given up."""


class WireExchange:
    """One request on its way through the pool: waiting, connecting, under way, or over."""

    # What most exchanges never change is the class's: to set it anew in each would cost more than the rest.
    connection: Connection | None = None
    task: asyncio.Task[Connection] | None = None
    resent = False
    over = False

    def __init__(self, pool: Slots, head: Head, receiver: Receiver, *, idempotent: bool) -> None:
        self.pool = pool
        self.head = head
        self.receiver = receiver
        self.idempotent = idempotent

    def abort(self) -> None:
        """Give it up: the connection closes, the slot is free, the receiver hears nothing more."""
        if self.over:
            return
        self.over = True
        if self.task is not None:
            self.task.cancel()
        elif self.connection is not None:
            self.pool.drop(self.connection)

    def broke(self, error: CallFailed) -> None:
        """End with a failure."""
        if not self.over:
            self.over = True
            self.receiver.broke(error)
