"""Opaque tokens: how seldom the issuer is asked, how long it is believed, and what happens when it is away.

What an answer must say is the table's (``tests/edge/control/credentials_table.py``), run in a BFF and at the edge.
"""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, unquote_plus

import httpx
import pytest

from shared.errors import ProblemCode, ProblemError
from shared.identity.credential import CredentialKind
from shared.identity.introspection import IntrospectionPolicy, Introspector
from shared.testing.clock import ManualClock

NOW = 1_800_000_000
URL = "https://issuer.test/introspect"
TOKEN = "opaque-token-of-ada-0001"
OTHER = "opaque-token-of-bob-0002"
SECRET = "a:b%c +/"


class Issuer:
    """Answers about tokens, and can be slow, odd or away."""

    def __init__(self) -> None:
        self.active: dict[str, object] = {
            "active": True, "aud": "frontage", "sub": "ada", "client_id": "app", "scope": "a b", "exp": NOW + 3600,
        }  # fmt: skip
        self.revoked: set[str] = set()
        self.asked: list[httpx.Request] = []
        self.away: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        await self.gate.wait()
        if self.away is not None:
            raise self.away
        (token,) = parse_qs(request.content.decode())["token"]
        return httpx.Response(200, json={"active": False} if token in self.revoked else self.active)


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(wall_s=NOW)


def policy(**changes: object) -> IntrospectionPolicy:
    good = {"url": URL, "client_id": "edge", "client_secret": SECRET, "audience": "frontage"}
    return IntrospectionPolicy(**{**good, **changes})  # type: ignore[arg-type]


@pytest.fixture
async def client(issuer: Issuer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(issuer)) as made:
        yield made


@pytest.fixture
def introspector(client: httpx.AsyncClient, clock: ManualClock) -> Introspector:
    return asking(client, clock)


def asking(client: httpx.AsyncClient, clock: ManualClock, **changes: object) -> Introspector:
    return Introspector(policy(**changes), client, now=clock.wall_s, monotonic=clock.now_s)


async def code(introspector: Introspector, token: str = TOKEN) -> ProblemCode:
    with pytest.raises(ProblemError) as caught:
        await introspector.verify(token)
    return caught.value.code


async def test_idn_i1_the_token_goes_out_in_a_form_under_our_own_name(
    introspector: Introspector, issuer: Issuer
) -> None:
    """POST, never in the URL; the client's secret form-encoded before it is joined (RFC 6749 §2.3.1)."""
    await introspector.verify(TOKEN)
    (request,) = issuer.asked
    assert (request.method, str(request.url)) == ("POST", URL)
    assert parse_qs(request.content.decode()) == {"token": [TOKEN], "token_type_hint": ["access_token"]}
    name, _, secret = b64decode(request.headers["authorization"].removeprefix("Basic ")).decode().partition(":")
    assert (unquote_plus(name), unquote_plus(secret)) == ("edge", SECRET)
    assert ":" not in secret


async def test_an_active_token_speaks_for_its_subject(introspector: Introspector) -> None:
    """With its scopes; and the token is no part of what a log line could show."""
    principal, answer = await introspector.verify(TOKEN)
    assert (principal.subject, principal.client_id, principal.kind) == ("ada", "app", CredentialKind.OPAQUE)
    assert principal.scopes == {"a", "b"}
    assert principal.token == TOKEN
    assert TOKEN not in f"{principal!r}"
    assert answer["sub"] == "ada"


async def test_idn_i5_a_revocation_is_obeyed_within_the_stated_window(
    introspector: Introspector, issuer: Issuer, clock: ManualClock
) -> None:
    """Thirty seconds (identity.md A17): asked once until then, and again after."""
    await introspector.verify(TOKEN)
    issuer.revoked.add(TOKEN)
    await clock.advance(29.9)
    assert introspector.cached(TOKEN) is not None
    await clock.advance(0.2)
    assert introspector.cached(TOKEN) is None
    assert await code(introspector) is ProblemCode.UNAUTHENTICATED
    assert len(issuer.asked) == 2


async def test_idn_i5_a_window_of_zero_asks_for_every_request(
    client: httpx.AsyncClient, issuer: Issuer, clock: ManualClock
) -> None:
    """A revocation then counts at once."""
    introspector = asking(client, clock, remember=timedelta(0))
    await introspector.verify(TOKEN)
    issuer.revoked.add(TOKEN)
    assert await code(introspector) is ProblemCode.UNAUTHENTICATED


async def test_idn_i5_no_answer_is_believed_beyond_the_token_s_end(
    introspector: Introspector, issuer: Issuer, clock: ManualClock
) -> None:
    """Ten seconds to live are ten seconds remembered."""
    issuer.active["exp"] = NOW + 10
    await introspector.verify(TOKEN)
    await clock.advance(10)
    assert introspector.cached(TOKEN) is None


async def test_an_inactive_token_is_not_asked_about_in_a_loop(
    introspector: Introspector, issuer: Issuer, clock: ManualClock
) -> None:
    """Once in five seconds; so one that becomes active is known by then."""
    issuer.revoked.add(TOKEN)
    for _ in range(10):
        assert await code(introspector) is ProblemCode.UNAUTHENTICATED
    assert len(issuer.asked) == 1
    issuer.revoked.clear()
    await clock.advance(5)
    assert (await introspector.verify(TOKEN))[0].subject == "ada"


async def test_many_who_ask_about_one_token_share_one_question(introspector: Introspector, issuer: Issuer) -> None:
    """And one of them who leaves takes nobody's answer away, the first one least."""
    issuer.gate.clear()
    asked = [asyncio.create_task(introspector.verify(TOKEN)) for _ in range(20)]
    await asyncio.sleep(0)
    asked[0].cancel()
    await asyncio.sleep(0)
    issuer.gate.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert {one[0].subject for one in answers[1:]} == {"ada"}  # type: ignore[index]
    assert len(issuer.asked) == 1


async def test_the_memory_is_bounded(client: httpx.AsyncClient, clock: ManualClock, issuer: Issuer) -> None:
    """Of active tokens and of random ones alike: the oldest goes first."""
    introspector = asking(client, clock, max_remembered=3)
    tokens = [f"opaque-token-number-{number}" for number in range(5)]
    for token in tokens:
        await introspector.verify(token)
    assert [introspector.cached(token) is not None for token in tokens] == [False, False, True, True, True]
    issuer.revoked.update(f"random-token-number-{number}" for number in range(50))
    for token in sorted(issuer.revoked):
        assert await code(introspector, token) is ProblemCode.UNAUTHENTICATED
    assert len(introspector._inactive) == 3


async def test_idn_i6_an_issuer_that_is_away_is_a_503(introspector: Introspector, issuer: Issuer) -> None:
    """Never a yes, never a no; and what it said before still counts."""
    await introspector.verify(OTHER)
    issuer.away = httpx.ConnectError("no route")
    with pytest.raises(ProblemError) as caught:
        await introspector.verify(TOKEN)
    assert (caught.value.code, caught.value.retry_after) == (ProblemCode.BACKEND_UNREACHABLE, timedelta(seconds=1))
    assert introspector.cached(OTHER) is not None


async def test_nobody_waits_for_an_issuer_that_failed_five_times(
    introspector: Introspector, issuer: Issuer, clock: ManualClock
) -> None:
    """One question a second finds out whether it is back; the others get their 503 at once."""
    issuer.away = httpx.ConnectError("no route")
    for number in range(30):
        assert await code(introspector, f"opaque-token-number-{number}") is ProblemCode.BACKEND_UNREACHABLE
    assert len(issuer.asked) == 6  # five, and the first probe
    issuer.away = None
    await clock.advance(1)
    assert (await introspector.verify(TOKEN))[0].subject == "ada"
    assert (await introspector.verify(OTHER))[0].subject == "ada"


async def test_at_most_so_many_questions_are_out_at_once(
    client: httpx.AsyncClient, clock: ManualClock, issuer: Issuer
) -> None:
    """What comes beyond is answered 503 and not queued."""
    introspector = asking(client, clock, most_at_once=2)
    issuer.gate.clear()
    asked = [asyncio.create_task(introspector.verify(f"opaque-token-number-{number}")) for number in range(2)]
    await asyncio.sleep(0)
    assert await code(introspector) is ProblemCode.BACKEND_UNREACHABLE
    issuer.gate.set()
    await asyncio.gather(*asked)


async def test_a_slow_issuer_is_given_up(client: httpx.AsyncClient, clock: ManualClock, issuer: Issuer) -> None:
    """After its time-out, which here is none at all."""
    introspector = asking(client, clock, timeout=timedelta(milliseconds=1))
    issuer.gate.clear()
    assert await code(introspector) is ProblemCode.BACKEND_UNREACHABLE
    await introspector.close()
