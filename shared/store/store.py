"""The store: asked for values and scripts by many at once, over few connections, within a stated time.

Owns who waits for which answer. What is asked while the lines are busy goes out together with the next exchange, so
the checks of many requests share a round trip. Whoever waits may leave at any moment: the exchange goes on without
them and its reply is thrown away, so no reply can ever become somebody else's (field case L7). How it goes over the
wire is ``redis_lines.py``, whether it is worth asking at all ``standing.py``.

    store = Store.open(read_address("valkey://cache:6379"), clock)
    value = await store.get(b"key")                        # bytes | None; StoreError when there is no answer
    allowed = await store.run(CHECK, [b"key"], [1, 60])    # what the script's ``read`` makes of the reply
"""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, Self, TypeVar

from shared.clock import Clock, LoopClock, Timer
from shared.store import command
from shared.store.address import StoreAddress
from shared.store.command import Command, Script, Word
from shared.store.errors import StoreBusy, StoreError, StoreRefused, StoreSkipped, StoreTimedOut, StoreUnavailable
from shared.store.lines import Line, Lines, NoScript
from shared.store.standing import Listener, Standing, StandingPolicy, nobody

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePolicy:
    """How long an answer may take, over how many connections, and when nobody asks any more."""

    # A store in the same zone answers in under a millisecond: fifty times that is no answer any more.
    answer_within: timedelta = timedelta(milliseconds=50)
    # TLS and a password are a few round trips; nobody waits for it longer than for an answer.
    connect_within: timedelta = timedelta(milliseconds=500)
    # Each carries many questions at once; more than one, so that a large answer holds up only those behind it.
    # In a cluster, where each carries one, it is how many questions are out at a time.
    connections: int = 4
    cluster_connections: int = 32
    # Half a second's work of one process. Past that a store is too slow to be of use.
    most_waiting: int = 1_000
    standing: StandingPolicy = field(default_factory=StandingPolicy)


class _Asked(Generic[T]):
    """One question, who waits for its answer, and until when."""

    __slots__ = ("answer", "command", "timer", "words")

    def __init__(self, asked: Command[T], answer: "asyncio.Future[T]") -> None:
        self.command = asked
        self.words = asked.words
        self.answer = answer
        self.timer: Timer | None = None


class Store:
    """The live store of one process. Every method sends at once and returns a future; who awaits it may be cancelled.

    A method raises StoreSkipped or StoreBusy itself, and its future StoreTimedOut, StoreUnreachable, StoreUnready or
    StoreRefused. ``outcomes`` counts them all, with ``answered``.
    """

    def __init__(self, lines: Lines, policy: StorePolicy, clock: Clock, most: int, listener: Listener = nobody) -> None:
        self._lines = lines
        self._policy = policy
        self._clock = clock
        self._answer_s = policy.answer_within.total_seconds()
        self._free: list[Line] = [lines.line() for _ in range(most)]
        self._all = tuple(self._free)
        self._waiting: deque[_Asked[Any]] = deque()
        self._at_work: set[asyncio.Task[None]] = set()
        self._standing = Standing(policy.standing, clock, self._probe, listener)
        self._closed = False
        self.outcomes: Counter[str] = Counter()

    @classmethod
    def open(
        cls, address: StoreAddress, clock: Clock | None = None, policy: StorePolicy | None = None,
        listener: Listener = nobody,
    ) -> Self:  # fmt: skip
        """Return the store at an address. Nothing is connected before the first question."""
        from shared.store.redis_lines import open_lines  # noqa: PLC0415 - it is large: only for who has a store

        policy = policy or StorePolicy()
        most = policy.cluster_connections if address.topology == "cluster" else policy.connections
        times = policy.connect_within.total_seconds(), policy.answer_within.total_seconds()
        return cls(open_lines(address, *times, most), policy, clock or LoopClock(), most, listener)

    @property
    def answer_s(self) -> float:
        """The longest that anybody waits for an answer, in seconds."""
        return self._answer_s

    @property
    def up(self) -> bool:
        """Whether it is worth asking: False while the skip window holds."""
        return self._standing.up

    def warm(self) -> None:
        """Connect before the first question; nobody waits for it, and what goes wrong is counted as ever."""
        self._enqueue(command.ping())

    def get(self, key: bytes) -> "asyncio.Future[bytes | None]":
        """Return the value of a key, or None."""
        return self.ask(command.get(key))

    def put(self, key: bytes, value: bytes, ttl: timedelta) -> "asyncio.Future[None]":
        """Store a value for a time."""
        return self.ask(command.put(key, value, ttl))

    def delete(self, *keys: bytes) -> "asyncio.Future[int]":
        """Forget values of one slot; returns how many there were."""
        return self.ask(command.delete(keys))

    def run(self, script: Script[T], keys: Sequence[bytes], arguments: Sequence[Word]) -> "asyncio.Future[T]":
        """Run a script; it is atomic. Several runs asked for in one turn of the loop share a round trip."""
        return self.ask(command.run(script, keys, arguments))

    def ask(self, asked: Command[T]) -> "asyncio.Future[T]":
        """Send a command, unless the store is not worth asking or too much waits for it."""
        if not self._standing.up or self._closed:
            raise self._counted(StoreSkipped())
        if len(self._waiting) >= self._policy.most_waiting:
            raise self._counted(StoreBusy())
        return self._enqueue(asked)

    async def aclose(self) -> None:
        """Wait for nothing any more and close every connection; whoever still waits gets StoreSkipped."""
        self._closed = True
        self._standing.close()
        for work in tuple(self._at_work):
            work.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)
        self._give_up_waiting()
        for line in self._all:
            await line.aclose()
        await self._lines.aclose()

    def _enqueue(self, asked: Command[T]) -> "asyncio.Future[T]":
        loop = asyncio.get_running_loop()
        one = _Asked(asked, loop.create_future())
        one.timer = self._clock.call_later(self._answer_s, self._late, one)
        self._waiting.append(one)
        if self._free:
            work = loop.create_task(self._serve(self._free.pop()))
            self._at_work.add(work)
            work.add_done_callback(self._at_work.discard)
        return one.answer

    async def _probe(self) -> None:
        await self._enqueue(command.ping())

    async def _serve(self, line: Line) -> None:
        """Send whatever waits, until nothing does."""
        try:
            while self._waiting:
                most = min(len(self._waiting), self._lines.most_at_once)
                batch = [self._waiting.popleft() for _ in range(most)]
                try:
                    await self._send(line, batch)
                except asyncio.CancelledError:
                    self._fail(batch, StoreSkipped("closed"))
                    raise
        finally:
            self._free.append(line)

    async def _send(self, line: Line, batch: list[_Asked[Any]]) -> None:
        try:
            await line.connect()
            batch = [one for one in batch if not one.answer.done()]  # nobody waits for these any more: never sent
            if batch:
                self._settle(batch, await line.exchange([one.words for one in batch]))
            if unknown := [one for one in batch if not one.answer.done() and one.words is one.command.instead]:
                self._settle(unknown, await line.exchange([one.words for one in unknown]))
        except StoreError as error:
            self._fail(batch, error)

    def _settle(self, batch: list[_Asked[Any]], replies: Sequence[Any]) -> None:
        for one, reply in zip(batch, replies, strict=True):
            if isinstance(reply, NoScript) and one.words is not one.command.instead and one.command.instead:
                one.words = one.command.instead
            elif isinstance(reply, StoreError):
                self._fail([one], reply)
            else:
                self._answer(one, reply)

    def _answer(self, one: _Asked[T], reply: Any) -> None:
        if one.answer.done():
            return
        try:
            value = one.command.read(reply)
        except Exception as misfit:  # noqa: BLE001 - a reader's own bug must not stop the line for all others
            self._fail([one], StoreRefused(f"reply does not fit: {type(misfit).__name__}"))
            return
        self._over(one)
        self._standing.well()
        self.outcomes["answered"] += 1
        one.answer.set_result(value)

    def _late(self, one: _Asked[Any]) -> None:
        self._fail([one], StoreTimedOut())

    def _fail(self, batch: list[_Asked[Any]], error: StoreError) -> None:
        for one in batch:
            self._over(one)
            if one.answer.done():
                continue
            one.answer.set_exception(self._counted(error))
            one.answer.exception()  # counted, so the loop need not complain of one that nobody waits for any more
            if isinstance(error, StoreUnavailable) and not isinstance(error, StoreSkipped):
                self._standing.failed(error)
        if self._waiting and not self._standing.up:
            self._give_up_waiting()

    def _give_up_waiting(self) -> None:
        waiting, self._waiting = list(self._waiting), deque()
        self._fail(waiting, StoreSkipped())

    def _counted(self, error: StoreError) -> StoreError:
        self.outcomes[error.outcome] += 1
        return error

    def _over(self, one: _Asked[Any]) -> None:
        if one.timer is not None:
            one.timer.cancel()
