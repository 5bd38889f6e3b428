"""How a scripted backend plays one request: frozen values, which ``faults.py`` makes by their everyday names."""

from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from random import Random
from typing import ClassVar, Final, Literal, NamedTuple, Protocol

from shared.testing.line import Line

BODILESS: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})

Then = Literal["keep", "close", "reset"]


class Gate(Protocol):
    """What a test holds answers with: an ``asyncio.Event``, an ``asyncio.Barrier``."""

    async def wait(self) -> object:
        """Return when the answer may go."""


class Door(Enum):
    """What a caller meets who connects."""

    OPEN = "it is let in"
    SLAMS = "it is let in and thrown out before it can ask"
    CLOSED = "the connection is refused"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. ``headers`` come after ours, or instead of them: ``content-type`` and the length."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    def raw(self) -> bytes:
        """Return its bytes."""
        ours = [("content-type", "application/json")]
        if self.status not in BODILESS:
            ours.append(("content-length", str(len(self.body))))
        names = {name.lower() for name, _ in self.headers}
        fields = [*(one for one in ours if one[0] not in names), *self.headers]
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        return f"HTTP/1.1 {self.status} Scripted\r\n{head}\r\n".encode("latin-1") + self.body


class Turn(NamedTuple):
    """One request's turn: ``well`` is the answer it should get, ``nth`` counts from 0 since the fault was set."""

    line: Line
    well: Answer
    nth: int


class Fault(Protocol):
    """What a backend does instead of answering well."""

    @property
    def door(self) -> Door:
        """What those meet who connect now."""

    async def play(self, turn: Turn) -> None:
        """Do it to one request."""


class Played:
    """A fault of requests: connections are let in."""

    __slots__ = ()
    door: ClassVar[Door] = Door.OPEN


@dataclass(frozen=True, slots=True)
class Well(Played):
    """No fault at all."""

    async def play(self, turn: Turn) -> None:
        """Answer as declared."""
        turn.line.write(turn.well.raw())


@dataclass(frozen=True, slots=True)
class Slow(Played):
    """The good answer, later."""

    seconds: float

    async def play(self, turn: Turn) -> None:
        """Wait, then answer."""
        await turn.line.wait(self.seconds)
        turn.line.write(turn.well.raw())


@dataclass(frozen=True, slots=True)
class Held(Played):
    """The good answer, when the test says so."""

    gate: Gate

    async def play(self, turn: Turn) -> None:
        """Wait for the gate, then answer."""
        await self.gate.wait()
        turn.line.write(turn.well.raw())


@dataclass(frozen=True, slots=True)
class Raw(Played):
    """Exactly these bytes; then the connection is kept, closed or reset."""

    data: bytes
    then: Then = "keep"

    async def play(self, turn: Turn) -> None:
        """Write, and end as told."""
        turn.line.write(self.data)
        if self.then == "close":
            turn.line.close()
        elif self.then == "reset":
            await turn.line.reset()


@dataclass(frozen=True, slots=True)
class Silent(Played):
    """No answer, ever."""

    async def play(self, turn: Turn) -> None:
        """Wait until the caller leaves."""
        await turn.line.caller_left()


@dataclass(frozen=True, slots=True)
class Drip(Played):
    """The good answer, in pieces of ``size`` bytes, with a pause before each."""

    pause_s: float
    size: int

    async def play(self, turn: Turn) -> None:
        """Write piece by piece."""
        whole = turn.well.raw()
        for at in range(0, len(whole), self.size):
            await turn.line.wait(self.pause_s)
            turn.line.write(whole[at : at + self.size])


@dataclass(frozen=True, slots=True)
class Flaky(Played):
    """Some calls fail, the others are well: those with an ``x`` in the pattern, which ends or begins again."""

    pattern: str
    fault: Fault
    repeats: bool

    async def play(self, turn: Turn) -> None:
        """Look up this call."""
        at = turn.nth % len(self.pattern) if self.repeats else turn.nth
        fails = self.pattern[at : at + 1] == "x"
        await (self.fault if fails else Well()).play(turn)


@dataclass(frozen=True, slots=True)
class Mixed(Played):
    """One of several, drawn for each call from a seed: the nth call meets the same in every run."""

    seed: int
    faults: tuple[Fault, ...]
    weights: tuple[float, ...]

    async def play(self, turn: Turn) -> None:
        """Draw, and play what was drawn."""
        random = Random(f"{self.seed}:{turn.nth}")  # noqa: S311 - a test's, not a secret
        (drawn,) = random.choices(self.faults, self.weights)
        await drawn.play(turn)


@dataclass(frozen=True, slots=True)
class Shut:
    """Nobody gets as far as asking; whoever was waiting is reset."""

    door: Door

    async def play(self, turn: Turn) -> None:
        """End what is under way."""
        turn.line.abort()
