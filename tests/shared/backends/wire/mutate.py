"""Answers nobody has thought of, made of those of the corpus: cut, doubled, spliced, with bytes changed.

The mutations know where lines, numbers and heads begin: what breaks readers of HTTP is structure out of place, which
random bytes hardly ever reach.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from tests.shared.backends.wire.cases import End
from tests.shared.backends.wire.corpus import NAMED

SEEDS = [(b"".join(case.parts), case.method) for case in NAMED if sum(map(len, case.parts)) < 2000]

ODD_BYTES = b'\0\t\n\r !",-+0179:;=HafgxX\x7f\x80\xa0\xff'
TOKENS = (
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b"\0", b":", b";", b",", b'"', b"0\r\n\r\n", b"7\r\n", b"0", b"00",
    b"content-length: 3\r\n", b"content-length: 7\r\n", b"content-length: 0\r\n", b"Content-Length:\r\n",
    b"transfer-encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n", b"connection: close\r\n",
    b"connection: keep-alive\r\n", b"upgrade: h2c\r\nconnection: upgrade\r\n", b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 204 None\r\n\r\n", b"HTTP/1.1 304 Same\r\n",
    b"HTTP/1.1 101 Switching\r\n", b"HTTP/1.1 418 Evil\r\ncontent-length: 4\r\n\r\nevil", b"chunked", b"close",
    b"x: y\r\n",
)  # fmt: skip
NUMBERS = (
    b"0",
    b"1",
    b"3",
    b"6",
    b"7",
    b"8",
    b"00",
    b"-1",
    b"+7",
    b"0x7",
    b"ffffffff",
    b"18446744073709551615",
    b"1e3",
    b"101",
)


@dataclass(frozen=True, slots=True)
class Mutant:
    """What a backend sends, in these parts, to a request of this method, and then does."""

    parts: tuple[bytes, ...]
    method: str
    end: End


def _boundary(raw: bytes, random: Random) -> int:
    """A place where something begins or ends, mostly."""
    marks = [at.start() for at in re.finditer(rb"(?<=\n)|[\r :;]|\Z", raw)]
    return random.choice(marks) if random.random() < 0.7 else random.randint(0, len(raw))


def _slice(raw: bytes, random: Random) -> tuple[int, int]:
    return tuple(sorted((_boundary(raw, random), _boundary(raw, random))))  # type: ignore[return-value]  # two, sorted


def _cut_off(raw: bytes, random: Random) -> bytes:
    return raw[: random.randint(0, len(raw))]


def _double(raw: bytes, random: Random) -> bytes:
    start, end = _slice(raw, random)
    return raw[:end] + raw[start:end] + raw[end:]


def _drop(raw: bytes, random: Random) -> bytes:
    start, end = _slice(raw, random)
    return raw[:start] + raw[end:]


def _change(raw: bytes, random: Random) -> bytes:
    at = random.randint(0, max(len(raw) - 1, 0))
    return raw[:at] + bytes([random.choice(ODD_BYTES)]) + raw[at + 1 :]


def _flip(raw: bytes, random: Random) -> bytes:
    if not raw:
        return raw
    at = random.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ (1 << random.randrange(8))]) + raw[at + 1 :]


def _insert(raw: bytes, random: Random) -> bytes:
    at = _boundary(raw, random)
    return raw[:at] + random.choice(TOKENS) + raw[at:]


def _splice(raw: bytes, random: Random) -> bytes:
    other, _ = random.choice(SEEDS)
    return raw[: _boundary(raw, random)] + other[_boundary(other, random) :]


def _swap_lines(raw: bytes, random: Random) -> bytes:
    lines = raw.split(b"\r\n")
    one, two = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return b"\r\n".join(lines)


def _renumber(raw: bytes, random: Random) -> bytes:
    found = list(re.finditer(rb"[0-9]+", raw))
    if not found:
        return raw
    one = random.choice(found)
    return raw[: one.start()] + random.choice(NUMBERS) + raw[one.end() :]


def _append(raw: bytes, random: Random) -> bytes:
    return raw + random.choice(SEEDS)[0]


MUTATIONS: tuple[Callable[[bytes, Random], bytes], ...] = (
    _cut_off, _double, _drop, _change, _flip, _insert, _splice, _swap_lines, _renumber, _append,
)  # fmt: skip


def parts_of(raw: bytes, random: Random) -> tuple[bytes, ...]:
    """Cut as the network might: whole, in a few parts, or byte by byte."""
    how = random.random()
    if how < 0.3 or len(raw) < 2:
        return (raw,)
    if how > 0.95:
        return tuple(raw[at : at + 1] for at in range(len(raw)))
    cuts = sorted({0, len(raw), *(_boundary(raw, random) for _ in range(random.randint(1, 5)))})
    return tuple(raw[start:end] for start, end in pairwise(cuts))


def mutant(random: Random) -> Mutant:
    """Return the next one."""
    raw, method = random.choice(SEEDS)
    for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3, 5))):
        raw = random.choice(MUTATIONS)(raw, random)
    if random.random() < 0.1:
        method = "HEAD"
    return Mutant(parts_of(raw, random), method, random.choice((End.KEEP, End.CLOSE, End.CLOSE, End.RESET)))
