"""Whatever is asked, answered and forgotten, in whatever order: a state machine of the response cache.

The model is a list of every answer a backend gave. Whatever a caller gets must be one of these: given to that very
caller, and young enough by the words it came with.
"""

import asyncio
from datetime import timedelta
from typing import Any, NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shared.backends.cache import CacheBounds, CachePolicy, ResponseCache
from shared.backends.channel import OutboundRequest, PlainReply, Receiver
from shared.backends.fanout import Caller
from shared.backends.sections import Sections, nullable
from shared.errors import Source
from shared.resilience.retry import RetryPolicy
from shared.testing.clock import ManualClock
from shared.testing.scripted import ScriptedExchange
from tests.shared.backends.screen import Item, World, backend

ITEMS = backend("items", retry=RetryPolicy(max_attempts=1))
WINDOW_S, STALE_S = 5.0, 30.0
BOUNDS = CacheBounds(max_entries=4, max_bytes=12_000)


class Page(Sections):
    item = nullable(
        ITEMS.get("/items/{n}", into=Item, cache=CachePolicy(while_revalidate=timedelta(seconds=WINDOW_S))),
        stale_for=timedelta(seconds=STALE_S),
    )


class Given(NamedTuple):
    """One answer of the backend, and when it was last said to hold."""

    caller: int
    target: int
    lifetime_s: int
    strict: bool
    kept: bool
    at_s: float


class Oracle:
    """A backend that numbers its answers and remembers to whom it gave which."""

    clock: Any = None

    def __init__(self) -> None:
        self.caller = 0
        self.target = 0
        self.words = ("max-age=10", 10, False, True)
        self.etag = False
        self.down = False
        self.given: list[Given] = []
        self.current: dict[tuple[int, int], int] = {}

    def send(self, request: OutboundRequest, receiver: Receiver) -> ScriptedExchange:
        exchange = ScriptedExchange()
        exchange.timer = self.clock.call_later(0, lambda: self._answer(request, receiver, exchange))
        return exchange

    def _answer(self, request: OutboundRequest, receiver: Receiver, exchange: ScriptedExchange) -> None:
        exchange.over = True
        if self.down:
            receiver.replied(PlainReply(500, b"", (("cache-control", "max-age=60"),)))
            return
        control, lifetime_s, strict, kept = self.words
        who = (self.caller, self.target)
        asked = dict(request.headers).get("if-none-match")
        known = self.current.get(who)
        headers = [("cache-control", control)]
        if asked is not None:
            assert known is not None, "asked about an ETag that this caller was never given"
            assert asked == f'"{known}"'
            self.given[known] = Given(*who, lifetime_s, strict, kept, self.clock.now_s())
            receiver.replied(PlainReply(304, b"", tuple(headers)))
            return
        number = len(self.given)
        self.given.append(Given(*who, lifetime_s, strict, kept, self.clock.now_s()))
        if self.etag:
            self.current[who] = number
            headers.append(("etag", f'"{number}"'))
        receiver.replied(PlainReply(200, b'{"id": %d}' % number, tuple(headers)))

    async def aclose(self) -> None: ...


WORDS = st.sampled_from([
    ("max-age=10", 10, False, True),
    ("max-age=10, must-revalidate", 10, True, True),
    ("no-cache", 0, True, True),
    ("no-store", 0, True, False),
    ("", 0, False, True),
])  # fmt: skip


class Caching(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.clock = ManualClock()
        self.oracle = Oracle()
        self.world = World({ITEMS: self.oracle}, self.clock)  # type: ignore[dict-item]  # as good as scripted
        self.cache = self.world.backends.cache = ResponseCache(self.clock, BOUNDS)

    @rule(words=WORDS, etag=st.booleans(), down=st.sampled_from([False, False, True]))
    def the_backend_changes(self, words: tuple[str, int, bool, bool], etag: bool, down: bool) -> None:
        self.oracle.words, self.oracle.etag, self.oracle.down = words, etag, down

    @rule(
        seconds=st.sampled_from([0, 1, 4, 11, 13, 30]),
        caller=st.sampled_from([0, 0, 1]),
        path=st.sampled_from([0, 0, 0, 1, 2]),
    )
    def time_passes_and_somebody_asks(self, seconds: int, caller: int, path: int) -> None:
        self.runner.run(self.clock.advance(seconds))
        self.oracle.caller, self.oracle.target = caller, path
        before = len(self.oracle.given)
        task = self.world.run(Page, Caller(scope=f"scope {caller}"), n=str(path))
        got = self.runner.run(task)
        served = self.world.ledger.sections[0].served
        self.runner.run(self.clock.advance(0.5))  # a renewal behind it ends
        if got.item is None:
            assert self.oracle.down
            return
        given = self.oracle.given[got.item.id]
        assert (given.caller, given.target) == (caller, path)
        age_s = self.clock.now_s() - 0.5 - given.at_s
        if got.degraded:
            assert got.degraded[0].source is Source.STALE
            assert age_s <= STALE_S
            assert not given.strict or age_s <= given.lifetime_s
            assert given.kept
        elif served == "remembered":
            assert age_s < given.lifetime_s
        elif served == "renewing":
            renewed = age_s < 0.5  # by a 304, behind this answer
            assert renewed or (not given.strict and age_s < given.lifetime_s + WINDOW_S)
        else:
            assert got.item.id >= before or age_s < 0.5

    @invariant()
    def it_stays_within_its_bounds(self) -> None:
        assert len(self.cache) <= BOUNDS.max_entries
        assert 0 <= self.cache.bytes <= BOUNDS.max_bytes
        assert (self.cache.bytes == 0) == (len(self.cache) == 0)

    @invariant()
    def what_must_not_be_stored_is_not(self) -> None:
        assert all("no-store" not in one.headers["cache-control"] for one in self.cache._entries.values())

    def teardown(self) -> None:
        with self.runner:
            self.runner.run(self.clock.advance(5))
            assert self.world.backends.renewals == {}
            assert self.world.backends.state(ITEMS).bulkhead.in_flight == 0
            assert self.clock.pending == 0


TestCaching = Caching.TestCase
TestCaching.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
