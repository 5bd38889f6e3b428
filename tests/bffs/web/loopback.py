"""Real backends on a real socket that do as they are told, and the issuer's keys beside them.

world.acts["orders"] = answer([ORDER])      # what the next requests for /api/internal/orders meet
world.acts["alerts"] = silence()            # never answers; ``left`` counts callers that gave up
"""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

BIG_ID = 2**53 + 12345

PROFILE = {
    "userId": "u-1",
    "displayName": "Ada Łovelace 🚀",
    "accountTier": "Gold",
    "email": "ada@example.test",
    "region": "eu",
}
ORDER = {
    "id": BIG_ID,
    "userId": "u-1",
    "status": "shipped",
    "amount": "12.30",
    "currency": "EUR",
    "placedAt": "2026-11-20T10:00:00Z",
}
ALERT = {
    "id": "a-1",
    "userId": "u-1",
    "severity": "info",
    "message": "Your order is on its way.",
    "createdAt": "2026-11-21T10:00:00Z",
}
WHOLE = {"users": PROFILE, "orders": [ORDER], "alerts": [ALERT]}


class Seen(NamedTuple):
    """One request as a backend saw it."""

    name: str
    target: str
    headers: dict[str, str]


class Line(NamedTuple):
    """The connection that an act plays on."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


Act = Callable[[Line], Awaitable[bool]]  # whether the connection is kept


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Act:
    """Answer with JSON; ``bytes`` go out as they are."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"content-type": "application/json", "content-length": str(len(raw)), **(headers or {})}
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return wire(head.encode() + b"\r\n" + raw)


def wire(raw: bytes, *, keep: bool = True) -> Act:
    """Send exactly these bytes."""

    async def act(line: Line) -> bool:
        line.writer.write(raw)
        await line.writer.drain()
        return keep

    return act


def silence() -> Act:
    """Never answer; ends when the caller leaves."""

    async def act(line: Line) -> bool:
        with suppress(ConnectionError):
            await line.reader.read()
        return False

    return act


def held(gate: asyncio.Barrier, then: Act) -> Act:
    """Answer only when as many callers as the gate has parties have arrived."""

    async def act(line: Line) -> bool:
        await gate.wait()
        return await then(line)

    return act


class World:
    """users, orders, alerts and the issuer's keys, on one port; what they do is ``acts``."""

    def __init__(self, jwks: bytes) -> None:
        self.acts = {name: answer(body) for name, body in WHOLE.items()}
        self.acts["jwks"] = answer(jwks)
        self.seen: list[Seen] = []
        self.left: Counter[str] = Counter()
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()

    def asked(self) -> Counter[str]:
        """How often each backend was asked."""
        return Counter(one.name for one in self.seen if one.name != "jwks")

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Play a new connection, in a task of ours: asyncio would report one of its own that is cancelled."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._exchange(Line(reader, writer)):
                    pass
        finally:
            writer.close()

    async def _exchange(self, line: Line) -> bool:
        head = (await line.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request, *fields = head.rstrip().split("\r\n")
        target = request.split(" ")[1]
        name = target.split("?")[0].removeprefix("/api/internal/").strip("/").split("/")[0]
        self.seen.append(Seen(name, target, {k.lower(): v for k, _, v in (one.partition(": ") for one in fields)}))
        kept = await self.acts[name](line)
        if line.reader.at_eof():
            self.left[name] += 1
        return kept

    async def close(self) -> None:
        """End what still plays."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def loopback(jwks: bytes) -> AsyncIterator[World]:
    """Open a world on a free port of 127.0.0.1."""
    world = World(jwks)
    server = await asyncio.start_server(world.connected, "127.0.0.1", 0)
    world.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield world
    finally:
        server.close()
        await world.close()
        await server.wait_closed()


@asynccontextmanager
async def nobody() -> AsyncIterator[str]:
    """Give the URL of a port that is taken and refuses every connection."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


async def until(condition: Callable[[], bool], within_s: float = 2.0) -> None:
    """Return as soon as the condition holds; fail when it does not in time."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in a library without events
            await asyncio.sleep(0.005)
