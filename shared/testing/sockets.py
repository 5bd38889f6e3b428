"""Scripted backends on real sockets, so that what is tested is what runs: the pool, the parser, the fan-out.

backends.answers(PROFILE, {"userId": "u-1", "displayName": "Ada", "accountTier": "Gold"})   # a declared ``Call``
backends.answers(RECENT_ORDERS, lambda user_id: [order_of(user_id)])                        # one for each user
backends["pay"].answers("POST /api/internal/payments", {"id": 7}, status=201)               # or method and template
backends[ORDERS].fault(slow(0.3))                                                           # see faults.py

Owns what is answered, what was asked, and in which order.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from itertools import count
from typing import Final

from shared.backends.backend import AnyCall, Backend
from shared.clock import Clock, LoopClock
from shared.testing.clock import settle
from shared.testing.line import Line, Request, Seen
from shared.testing.listener import Listener
from shared.testing.playing import Answer, Door, Fault, Turn, Well
from shared.testing.routes import Route, name_of, route_of

# The bound of every wait for something to happen: only a failing test ever reaches it.
PATIENCE: Final = timedelta(seconds=5)


class SocketBackend:
    """One backend. ``requests`` are what it was asked; ``left`` counts callers that left before they had an answer.

    ``accepted`` counts connections; ``unscripted`` are requests that no test foresaw (answered 501).
    """

    def __init__(
        self, name: str, clock: Clock, happened: Callable[[Seen | None], None], loop: asyncio.AbstractEventLoop
    ) -> None:
        self.name = name
        self.clock = clock
        self.requests: list[Seen] = []
        self.unscripted: list[str] = []
        self.left = 0
        self.accepted = 0
        self._happened = happened
        self._routes: list[Route] = []
        self._faults: dict[str, tuple[Fault, Iterator[int]]] = {}
        self._lines: set[Line] = set()
        self._listener = Listener(lambda: Line(self, self._play), loop)

    @property
    def url(self) -> str:
        """Where it listens, or would."""
        return self._listener.url

    @property
    def open(self) -> int:
        """How many connections there are now."""
        return len(self._lines)

    @property
    def busy(self) -> int:
        """How many of them wait for an answer."""
        return sum(line.busy for line in self._lines)

    def answers(self, call: AnyCall | str, body: object = b"", *, status: int = 200, **headers: str) -> None:
        """Answer a call well. What was declared last counts; header names are written with underscores.

        ``call`` is a declared ``Call``, or ``"GET /template/{id}"``. ``body`` is a model, anything JSON can say, a
        function of the template's parameters, or ``bytes`` as they are. What does not fit the type of a declared call
        is an ``AssertionError`` at once: for what is invalid on purpose there is ``fault(invalid(...))``.
        """
        fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        self._routes.insert(0, route_of(call, body, status, fields))

    def fault(self, fault: Fault, *, on: AnyCall | str = "") -> None:
        """Misbehave from the next request on: for every call, or ``on`` one, which goes before that for all."""
        if on and fault.door is not Door.OPEN:
            raise ValueError(f"{self.name}: a shut door is shut for every call: leave out on=")
        self._faults[name_of(on)] = (fault, count())
        if not on:
            self._open_or_shut(fault.door)

    def well(self) -> None:
        """Behave again."""
        self._faults.clear()
        self._open_or_shut(Door.OPEN)

    def _open_or_shut(self, door: Door) -> None:
        self._listener.door = door
        if door is not Door.OPEN:
            for line in self._lines:
                line.abort()

    async def _play(self, line: Line, request: Request) -> None:
        target = request.target.decode("latin-1")
        name, well = self._well_answer(request.method, target)
        seen = Seen(
            backend=self.name, call=name, method=request.method, target=target, headers=tuple(request.headers),
            body=request.body,
        )  # fmt: skip
        self.requests.append(seen)
        self._happened(seen)
        fault, nth = self._faults.get(name) or self._faults.get("") or (Well(), count())
        await fault.play(Turn(line, well, next(nth)))

    def _well_answer(self, method: str, target: str) -> tuple[str, Answer]:
        for route in self._routes:
            if (parameters := route.match(method, target)) is not None:
                return route.name, route.make(parameters)
        self.unscripted.append(f"{self.name} {method} {target}")
        return f"{method} {target}", Answer(501)

    def came(self, line: Line) -> None:
        """Note a connection."""
        self.accepted += 1
        self._lines.add(line)

    def went(self, line: Line, *, unanswered: bool) -> None:
        """Note that it is closed."""
        self._lines.discard(line)
        self.left += unanswered
        self._happened(None)

    async def aclose(self) -> None:
        """Close the port and every connection."""
        await self._listener.aclose()
        for line in self._lines:
            line.abort()
        await settle()


class SocketBackends:
    """All backends of one test. ``requests`` are those of all of them, in the order of their arrival."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or LoopClock()
        # Of a fixture that is async: those that open and script backends need not be.
        self._loop = asyncio.get_running_loop()
        self._backends: dict[str, SocketBackend] = {}
        self._apart: dict[str, SocketBackend] = {}
        self._news: list[asyncio.Future[None]] = []
        self.requests: list[Seen] = []

    def open(self, name: str) -> SocketBackend:
        """Return the backend of that name, listening from now on."""
        if name not in self._backends:
            self._backends[name] = SocketBackend(name, self._clock, self._happened, self._loop)
        return self._backends[name]

    def open_apart(self, name: str) -> SocketBackend:
        """Return a backend that is none of the BFF's own, as its issuer: nothing that it is asked is counted here."""
        if name not in self._apart:
            self._apart[name] = SocketBackend(name, self._clock, lambda _: None, self._loop)
        return self._apart[name]

    def __getitem__(self, which: Backend | str) -> SocketBackend:
        name = which if isinstance(which, str) else which.name
        there = self._backends | self._apart
        if name not in there:
            raise KeyError(f"no backend {name!r} is open: there are {', '.join(there) or 'none'}")
        return there[name]

    def answers(self, call: AnyCall, body: object = b"", *, status: int = 200, **headers: str) -> None:
        """Let the backend of a declared call answer it well: see ``SocketBackend.answers``."""
        self[call.backend].answers(call, body, status=status, **headers)

    @property
    def unscripted(self) -> list[str]:
        """Requests that no test foresaw."""
        return [one for backend in self._backends.values() for one in backend.unscripted]

    def counts(self) -> Mapping[str, int]:
        """Return how often each backend was asked."""
        return Counter(seen.backend for seen in self.requests)

    async def until(self, condition: Callable[[], bool], what: str = "it", within: timedelta = PATIENCE) -> None:
        """Return as soon as ``condition`` holds; it is asked again whenever something happens at a backend.

        Raises AssertionError, naming ``what``, when it still does not after ``within``.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within.total_seconds()):
                while not condition():
                    self._news.append(asyncio.get_running_loop().create_future())
                    await self._news[-1]
                return
        raise AssertionError(f"{what} did not happen; asked so far: {dict(self.counts())}")

    def _happened(self, seen: Seen | None) -> None:
        if seen is not None:
            self.requests.append(seen)
        news, self._news = self._news, []
        for waiter in news:
            if not waiter.done():
                waiter.set_result(None)

    async def aclose(self) -> None:
        """Close all of them."""
        for backend in (*self._backends.values(), *self._apart.values()):
            await backend.aclose()
