"""The limit, the queue behind it, and idle connections."""

from datetime import timedelta

from shared.backends.wire.pool import PoolPolicy, WirePool
from shared.clock import LoopClock
from shared.errors import BackendUnreachable
from shared.testing.clock import ManualClock
from tests.shared.backends.raw import (
    OK,
    Inbox,
    Line,
    RawBackend,
    answers,
    ask,
    never_answers,
    request,
    until,
)
from tests.shared.backends.wire.pools import pool_for, slow_to_accept, status_of


async def test_no_more_connections_than_the_limit_and_the_others_wait_their_turn() -> None:
    """Forty calls over four connections, first come first served: on no connection does a later one go before."""
    asked: dict[Line, list[int]] = {}

    async def script(line: Line) -> None:
        while (sent := await line.request()) is not None:
            asked.setdefault(line, []).append(int(sent.split()[1][1:]))
            await line.write(OK)

    async with RawBackend(script) as backend, pool_for(backend, max_connections=4) as pool:
        inboxes = [Inbox() for _ in range(40)]
        for number, inbox in enumerate(inboxes):
            pool.send(request(target=f"/{number}"), inbox)
        assert (pool.connections, pool.active) == (4, 40)

        assert [status_of(await inbox.outcome()) for inbox in inboxes] == [200] * 40
        assert (backend.accepted, pool.connections, pool.active) == (4, 4, 0)

    assert sorted(number for numbers in asked.values() for number in numbers) == list(range(40))
    assert all(numbers == sorted(numbers) for numbers in asked.values())


async def test_a_waiting_call_that_is_given_up_is_never_sent() -> None:
    """And takes no turn from those behind it."""
    async with RawBackend(never_answers) as backend, pool_for(backend, max_connections=1) as pool:
        first, given_up, last = Inbox(), Inbox(), Inbox()
        holding = pool.send(request(target="/first"), first)
        waiting = pool.send(request(target="/given-up"), given_up)
        pool.send(request(target="/last"), last)
        await until(lambda: len(backend.requests) == 1, "the first is under way")

        waiting.abort()
        backend.script = answers(OK)
        holding.abort()

        assert status_of(await last.outcome()) == 200
        assert [sent.split()[1] for sent in backend.requests] == [b"/first", b"/last"]
        assert first.heard == given_up.heard == []


async def test_a_failed_connect_hands_its_turn_on() -> None:
    """Those who wait behind it hear of their own connect, not silence."""
    async with RawBackend(answers(OK)) as gone:
        pass
    pool = WirePool("raw", gone.url, PoolPolicy(max_connections=1), LoopClock())
    inboxes = [Inbox() for _ in range(5)]
    for inbox in inboxes:
        pool.send(request(), inbox)

    outcomes = [await inbox.outcome() for inbox in inboxes]

    assert all(isinstance(one, BackendUnreachable) and not one.sent for one in outcomes)
    assert (pool.connections, pool.active) == (0, 0)


async def test_a_connect_that_takes_too_long_fails() -> None:
    """Unreachable, nothing sent, slot free."""
    async with slow_to_accept() as url:
        policy = PoolPolicy(connect_timeout=timedelta(milliseconds=50))
        pool = WirePool("raw", url, policy, LoopClock())

        outcome = await ask(pool)

        assert isinstance(outcome, BackendUnreachable)
        assert not outcome.sent
        assert (pool.connections, pool.active) == (0, 0)


async def test_idle_connections_are_closed_before_the_backend_would() -> None:
    """On our clock, and without a call to trigger it."""
    clock = ManualClock()
    async with RawBackend(answers(OK)) as backend:
        async with pool_for(backend, clock, idle_timeout=timedelta(seconds=4)) as pool:
            await ask(pool)
            await clock.advance(3.9)
            assert pool.connections == 1

            await clock.advance(4.2)

            assert pool.connections == 0
            await until(lambda: backend.open == 0, "the backend saw it close")
        assert clock.pending == 0


async def test_a_connection_idle_too_long_is_not_used_though_nobody_has_closed_it_yet() -> None:
    """The moment of use decides, not the reaper's."""
    clock = ManualClock()
    async with RawBackend(answers(OK)) as backend:
        async with pool_for(backend, clock, idle_timeout=timedelta(seconds=4)) as pool:
            await ask(pool)
            clock._now_s += 4.5  # time passes, and no timer has had its turn

            assert status_of(await ask(pool)) == 200
            assert (backend.accepted, pool.connections) == (2, 1)
        assert clock.pending == 0, "a closed pool leaves no timer"


async def test_an_idle_connection_that_the_backend_closes_is_forgotten() -> None:
    """Its slot is free without a call."""

    async def script(line: Line) -> None:
        await line.request()
        await line.write(OK)

    async with RawBackend(script) as backend, pool_for(backend) as pool:
        await ask(pool)
        await until(lambda: pool.connections == 0, "the pool noticed")
