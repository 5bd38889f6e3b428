"""A port that can be open, shut or slammed, and stays ours all the while.

Owns the listening socket. All of it is synchronous: a test that says ``down()`` has it down on the next line.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable

from shared.testing.line import Line
from shared.testing.playing import Door


class Listener:
    """Accepts on a free port of 127.0.0.1, if at all."""

    def __init__(self, make: Callable[[], Line], loop: asyncio.AbstractEventLoop) -> None:
        self._make = make
        self._loop = loop
        # Bound and never listening: it keeps the port while nobody listens there.
        self._kept = _bound(0)
        self._port = int(self._kept.getsockname()[1])
        self._listening: socket.socket | None = None
        self._letting_in: set[asyncio.Task[object]] = set()
        self._door = Door.CLOSED
        self.door = Door.OPEN

    @property
    def url(self) -> str:
        """Where that is."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def door(self) -> Door:
        """What a caller meets now."""
        return self._door

    @door.setter
    def door(self, door: Door) -> None:
        self._door = door
        if door is Door.CLOSED:
            self._stop_listening()
        elif self._listening is None:
            self._listening = _bound(self._port)
            self._listening.listen(1024)
            self._loop.add_reader(self._listening, self._accept)

    def _stop_listening(self) -> None:
        if self._listening is not None:
            self._loop.remove_reader(self._listening)
            self._listening.close()
            self._listening = None

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while self._listening is not None:
                accepted, _ = self._listening.accept()
                self._let_in(accepted)

    def _let_in(self, accepted: socket.socket) -> None:
        if self._door is Door.SLAMS:
            accepted.close()
            return
        accepted.setblocking(False)
        task = self._loop.create_task(self._loop.connect_accepted_socket(self._make, accepted))
        self._letting_in.add(task)
        task.add_done_callback(self._letting_in.discard)

    async def aclose(self) -> None:
        """Give the port back."""
        self._stop_listening()
        await asyncio.gather(*self._letting_in, return_exceptions=True)
        self._kept.close()


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setblocking(False)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # two sockets of ours on one port, one listening
    bound.bind(("127.0.0.1", port))
    return bound
