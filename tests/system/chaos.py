"""Chaos, from a seed: three backends in every kind of trouble, clients of several users at load, and what they saw."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import aiohttp
import httpx

from shared.testing.faults import answer, down, drip, hangs_up, invalid, mixed, raw, reset, silent, slow, status, well
from shared.testing.issuer import Issuer
from shared.testing.playing import Fault, Played, Turn
from shared.testing.sockets import SocketBackends
from tests.system.judging import mark, mobile_misfits, strangers, web_misfits
from tests.system.lean import BACKENDS, LeanSystem

USERS = tuple(f"u-{name}" for name in ("ada", "bob", "cyd", "dan", "eve", "fay", "gus", "hal"))
ROUTE_S = 3.0  # what bffs/*/edge.yaml allow
# How late an answer may be for reasons that are the machine's: two cores for the edge, two BFFs, the backends and all
# clients, and whatever else runs here. A call without a deadline would be later than this by seconds.
ALLOWANCE_S = 1.5
CLIENTS = 32
# A pause between two requests of one client, so that this is about trouble and not about more load than two cores take.
THINKS_S = 0.2

DEGRADED = "degraded { section reason source ageSeconds retryAfterSeconds }"
PAGE = (
    "{ dashboard { userId displayName tier recentOrders { id status amount currency placedAt } "
    "alerts { id severity message createdAt } aggregatedAt " + DEGRADED + " } viewer { userId displayName } }"
)
VIEWER = "{ viewer { userId displayName tier " + DEGRADED + " } }"
ALERTS = "{ mine: dashboard { alerts { message } " + DEGRADED + " } }"


@dataclass(frozen=True, slots=True)
class Doubled(Played):
    """The good answer, and behind it one that nobody asked for, with a stranger's data."""

    async def play(self, turn: Turn) -> None:
        """Write both at once."""
        turn.line.write(turn.well.raw() + turn.well.raw().replace(b"of:u-", b"of:u-stray"))


def trouble(seed: int) -> Fault:
    """Return the lots that each call draws from: a third of them is trouble."""
    return mixed(
        seed,
        {
            well(): 50, slow(0.01): 10, slow(0.1): 6, slow(0.5): 3, slow(1.5): 2, drip(0.005, 32): 2, Doubled(): 3,
            status(500): 3, status(503, retry_after=1): 3, status(429): 2, status(403): 1, status(404): 1,
            status(204): 1, reset(): 3, reset(b"HTTP/1.1 200 OK\r\ncontent-le"): 1, silent(): 3,
            invalid(): 1, invalid(b'{"displayName": NaN}'): 1, invalid(b"[" * 2000): 1,
            raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n[", "close"): 1,
            raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n[]", "close"): 1,
            answer(302, location="/elsewhere"): 1,
        },
    )  # fmt: skip


def script(backends: SocketBackends) -> None:
    """Let everyone have recognisable data; profiles may be remembered for a second, and used stale for a minute."""
    backends["users"].answers(
        "GET /api/internal/users/{user}/profile",
        lambda user: {"userId": user, "displayName": f"name {mark(user)}", "accountTier": f"tier {mark(user)}"},
        cache_control="max-age=1, stale-while-revalidate=2, stale-if-error=60",
    )
    backends["users"].answers(
        "GET /api/internal/users/{user}",
        lambda user: {
            "userId": user, "displayName": f"name {mark(user)}", "accountTier": f"tier {mark(user)}",
            "email": f"{mark(user)}@example.test", "region": "eu", "version": "1",
        },
    )  # fmt: skip
    backends["orders"].answers(
        "GET /api/internal/orders?userId={user}&limit=5",
        lambda user: [
            {"id": f"{n} {mark(user)}", "userId": user, "status": f"sent {mark(user)}", "amount": "1.00",
             "currency": "EUR", "placedAt": "2026-11-20T10:00:00Z"}
            for n in range(5)
        ],
    )  # fmt: skip
    backends["alerts"].answers(
        "GET /api/internal/alerts?userId={user}",
        lambda user: [
            {"id": f"a {mark(user)}", "userId": user, "severity": "info", "message": f"hello {mark(user)}",
             "createdAt": "2026-11-20T10:00:00Z"}
        ],
    )  # fmt: skip


@dataclass
class Seen:
    """What the clients saw. ``latest_s`` is how long after its deadline the latest answer came; negative: none did."""

    answers: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    latest_s: float = float("-inf")
    left: int = 0


@dataclass(frozen=True)
class Ask:
    """One kind of request: how it is sent, and what judges its answer."""

    name: str
    method: str
    path: str
    body: dict[str, str] | None
    judge: Callable[[httpx.Response], list[str]]


def _get(path: str) -> Ask:
    return Ask(path, "GET", path, None, lambda got: mobile_misfits(path, got))


def _post(name: str, query: str) -> Ask:
    return Ask(name, "POST", "/web/graphql", {"query": query}, lambda got: web_misfits(query, got))


DASHBOARD = _get("/mobile/v1/dashboard")
ASKS = (DASHBOARD, _get("/mobile/v1/profile"), _post("page", PAGE), _post("viewer", VIEWER), _post("alerts", ALERTS))


class Chaos:
    """One run against a system."""

    def __init__(self, system: LeanSystem, backends: SocketBackends, issuer: Issuer, seed: int) -> None:
        self.system = system
        self.backends = backends
        self.seed = seed
        self.seen = Seen()
        self.signed_in = {user: issuer.signed_in(user, scope="dashboard graphql:explore") for user in USERS}

    async def run(self, seconds: float) -> None:
        """Let it rage for so long."""
        end = time.monotonic() + seconds
        # Not httpx: its pool would cost this process more than both BFFs together, and loses slots to who leaves.
        connector = aiohttp.TCPConnector(limit=CLIENTS, ssl=self.system.trust)
        async with aiohttp.ClientSession(self.system.edge, connector=connector) as client:
            workers = [self._client(client, Random(self.seed * 1000 + n), end) for n in range(CLIENTS)]
            await asyncio.gather(self._weather(end, seconds), *workers)

    async def _weather(self, end: float, seconds: float) -> None:
        """Change what all calls meet: one backend is down at first, doors shut and open, one is silent at the end."""
        random = Random(self.seed)
        for at, name in enumerate(BACKENDS):
            self.backends[name].fault(trouble(self.seed + at))
        self.backends["orders"].fault(down())
        await asyncio.sleep(seconds * 0.15)
        self.backends["orders"].fault(trouble(self.seed + 7))
        while (left := end - time.monotonic()) > seconds * 0.25:
            name = random.choice(BACKENDS)
            self.backends[name].fault(random.choice((down(), hangs_up())))
            await asyncio.sleep(min(left, random.uniform(0.1, 0.6)))
            self.backends[name].fault(trouble(random.randrange(1 << 30)))
            await asyncio.sleep(min(left, random.uniform(0.2, 1.0)))
        self.backends["users"].fault(silent())
        await asyncio.sleep(max(0.0, end - time.monotonic()))

    async def _client(self, client: aiohttp.ClientSession, random: Random, end: float) -> None:
        while time.monotonic() < end:
            user, ask = random.choice(USERS), random.choice(ASKS)
            headers, allowed_s = dict(self.signed_in[user]), ROUTE_S
            if random.random() < 0.3:
                allowed_s = random.choice((0.15, 0.4, 1.0))
                headers["x-deadline-ms"] = str(round(allowed_s * 1000))
            if random.random() < 0.03:
                await self._leave(client, ask, headers, random.uniform(0.0, 0.2))
            else:
                await self._ask(client, user, ask, headers, allowed_s)
            await asyncio.sleep(random.uniform(0.0, THINKS_S))

    async def _leave(self, client: aiohttp.ClientSession, ask: Ask, headers: dict[str, str], after_s: float) -> None:
        """Ask, and be gone."""
        asking = asyncio.ensure_future(_sent(client, ask, headers))
        await asyncio.wait([asking], timeout=after_s)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        self.seen.left += 1

    async def _ask(
        self, client: aiohttp.ClientSession, user: str, ask: Ask, headers: dict[str, str], allowed_s: float
    ) -> None:
        began = time.monotonic()
        try:
            got = await _sent(client, ask, headers)
        except aiohttp.ClientError as error:
            self.seen.wrong.append(f"{ask.name}: no answer: {error!r}")
            return
        late_s = time.monotonic() - began - allowed_s
        self.seen.latest_s = max(self.seen.latest_s, late_s)
        if late_s > ALLOWANCE_S:
            self.seen.late.append(f"{ask.name}: {late_s:.2f} s after its {allowed_s} s, {got.status_code}")
        self.seen.answers[f"{ask.name} {got.status_code}"] += 1
        self.seen.wrong += [f"{ask.name}: {misfit}" for misfit in ask.judge(got)]
        if others := strangers(got, user):
            self.seen.wrong.append(f"{ask.name}: data of {others} for {user}")
        self._note_gaps(got)

    def _note_gaps(self, got: httpx.Response) -> None:
        body = got.json()
        screens = [body] if "degraded" in body else [one for one in (body.get("data") or {}).values() if one]
        for screen in screens:
            for gap in screen.get("degraded", ()):
                self.seen.reasons[gap["reason"]] += 1
                self.seen.sources[gap["source"]] += 1


async def _sent(client: aiohttp.ClientSession, ask: Ask, headers: dict[str, str]) -> httpx.Response:
    async with client.request(ask.method, ask.path, json=ask.body, headers=headers) as got:
        body = await got.read()  # aiohttp has undone the compression, and httpx would undo it again
        kept = [(name, value) for name, value in got.headers.items() if name.lower() != "content-encoding"]
        return httpx.Response(got.status, headers=kept, content=body)
