"""Whatever callers, the backend and time do to a pool, in whatever order: a state machine.

The backend's side is in memory (``memory.py``): connections are admitted, answered and lost when the machine says so.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.backends.wire.pool import PoolPolicy, WirePool
from shared.errors import BackendUnreachable
from shared.testing.clock import ManualClock
from tests.shared.backends.raw import Inbox, http, request
from tests.shared.backends.wire.fuzzing import asked_for, heard_by, own, own_answer
from tests.shared.backends.wire.memory import MemoryLoop, Pipe

IDLE_S = 4.0
DAY = timedelta(days=1)  # the loop's own timers have no part in this


class Asker:
    """One caller. ``pipe`` is where its request stands unanswered, ``sent`` how often it was written."""

    def __init__(self, number: int, *, idempotent: bool) -> None:
        self.number = number
        self.idempotent = idempotent
        self.inbox = Inbox()
        self.exchange: Any = None
        self.pipe: Pipe | None = None
        self.sent = 0
        self.left = False
        self.failed = self.answered = False  # what it must hear
        self.closing = False  # whether its answer says close

    def rid_of_pipe(self) -> Pipe:
        """Return the pipe; the request stands there no longer."""
        pipe, self.pipe = self.pipe, None
        assert pipe is not None
        return pipe

    @property
    def over(self) -> bool:
        return self.left or bool(self.inbox.heard)


class Pooling(RuleBasedStateMachine):
    @initialize(limit=st.integers(1, 4))
    def begin(self, limit: int) -> None:
        self.limit = limit
        self.runner = asyncio.Runner(loop_factory=MemoryLoop)
        loop: Any = self.runner.get_loop()
        self.loop: MemoryLoop = loop
        self.loop.admit = self.admission
        self.loop.on_connected = lambda pipe: setattr(pipe, "on_sent", self.sent)
        self.clock = ManualClock(settling=self.loop.quiet)
        policy = PoolPolicy(max_connections=limit, connect_timeout=DAY, idle_timeout=timedelta(seconds=IDLE_S))
        self.pool = WirePool("raw", "http://127.0.0.1:9", policy, self.clock)
        self.askers: list[Asker] = []
        self.knocking: list[asyncio.Future[None]] = []
        self.served: set[Pipe] = set()  # have given a whole answer
        self.begun: dict[Pipe, int] = {}  # how much of an answer has come
        self.idle_since_s: dict[Pipe, float] = {}

    # The backend's side

    def admission(self) -> asyncio.Future[None]:
        self.knocking.append(self.loop.create_future())
        return self.knocking[-1]

    def sent(self, pipe: Pipe, raw: bytes) -> None:
        asker = self.askers[asked_for(raw)]
        assert not asker.over, "written for somebody who has gone"
        assert all(one.pipe is not pipe for one in self.askers if not one.over), "two requests on one connection"
        asker.pipe = pipe
        asker.sent += 1
        assert asker.sent <= 1 + asker.idempotent, "sent too often"
        # First come, first served: who is overtaken has a connection of its own on the way.
        overtaken = [one for one in self.askers[: asker.number] if not one.over and not one.sent]
        assert len(overtaken) <= len(self.doors()), "served out of turn"
        self.idle_since_s.pop(pipe, None)

    def open_pipes(self) -> list[Pipe]:
        return [pipe for pipe in self.loop.pipes if not pipe.closed]

    def under_way(self) -> list[Asker]:
        return [one for one in self.askers if not one.over and one.pipe is not None]

    def idle(self) -> list[Pipe]:
        busy = {one.pipe for one in self.under_way()}
        return [pipe for pipe in self.open_pipes() if pipe not in busy]

    def doors(self) -> list[asyncio.Future[None]]:
        self.knocking = [one for one in self.knocking if not one.done()]
        return self.knocking

    def do(self, happens: Callable[..., Any], *args: Any) -> None:
        """Let it happen where the loop runs, and everything that follows from it."""
        self.loop.call_soon(happens, *args)
        self.runner.run(self.loop.quiet())
        for pipe in self.idle():
            self.idle_since_s.setdefault(pipe, self.clock.now_s())

    # What callers do

    @rule(idempotent=st.booleans())
    def send(self, idempotent: bool) -> None:
        asker = Asker(len(self.askers), idempotent=idempotent)
        self.askers.append(asker)
        method = "GET" if idempotent else "POST"

        def go() -> None:
            asker.exchange = self.pool.send(request(method, f"/{asker.number}"), asker.inbox)

        self.do(go)

    @precondition(lambda self: any(not one.over for one in self.askers))
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        asker = data.draw(st.sampled_from([one for one in self.askers if not one.over]))
        asker.left = True

        self.do(asker.exchange.abort)
        assert asker.pipe is None or asker.pipe.closed, "what was given up may still be answered"
        self.do(asker.exchange.abort)  # twice is once

    # What the backend does

    @precondition(lambda self: self.doors())
    @rule(data=st.data())
    def admit(self, data: st.DataObject) -> None:
        self.do(data.draw(st.sampled_from(self.doors())).set_result, None)

    @precondition(lambda self: self.doors())
    @rule(data=st.data())
    def refuse(self, data: st.DataObject) -> None:
        before = sum(not one.over for one in self.askers)
        self.do(data.draw(st.sampled_from(self.doors())).set_exception, ConnectionRefusedError())
        told = [one for one in self.askers if one.inbox.heard and not one.answered and not one.failed]
        assert len(told) <= 1, "one refusal told to many"
        for one in told:
            assert not one.inbox.heard[0].sent or one.sent, "a request never written counts as sent"
            one.failed = True
        assert sum(not one.over for one in self.askers) == before - len(told)

    @precondition(lambda self: self.under_way())
    @rule(data=st.data(), closing=st.booleans(), behind=st.sampled_from([b"", b"", b"junk", http(own(999))]))
    def answer(self, data: st.DataObject, closing: bool, behind: bytes) -> None:
        asker = data.draw(st.sampled_from(self.under_way()))
        pipe = asker.rid_of_pipe()
        begun = self.begun.pop(pipe, 0)
        asker.closing = closing and not begun  # too late to say so
        raw = http(own(asker.number), *["connection: close"] * asker.closing)
        asker.answered = True
        self.served.add(pipe)
        self.do(pipe.feed, raw[begun:] + behind)
        assert pipe.closed or not (behind or asker.closing), "a connection in doubt is kept"

    @precondition(lambda self: self.under_way())
    @rule(data=st.data(), more=st.integers(1, 40))
    def answer_in_part(self, data: st.DataObject, more: int) -> None:
        asker = data.draw(st.sampled_from(self.under_way()))
        assert asker.pipe is not None
        raw, begun = http(own(asker.number)), self.begun.get(asker.pipe, 0)
        self.begun[asker.pipe] = min(begun + more, len(raw) - 1)
        self.do(asker.pipe.feed, raw[begun : self.begun[asker.pipe]])
        assert not asker.over

    @precondition(lambda self: self.under_way())
    @rule(data=st.data(), orderly=st.booleans())
    def fail(self, data: st.DataObject, orderly: bool) -> None:
        asker = data.draw(st.sampled_from(self.under_way()))
        pipe = asker.rid_of_pipe()
        stale = pipe in self.served and not self.begun.pop(pipe, 0)
        again = stale and asker.idempotent and asker.sent == 1
        asker.failed = not again
        self.do(pipe.hang_up if orderly else pipe.reset)
        assert asker.over != again, "sent again when it must not be, or not when it may"

    @precondition(lambda self: self.idle())
    @rule(data=st.data(), orderly=st.booleans())
    def close_idle(self, data: st.DataObject, orderly: bool) -> None:
        pipe = data.draw(st.sampled_from(self.idle()))
        self.do(pipe.hang_up if orderly else pipe.reset)

    @precondition(lambda self: self.idle())
    @rule(data=st.data())
    def speak_out_of_turn(self, data: st.DataObject) -> None:
        pipe = data.draw(st.sampled_from(self.idle()))
        self.do(pipe.feed, http(own(999)))
        assert pipe.closed, "a connection that nobody can trust is kept"

    @rule(seconds=st.sampled_from([0.1, 1.0, 3.9, 4.1, 9.0]))
    def time_passes(self, seconds: float) -> None:
        self.runner.run(self.clock.advance(seconds))

    # What always holds

    @invariant()
    def no_more_connections_than_the_limit(self) -> None:
        assert len(self.open_pipes()) + len(self.doors()) == self.pool.connections <= self.limit

    @invariant()
    def nobody_waits_while_there_is_room(self) -> None:
        waiting = [one for one in self.askers if not one.over and one.pipe is None]
        if len(waiting) > len(self.doors()):
            assert self.pool.connections == self.limit
            assert self.idle() == []
        assert self.pool.active >= len(waiting) + len(self.under_way())

    @invariant()
    def everybody_hears_their_own_once(self) -> None:
        for one in self.askers:
            heard = heard_by(one.inbox)
            if one.left:
                assert heard is None, "told after it left"
            elif one.answered:
                assert heard == own_answer(one.number, *[("connection", "close")] * one.closing)
            elif one.failed:
                assert heard is BackendUnreachable
            else:
                assert heard is None, "told though nothing came"

    @invariant()
    def idle_connections_go_in_time(self) -> None:
        now_s = self.clock.now_s()
        for pipe in self.idle():
            assert now_s - self.idle_since_s.setdefault(pipe, now_s) < IDLE_S + 0.1

    @invariant()
    def nothing_went_wrong_unseen(self) -> None:
        assert self.loop.errors == []

    def teardown(self) -> None:
        with self.runner:
            open_calls = [one for one in self.askers if not one.over]
            self.runner.run(self.pool.aclose())
            self.runner.run(self.loop.quiet())
            assert all(heard_by(one.inbox) is BackendUnreachable for one in open_calls), "left without a word"
            assert (self.pool.connections, self.pool.active, self.clock.pending) == (0, 0, 0)
            assert self.open_pipes() == []
            assert self.loop.errors == []
            assert asyncio.all_tasks(self.loop) == set()


TestPooling = Pooling.TestCase
TestPooling.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
