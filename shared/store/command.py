"""What the store is asked, as values: the words that go out, and how what comes back is read.

Owns the typing. A reply that does not fit is StoreRefused, never a wrong value.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha1
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Word = bytes | str | int | float


@dataclass(frozen=True, slots=True)
class Script(Generic[T]):
    """A Lua script, declared once. ``read`` makes what it returns (bytes, int, None, lists of those) into a value.

    All keys of one run must be of one slot, where the store may be a cluster: give them a common ``{tag}``.
    """

    text: str
    read: Callable[[Any], T]
    # Scripts are named by it on the wire; it protects nothing.
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """Name the script as the store does."""
        object.__setattr__(self, "digest", sha1(self.text.encode(), usedforsecurity=False).hexdigest())


@dataclass(frozen=True, slots=True)
class Command(Generic[T]):
    """One question. ``instead`` are the words for a store that does not know the script yet; then nothing has run."""

    words: tuple[Word, ...]
    read: Callable[[Any], T]
    instead: tuple[Word, ...] | None = None


def get(key: bytes) -> Command[bytes | None]:
    """Ask for a value."""
    return Command(("GET", key), _value)


def put(key: bytes, value: bytes, ttl: timedelta) -> Command[None]:
    """Store a value for at least a millisecond."""
    return Command(("SET", key, value, "PX", max(1, int(ttl / timedelta(milliseconds=1)))), _done)


def delete(keys: Sequence[bytes]) -> Command[int]:
    """Forget values; the answer is how many there were."""
    return Command(("DEL", *keys), int)


def run(script: Script[T], keys: Sequence[bytes], arguments: Sequence[Word]) -> Command[T]:
    """Run a script, by its name first."""
    rest = (len(keys), *keys, *arguments)
    return Command(("EVALSHA", script.digest, *rest), script.read, ("EVAL", script.text, *rest))


def ping() -> Command[None]:
    """Ask for nothing in particular."""
    return Command(("PING",), _done)


def _value(reply: Any) -> bytes | None:
    if reply is not None and not isinstance(reply, bytes):
        raise TypeError("no value")
    return reply


def _done(reply: Any) -> None:
    if not reply:  # "OK", "PONG", or what redis-py makes of it for a cluster: True
        raise ValueError("not done")
