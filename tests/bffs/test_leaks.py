"""Whatever a BFF remembers or shares, it never gives to another identity (field case A7).

The calls are found, not listed: every ``Call`` in every module of a BFF. Each meets every way in which one caller's
answer could reach another: as it is declared, and as generously cached as it ever could be; within one process, and
between two that share a store. That the test can see a leak is itself tested: with the identity taken out of the key,
every way leaks.
"""

import asyncio
import importlib
import json
import pkgutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from shared.backends.backend import AnyCall, Call, KeyOf
from shared.backends.cache import CachePolicy, CallKey
from shared.backends.channel import OutboundRequest, PlainReply, Receiver
from shared.backends.fanout import Caller
from shared.backends.sections import Section, Sections, nullable
from shared.testing.clock import settle
from shared.testing.scripted import ScriptedExchange
from tests.shared.backends.replicas import Replicas

BFFS = ("bffs.mobile", "bffs.web")
HOUR = timedelta(hours=1)
ALICE, BOB = Caller(scope="app\nu-1", authorization="Bearer a"), Caller(scope="app\nu-2", authorization="Bearer b")
# A backend that says the most that can be said for sharing.
SHARE = {"cache-control": "public, max-age=60, s-maxage=60"}


def modules(package: str) -> Iterator[ModuleType]:
    """Every module of a BFF."""
    root = importlib.import_module(package)
    yield root
    for found in pkgutil.walk_packages(root.__path__, f"{package}."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def calls_in(found: Iterator[ModuleType]) -> dict[str, AnyCall]:
    """Every call that may be remembered or shared, by the place of its declaration."""
    values = [(f"{one.__name__}.{name}", value) for one in found for name, value in vars(one).items()]
    sections = [
        (f"{place}.{section.attribute}", section)
        for place, value in values
        if isinstance(value, type) and issubclass(value, Sections)
        for section in value.declared
    ]
    declared = [(place, value) for place, value in values if isinstance(value, Call)]
    declared += [(place, section.call) for place, section in sections]
    late = {section.call for _, section in sections if section.stale_for}
    calls = {
        id(call): (place, call) for place, call in reversed(declared) if call.cache or call.coalesce or call in late
    }
    assert calls, "no remembered or shared call was found: this test would pass on anything"
    return dict(calls.values())


CALLS = {place: call for bff in BFFS for place, call in calls_in(modules(bff)).items()}
PRIVATE = {place: call for place, call in CALLS.items() if not call.public}


class Mirror:
    """A backend that answers with who asked, or 304 to whoever knows an ETag, or not at all."""

    clock: Any = None

    def __init__(self) -> None:
        self.asker = ""
        self.down = False
        self.headers: dict[str, str] = {}
        self.exchanges: list[ScriptedExchange] = []

    def send(self, request: OutboundRequest, receiver: Receiver) -> ScriptedExchange:
        exchange, body, code = ScriptedExchange(), json.dumps(self.asker).encode(), 500 if self.down else 200
        if any(name.startswith("if-") for name, _ in request.headers):
            code, body = 304, b""
        answer = PlainReply(code, body, tuple(self.headers.items()))

        def play() -> None:
            exchange.over = True
            receiver.replied(answer)

        exchange.timer = self.clock.call_later(0.1, play)
        self.exchanges.append(exchange)
        return exchange

    async def aclose(self) -> None: ...


class Stage:
    """One call, one backend, two callers who ask for exactly the same: one process, or one each and a shared store."""

    def __init__(self, section: Section[Any], key_of: KeyOf, *, apart: bool) -> None:
        self.page = type("Page", (Sections,), {"it": section})
        self.call = section.call
        self.backend = Mirror()
        channels: Any = {section.call.backend: self.backend}  # as good as scripted
        both = Replicas(channels, channels)
        self.clock = both.clock
        self.worlds = {ALICE: both.here, BOB: both.there if apart else both.here}
        for world in (both.here, both.there):
            world.backends.key_of = key_of
            if not apart:
                world.backends.stored = None

    def start(self, caller: Caller) -> asyncio.Future[Any]:
        same = dict.fromkeys(self.call.parameters, "same")
        return asyncio.ensure_future(self.worlds[caller].fetch(self.page, caller, **same))

    async def ask(self, caller: Caller) -> str | None:
        self.backend.asker = caller.scope
        asked = self.start(caller)
        await self.clock.advance(1)
        return asked.result().it


async def fresh(on: Stage) -> str | None:
    """Alice's answer is still fresh when Bob asks."""
    on.backend.headers = SHARE
    await on.ask(ALICE)
    return await on.ask(BOB)


async def in_flight(on: Stage) -> str | None:
    """Alice's call is under way when Bob asks."""
    on.backend.asker = ALICE.scope
    first = on.start(ALICE)
    await settle()
    got = await on.ask(BOB)
    assert first.result().it == ALICE.scope
    return got


async def when_down(on: Stage) -> str | None:
    """The backend is down when Bob asks."""
    await on.ask(ALICE)
    on.backend.down = True
    return await on.ask(BOB)


async def revalidated(on: Stage) -> str | None:
    """Alice's answer may be asked about by its ETag when Bob asks."""
    on.backend.headers = {"cache-control": "max-age=1", "etag": '"1"'}
    await on.ask(ALICE)
    await on.clock.advance(5)
    return await on.ask(BOB)


async def while_renewed(on: Stage) -> str | None:
    """Alice's answer is stale, and may be given while it is renewed, when Bob asks."""
    on.backend.headers = {"cache-control": "max-age=1"}
    await on.ask(ALICE)
    await on.clock.advance(5)
    return await on.ask(BOB)


Way = Callable[[Stage], Awaitable[str | None]]
WAYS: tuple[Way, ...] = (fresh, in_flight, when_down, revalidated, while_renewed)
# What is under way is shared within a process only.
WAYS_BETWEEN: tuple[Way, ...] = (fresh, when_down, revalidated, while_renewed)
EVERY_WAY = {way.__name__ for way in WAYS} | {f"{way.__name__} elsewhere" for way in WAYS_BETWEEN}


async def leaks(call: AnyCall, stale_for: timedelta | None, key_of: KeyOf = Call.key) -> set[str]:
    """Return the ways in which Bob gets Alice's answer to this call, here or ``elsewhere``."""
    any_json = replace(call, decode=json.loads)

    async def leaking(ways: tuple[Way, ...], *, apart: bool) -> list[str]:
        stages = [(way, Stage(nullable(any_json, stale_for=stale_for), key_of, apart=apart)) for way in ways]
        return [way.__name__ for way, stage in stages if await way(stage) == ALICE.scope]

    elsewhere = [f"{way} elsewhere" for way in await leaking(WAYS_BETWEEN, apart=True)]
    return {*await leaking(WAYS, apart=False), *elsewhere}


def generous(call: AnyCall, **how: Any) -> AnyCall:
    """Return the call, remembered and shared as much as can be declared."""
    return replace(call, cache=CachePolicy(while_revalidate=HOUR), coalesce=True, **how)


def without_identity(call: AnyCall, target: str, scope: str, authorization: str | None) -> CallKey:
    """The mistake that this file is about."""
    return call.key(target, "everybody", None)


@pytest.mark.parametrize("bff", BFFS)
def test_every_bff_has_calls_that_this_file_judges(bff: str) -> None:
    """Found by looking; a module that hides its calls hides them from nobody."""
    assert {place for place in CALLS if place.startswith(bff)}


def test_finding_no_call_is_a_failure() -> None:
    """Else the day when calls are declared in another way, everything passes."""
    with pytest.raises(AssertionError, match="no remembered or shared call"):
        calls_in(iter([importlib.import_module("bffs.mobile.settings")]))


@pytest.mark.parametrize("place", PRIVATE)
async def test_case_a7_nobody_gets_anothers_answer(place: str) -> None:
    """As declared, and as generously as could be: fresh, in flight, stale, revalidated, renewed; here and elsewhere."""
    assert await leaks(CALLS[place], None) == set()
    assert await leaks(generous(CALLS[place]), HOUR) == set()


@pytest.mark.parametrize("place", PRIVATE)
async def test_without_the_identity_in_the_key_every_way_leaks(place: str) -> None:
    """So that the test above is known to see what it looks for."""
    assert await leaks(generous(CALLS[place]), HOUR, without_identity) == EVERY_WAY
    if CALLS[place].coalesce:
        assert "in_flight" in await leaks(CALLS[place], None, without_identity)


@pytest.mark.parametrize("place", PRIVATE)
async def test_a_public_declaration_would_share_it(place: str) -> None:
    """What keeps it private is the declaration alone: changing it is a change of who may read it."""
    if CALLS[place].backend.credentials:
        with pytest.raises(TypeError, match="cannot be public"):
            generous(CALLS[place], public=True)
    else:
        assert {"fresh", "fresh elsewhere"} <= await leaks(generous(CALLS[place], public=True), None)
