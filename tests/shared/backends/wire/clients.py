"""Four clients, asked the same thing: one request against a case, then one more that any right client gets answered.

Each is allowed one connection, so that a slot it loses, or an answer it mixes up, shows in the second request.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType
from typing import Any

import aiohttp
import httpcore
import httpcore2
import httpx

from shared.backends.wire.pool import PoolPolicy, WirePool
from shared.backends.wire.transport import WireTransport
from shared.clock import LoopClock
from shared.errors import BackendInvalid, BackendUnreachable
from tests.shared.backends.raw import PATIENCE_S, Inbox, Line, RawBackend, request
from tests.shared.backends.wire.cases import NEXT, NEXT_BODY, Answer, Case, End, Fate

Ask = Callable[[str, str], Awaitable[Answer | Fate]]

# A client that has not answered after as many turns of the loop, each with its pause, is waiting. Counted in turns,
# not in time: when this process is held up, so is the count.
TURNS = 30
PAUSE_S = 0.004


def lower(pairs: Sequence[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")) for name, value in pairs)


@asynccontextmanager
async def ours(url: str) -> AsyncIterator[Ask]:
    pool = WirePool("raw", url, PoolPolicy(max_connections=1), LoopClock())

    async def one(method: str, target: str) -> Answer | Fate:
        inbox = Inbox()
        exchange = pool.send(request(method, target, headers=()), inbox)
        try:
            outcome = await inbox.outcome()
        finally:
            exchange.abort()
        if isinstance(outcome, BackendInvalid):
            return Fate.REFUSED
        if isinstance(outcome, BackendUnreachable):
            return Fate.CUT
        return Answer(outcome.status, outcome.body, outcome.headers)

    try:
        yield one
    finally:
        await pool.aclose()
        assert (pool.connections, pool.active) == (0, 0)


@asynccontextmanager
async def ours_through_httpx(url: str) -> AsyncIterator[Ask]:
    """Ours as httpx's users meet it: every body flows."""
    transport = WireTransport(PoolPolicy(max_connections=1))
    async with httpx.AsyncClient(transport=transport, base_url=url, timeout=None) as client:  # noqa: S113 - a case ends by itself

        async def one(method: str, target: str) -> Answer | Fate:
            try:
                reply = await client.request(method, target)
            except httpx.RemoteProtocolError:
                return Fate.REFUSED
            except httpx.NetworkError:
                return Fate.CUT
            return Answer(reply.status_code, reply.content, lower(reply.headers.raw))

        yield one


def over(library: ModuleType) -> Callable[[str], Any]:
    """Return httpcore, or its fork, which has the same face."""

    @asynccontextmanager
    async def client(url: str) -> AsyncIterator[Ask]:
        async with library.AsyncConnectionPool(max_connections=1) as pool:

            async def one(method: str, target: str) -> Answer | Fate:
                try:
                    reply = await pool.request(method, url + target)
                except (library.NetworkError, library.ProtocolError):
                    return Fate.REFUSED
                return Answer(reply.status, reply.content, lower(reply.headers))

            yield one

    return client


@asynccontextmanager
async def over_aiohttp(url: str) -> AsyncIterator[Ask]:
    connector = aiohttp.TCPConnector(limit=1)
    jar = aiohttp.DummyCookieJar()
    bare = {"cookie_jar": jar, "auto_decompress": False, "timeout": aiohttp.ClientTimeout(total=None)}
    async with aiohttp.ClientSession(connector=connector, **bare) as session:

        async def one(method: str, target: str) -> Answer | Fate:
            try:
                async with session.request(method, url + target, allow_redirects=False) as reply:
                    return Answer(reply.status, await reply.read(), lower(reply.raw_headers))
            except aiohttp.ClientError:
                return Fate.REFUSED

        yield one


CLIENTS: dict[str, Callable[[str], Any]] = {
    "ours": ours,
    "ours-httpx": ours_through_httpx,
    "httpcore": over(httpcore),
    "httpcore2": over(httpcore2),
    "aiohttp": over_aiohttp,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client made of a case: the case's outcome, the next request's, and whether one connection served both."""

    outcome: Answer | Fate
    next: Answer | Fate
    reused: bool


RIGHT_NEXT = Answer(200, NEXT_BODY, (("content-length", "6"),))


def right(case: Case) -> Seen:
    """Return what a right client makes of a case."""
    return Seen(case.outcome, RIGHT_NEXT, case.reused)


class Difference(StrEnum):
    """How a client departs from what is right, the worst first."""

    MIXED_UP = "the next request gets an answer that is not its own"
    NEXT_LOST = "the next request fails, or never ends"
    RETRIED = "sends the request again by itself"
    TAKEN = "takes what must be refused"
    PATIENT = "goes on waiting for what can no longer be right"
    REFUSED = "refuses what may be taken"
    CRASHED = "raises what no caller expects"
    SAID = "tells another answer"
    KEPT = "uses a connection again that must not serve"
    DROPPED = "gives up a connection that may serve"


def difference(case: Case, seen: Seen) -> Difference | None:
    """Name the worst difference between what a client made of a case and what is right; the others follow from it."""
    if seen.next != RIGHT_NEXT:
        return Difference.MIXED_UP if isinstance(seen.next, Answer) else Difference.NEXT_LOST
    if seen.outcome != case.outcome:
        return _departure(case.outcome, seen.outcome)
    if seen.reused != case.reused:
        return Difference.KEPT if seen.reused else Difference.DROPPED
    return None


def _departure(right_: Answer | Fate, seen: Answer | Fate) -> Difference | None:
    if seen == RIGHT_NEXT:
        return Difference.RETRIED
    if seen is Fate.CRASHED:
        return Difference.CRASHED
    if seen is Fate.WAITING:
        return Difference.PATIENT
    if isinstance(seen, Answer):
        return Difference.SAID if isinstance(right_, Answer) else Difference.TAKEN
    # Which failure it was, only we tell apart.
    return Difference.REFUSED if isinstance(right_, Answer) or right_ is Fate.WAITING else None


async def play(case: Case, client: Callable[[str], Any]) -> Seen:
    """Let a client meet a case."""
    asked: list[int] = []
    answered, over_ = asyncio.Event(), asyncio.Event()

    async def script(line: Line) -> None:
        number = line.backend.accepted
        first = number == 1
        while await line.request() is not None:
            asked.append(number)
            if not first:
                await line.write(NEXT)
                continue
            first = False
            await _perform(case, line, answered)
            over_.set()
            if case.end is not End.KEEP:
                return

    async with RawBackend(script) as backend, client(backend.url) as one:
        outcome = await _patiently(one(case.method, "/case"), over_)
        answered.set()
        async with asyncio.timeout(PATIENCE_S):
            await over_.wait()
        await _turns(5)  # what came late, or a close, has reached the client
        following = await _patiently(one("GET", "/next"), over_)
        return Seen(outcome, following, reused=asked.count(1) > 1)


async def _perform(case: Case, line: Line, answered: asyncio.Event) -> None:
    for part in case.parts:
        await line.write(part)
        await asyncio.sleep(0)  # a turn for the client, so that each part arrives by itself
        await asyncio.sleep(0)
    if case.late:
        await answered.wait()
        await _turns(2)
        await line.write(case.late)
    if case.end is End.RESET:
        await _turns(5)  # the bytes arrive before the reset that would discard them
        line.reset()


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0.001)


async def _patiently(asking: Awaitable[Answer | Fate], sent: asyncio.Event) -> Answer | Fate:
    """Wait for an outcome; once everything was sent, only for so many turns."""
    task = asyncio.ensure_future(asking)
    turns = 0
    while not task.done() and turns < TURNS:
        await asyncio.wait([task], timeout=PAUSE_S)
        turns += sent.is_set()
    if not task.done():
        task.cancel()
        await asyncio.wait([task])
        return Fate.WAITING
    try:
        return task.result()
    except Exception:  # noqa: BLE001 - whatever a client raises that is not its own declared error
        return Fate.CRASHED
