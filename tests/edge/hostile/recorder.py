"""An upstream that believes nobody: it keeps every byte it gets as a request, and says what is wrong with each.

Owns what "judged" means: a request carries the edge's own stamp, its own deadline and client address, one framing that
no two parsers can read differently, a path in one spelling only, and behind the secured door a token that is known.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.edge.echo import Echo

# What a forged header claims.
FORGED = ("victim", "6.6.6.6")
# The path of every request that is hidden inside another one.
SMUGGLED = "/smuggled"
TIMEOUT_MS = 2000
ONCE = ("host", "x-stamp", "x-deadline-ms", "x-forwarded-for", "x-request-id")
# What one server strips, decodes or splits and another does not.
SPELLED_TWICE = re.compile(r"//|/\.{1,2}(/|$)|\\|;|#|%(2e|2f|5c|25|3b|00)|[^!-~]", re.IGNORECASE)


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    raw: bytes = field(repr=False)
    body: bytes = field(default=b"", repr=False)

    def values(self, name: str) -> list[str]:
        return [value for one, value in self.headers if one.lower() == name]


class Recorder(Echo):
    """Answers every request with its target; ``requests`` has them all, ``garbage`` what was none."""

    def __init__(self, stamp: str) -> None:
        super().__init__()
        self.stamp = stamp
        self.tokens: set[str] = set()
        self.requests: list[Seen] = []
        self.garbage: list[bytes] = []

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            raw = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as end:
            if end.partial:
                self.garbage.append(end.partial)
            raise
        line, *rest = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        headers = tuple((name, value.strip()) for name, _, value in (one.partition(":") for one in rest))
        try:
            method, target, _ = line.split(" ")
            body = await self._body(reader, {name.lower(): value for name, value in headers})
        except ValueError:
            self.garbage.append(raw)
            raise ConnectionError from None
        self.requests.append(Seen(method, target, headers, raw, body))
        path = target.partition("?")[0]
        if path.endswith("/hold"):
            await self._released.wait()
        large = b"x" * 1_000_000 if path.endswith("/large") else b""
        writer.write(self.reply(200, target.encode() + large, media="text/plain"))
        await writer.drain()
        return True

    def faults(self, since: int = 0) -> list[str]:
        """Say what is wrong with everything that came since; nothing may be."""
        found = [f"not a request: {one[:200]!r}" for one in self.garbage]
        return found + [f"{what}: {one}" for one in self.requests[since:] for what in self._faults(one)]

    def _faults(self, seen: Seen) -> Iterator[str]:
        yield from (f"{count} x {name}" for name in ONCE if (count := len(seen.values(name))) != 1)
        if seen.values("x-stamp") != [self.stamp] or not seen.target.startswith(("/open", "/secured")):
            yield "not judged"
        if not 1 <= number("".join(seen.values("x-deadline-ms"))) <= TIMEOUT_MS - 100:
            yield "a deadline beyond the route's"
        if seen.values("x-forwarded-for") != ["127.0.0.1"]:
            yield "not from where it came"
        if seen.target.startswith("/secured") and seen.values("authorization") not in [[one] for one in self.tokens]:
            yield "nobody's"
        yield from (f"claims {value}" for _, value in seen.headers if value in FORGED)
        yield from self._ambiguities(seen)

    @staticmethod
    def _ambiguities(seen: Seen) -> Iterator[str]:
        lengths, codings = seen.values("content-length"), seen.values("transfer-encoding")
        if len(lengths) + len(codings) > 1 or codings not in ([], ["chunked"]) or not "".join(lengths or "0").isdigit():
            yield "two ways to read its length"
        if SPELLED_TWICE.search(seen.target.partition("?")[0]):
            yield "two ways to read its path"
        if re.search(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n", seen.raw):
            yield "control characters"
        if SMUGGLED in seen.target:
            yield "smuggled"


def number(text: str) -> int:
    return int(text) if text.isdigit() else 0
