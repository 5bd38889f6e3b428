"""What an operation costs is charged before it is executed, in whatever form operations come (field case W4)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bffs.web.backends import PROFILE
from bffs.web.settings import WebSettings
from edge.limits.judging import MemoryJudge
from edge.limits.service import Done, LimitService, handlers
from shared.clock import LoopClock
from shared.grpc.server import GrpcServer
from shared.limits.charging import CHECK, LIMITER, OnFailure
from shared.limits.decide import Check, Verdict
from shared.testing.clock import ManualClock
from shared.testing.faults import silent
from shared.testing.issuer import Issuer
from shared.testing.sockets import SocketBackends
from tests.bffs.web.conftest import OpenWeb
from tests.bffs.web.web import EXPLORER, PATH, Web

# What one costs is 2: a weight of 1, and the object.
TIER = "{ viewer { tier } }"
COST = 2


class Limiter:
    """The limiter's own service behind its own HTTP/2, in this process; and what it was asked."""

    def __init__(self) -> None:
        self.checks: list[Check] = []
        self.verdicts: list[Verdict | None] = []
        self.away = False
        self._judge = MemoryJudge(LoopClock())
        self.port = 0

    def judge(self, checks: tuple[Check, ...], done: Done) -> None:
        if self.away:  # the limiter is there, and its store is not
            done([None] * len(checks))
        else:
            self._judge.judge(checks, done)

    def checked(self, check: Check, verdict: Verdict | None) -> None:
        self.checks.append(check)
        self.verdicts.append(verdict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def counted(self) -> int:
        """Units that were charged."""
        return sum(
            one.cost for one, verdict in zip(self.checks, self.verdicts, strict=True) if verdict and verdict.fits
        )


@pytest.fixture
async def limiter() -> AsyncIterator[Limiter]:
    limiter = Limiter()
    server = GrpcServer(handlers(LimitService(limiter, limiter), ready=lambda: True))
    limiter.port = await server.start("127.0.0.1", 0)
    yield limiter
    await server.stop(1.0)


@pytest.fixture(params=["alone", "distributed"])
async def five(request: pytest.FixtureRequest, open_web: OpenWeb, limiter: Limiter) -> Web:
    """A BFF whose callers may have five of these a minute: counted by itself, or by a limiter."""
    where = {"limiter": limiter.url} if request.param == "distributed" else {}
    return await open_web(explorer_cost_per_minute=5 * COST, page_cost_per_minute=5 * COST, **where)


def refused(answer: Any) -> bool:
    """Whether it is the documented refusal; any other than that, or success, fails the test."""
    if answer.status_code == 200:
        return False
    assert (answer.status_code, answer.headers["content-type"]) == (429, "application/problem+json"), answer.text
    problem = answer.json()
    assert (problem["code"], problem["retryable"]) == ("rate_limited", True)
    assert 1 <= problem["retryAfterSeconds"] <= 60
    assert answer.headers["retry-after"] == str(problem["retryAfterSeconds"])
    return True


async def test_case_w4_fifty_calls_at_once(five: Web, backends: SocketBackends, limiter: Limiter) -> None:
    """Five are executed, the others are refused, and what was counted is what was done."""
    answers = await asyncio.gather(*(five.query(TIER) for _ in range(50)))

    assert [refused(one) for one in answers].count(False) == 5
    if limiter.checks:
        assert (len(limiter.checks), limiter.counted) == (50, 5 * COST)


@pytest.mark.parametrize(("aliases", "executed"), [(5, True), (6, False), (10, False)])
async def test_case_w4_aliases_count(five: Web, backends: SocketBackends, aliases: int, executed: bool) -> None:
    """One document is charged for all of its fields, and executed whole or not at all."""
    text = "{" + "".join(f" a{n}: viewer {{ tier }}" for n in range(aliases)) + " }"

    assert refused(await five.query(text)) is not executed
    assert (backends.counts() != {}) is executed


async def test_case_w4_fifty_aliases_are_no_operation(five: Web, backends: SocketBackends, limiter: Limiter) -> None:
    """Refused by their number, and not charged: five calls are left."""
    text = "{" + "".join(f" a{n}: viewer {{ tier }}" for n in range(50)) + " }"
    answer = await five.query(text)

    assert answer.status_code == 400
    assert "at most 10 root fields" in answer.json()["errors"][0]["message"]
    assert (backends.counts(), limiter.checks) == ({}, [])
    assert [refused(await five.query(TIER)) for _ in range(6)] == [False] * 5 + [True]


async def test_case_w4_an_array_of_operations_is_no_operation(
    five: Web, backends: SocketBackends, limiter: Limiter
) -> None:
    """Batches are off: 400, nothing charged and nothing done."""
    answer = await five.post([{"query": TIER}] * 50)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert (backends.counts(), limiter.checks) == ({}, [])


async def test_a_get_is_charged_like_a_post(five: Web) -> None:
    """And a 304 too: the work was done to know that it is the same."""
    first = await five.http.get(PATH, params={"query": TIER})
    known = {"if-none-match": first.headers["etag"]}
    rest = [await five.http.get(PATH, params={"query": TIER}, headers=known) for _ in range(5)]

    assert [one.status_code for one in rest] == [304] * 4 + [429]


async def test_each_caller_has_a_minute_of_his_own(five: Web, issuer: Issuer) -> None:
    """By subject; and a class of callers of its own."""
    assert [refused(await five.query(TIER)) for _ in range(6)][-1]
    for headers in (issuer.signed_in("u-2", scope=EXPLORER), issuer.signed_in("u-2 ", scope=EXPLORER)):
        assert not refused(await five.query(TIER, headers=headers))


async def test_what_is_left_comes_back(manual_clock: ManualClock, open_web: OpenWeb) -> None:
    """Who waits as long as he was told finds room; a second earlier he does not."""
    web = await open_web(explorer_cost_per_minute=5 * COST)
    for _ in range(5):
        assert not refused(await web.query(TIER))
    answer = await web.query(TIER)
    assert refused(answer)

    await manual_clock.advance(int(answer.headers["retry-after"]) - 1)
    assert refused(await web.query(TIER))
    await manual_clock.advance(1)
    assert not refused(await web.query(TIER))


async def test_the_limiter_learns_who_by_a_digest(open_web: OpenWeb, limiter: Limiter, issuer: Issuer) -> None:
    """The same policy and the same person are the same counter, whichever replica asks; nobody is named."""
    one, replica = [await open_web(limiter=limiter.url) for _ in "ab"]
    headers = issuer.signed_in("ada@example.test", scope=EXPLORER)
    for web in (one, replica):
        await web.query(TIER, headers=headers)

    assert len({check.key for check in limiter.checks}) == 1
    assert "ada" not in limiter.checks[0].key
    policy = limiter.checks[0].policy
    assert (policy.name, policy.limit, policy.window_s) == ("web-cost.explorer", 20_000, 60)


# When nobody can judge: the words of ``edge.yaml``

AWAY = ["store", "refused", "silent"]


async def unjudged(open_web: OpenWeb, limiter: Limiter, backends: SocketBackends, how: str, **settings: Any) -> Web:
    """A BFF whose limiter has no store, is not there, or never answers."""
    limiter.away = how == "store"
    url = limiter.url
    if how == "refused":
        url = "http://127.0.0.1:1"
    elif how == "silent":
        backends.open_apart("limiter").fault(silent())
        url = backends["limiter"].url
    return await open_web(limiter=url, explorer_cost_per_minute=5 * COST, **settings)


@pytest.mark.parametrize("how", AWAY)
async def test_open_lets_pass(open_web: OpenWeb, limiter: Limiter, backends: SocketBackends, how: str) -> None:
    """Nobody is refused for a limiter that is away, and nobody waits longer than for a tenth of a second."""
    web = await unjudged(open_web, limiter, backends, how, cost_on_failure=OnFailure.OPEN)

    async with asyncio.timeout(8):
        answers = [await web.query(TIER) for _ in range(8)]
    assert [refused(one) for one in answers] == [False] * 8
    assert [one.json()["data"]["viewer"]["tier"] for one in answers] == ["Gold"] * 8


@pytest.mark.parametrize("how", AWAY)
async def test_local_counts_here(open_web: OpenWeb, limiter: Limiter, backends: SocketBackends, how: str) -> None:
    """As exactly as one process can."""
    web = await unjudged(open_web, limiter, backends, how, cost_on_failure=OnFailure.LOCAL)

    assert [refused(await web.query(TIER)) for _ in range(7)] == [False] * 5 + [True] * 2


@pytest.mark.parametrize("how", AWAY)
async def test_closed_refuses(open_web: OpenWeb, limiter: Limiter, backends: SocketBackends, how: str) -> None:
    """503 with its own code, and nothing is done."""
    web = await unjudged(open_web, limiter, backends, how, cost_on_failure=OnFailure.CLOSED)

    answer = await web.query(TIER)

    assert (answer.status_code, answer.json()["code"]) == (503, "limiter_unavailable")
    assert answer.headers["retry-after"] == "1"
    assert PROFILE.backend.name not in backends.counts()


async def test_a_limiter_that_is_away_degrades_nothing(
    open_web: OpenWeb, limiter: Limiter, backends: SocketBackends
) -> None:
    """The answer is whole, and a browser may keep it: the limit is no section of it."""
    web = await unjudged(open_web, limiter, backends, "refused")
    answer = await web.http.get(PATH, params={"query": "{ dashboard { tier degraded { section } } }"})

    assert answer.json()["data"]["dashboard"] == {"tier": "Gold", "degraded": []}
    assert answer.headers["cache-control"] == "private, no-cache"


async def test_operators_see_the_limiter_as_a_backend(open_web: OpenWeb, limiter: Limiter) -> None:
    """Its calls are counted like every backend's."""
    web = await open_web(limiter=limiter.url)
    await web.query(TIER)

    metrics = (await web.http.get("/metrics")).text
    assert 'frontage_backend_attempts_total{backend="limiter",outcome="ok"} 1.0' in metrics


def test_the_limiter_is_asked_once_and_over_http_2() -> None:
    """Nobody knows whether a check without an answer was counted."""
    assert (CHECK.idempotent, LIMITER.transport, LIMITER.credentials) == (False, "h2", False)


@pytest.mark.parametrize("value", ["always", "OPEN", ""])
def test_an_unknown_word_stops_the_start(value: str) -> None:
    """The three that ``edge.yaml`` knows."""
    with pytest.raises(ValueError, match="open"):
        WebSettings(
            listen="127.0.0.1:1", issuer="x", jwks_url="http://x", users_url="http://x", orders_url="http://x",
            alerts_url="http://x", cost_on_failure=value,
        )  # fmt: skip
