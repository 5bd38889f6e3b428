"""The store's client against real servers: values, scripts, many at once."""

import asyncio
import gc
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.store.address import read_address
from shared.store.command import Script
from shared.store.errors import StoreBusy, StoreRefused, StoreSkipped
from shared.store.store import Store
from shared.testing.clock import ManualClock
from tests.shared.store.memory import MemoryLines, memory_store
from tests.shared.store.servers import PATIENT, Server

MINUTE = timedelta(minutes=1)
COUNT = Script("return redis.call('INCRBY', KEYS[1], ARGV[1])", int)


async def test_what_was_put_comes_back_until_its_time_is_over(store: Store, server: Server) -> None:
    """Bytes in, bytes out; a key that is not there is None; every value has an end."""
    odd = bytes(range(256))

    assert await store.get(b"k") is None
    await store.put(b"k", odd, MINUTE)

    assert await store.get(b"k") == odd
    with server.client as client:
        assert 59_000 < client.pttl("k") <= 60_000
    assert await store.delete(b"k", b"other") == 1
    assert await store.get(b"k") is None


async def test_a_time_below_a_millisecond_still_is_one(store: Store) -> None:
    """PX 0 is an error to the server; a value that is over at once is none."""
    await store.put(b"k", b"v", timedelta(microseconds=1))

    assert store.outcomes == {"answered": 1}


async def test_a_script_runs_on_a_server_that_never_saw_it(store: Store, server: Server) -> None:
    """By its name; the whole text goes along only where that name means nothing, and nothing runs twice."""
    assert [await store.run(COUNT, [b"n"], [2]) for _ in range(3)] == [2, 4, 6]

    with server.client as client:
        client.script_flush()
    assert await store.run(COUNT, [b"n"], [2]) == 8


async def test_scripts_of_one_moment_share_a_round_trip(store: Store, server: Server) -> None:
    """A hundred runs at once are a few reads of the server, and each gets its own answer."""
    await store.run(COUNT, [b"n"], [0])
    with server.client as client:
        before = client.info("stats")["total_reads_processed"]

    answers = await asyncio.gather(*[store.run(COUNT, [b"n"], [1]) for _ in range(100)])

    assert sorted(answers) == list(range(1, 101))
    with server.client as client:
        assert client.info("stats")["total_reads_processed"] - before < 20


async def test_an_error_is_the_askers_own(store: Store) -> None:
    """WRONGTYPE for one, values for the others of the same exchange; the text, which may quote a key, stays behind."""
    await store.put(b"text", b"secret", MINUTE)

    wrong, right = store.run(COUNT, [b"text"], [1]), store.get(b"text")

    assert await right == b"secret"
    with pytest.raises(StoreRefused) as refused:
        await wrong
    assert "secret" not in str(refused.value)
    assert "text" not in str(refused.value)
    assert store.up


async def test_a_reply_that_does_not_fit_is_no_answer(store: Store) -> None:
    """A reader's exception reaches its asker as StoreRefused, and nobody else."""
    misread = Script("return 'seven'", int)

    wrong, right = store.run(misread, [], []), store.get(b"k")

    assert await right is None
    with pytest.raises(StoreRefused, match="ValueError"):
        await wrong


async def test_connections_are_few_however_many_ask(server: Server) -> None:
    """A thousand questions, two connections."""
    store = Store.open(read_address(server.url), policy=replace(PATIENT, connections=2))
    with server.client as client:
        before = client.info("stats")["total_connections_received"]

    await asyncio.gather(*[store.get(b"%d" % index) for index in range(1_000)])

    with server.client as client:
        assert client.info("stats")["total_connections_received"] - before <= 3  # and the one that asks this
    await store.aclose()


async def test_past_its_bound_nothing_waits(server: Server) -> None:
    """The eleventh is told at once, and the ten are answered."""
    store = Store.open(read_address(server.url), policy=replace(PATIENT, most_waiting=10))
    waiting = [store.get(b"k") for _ in range(10)]

    with pytest.raises(StoreBusy):
        store.get(b"k")

    assert await asyncio.gather(*waiting) == [None] * 10
    assert store.outcomes == {"answered": 10, "busy": 1}
    await store.aclose()


async def test_closing_leaves_nobody_waiting(server: Server) -> None:
    """Whoever waits is told; whoever asks later, too; no connection and no task is left."""
    store = Store.open(read_address(server.url), policy=PATIENT)
    waiting = [store.get(b"k") for _ in range(100)]

    await store.aclose()

    assert {type(one.exception()) for one in waiting} == {StoreSkipped}
    with pytest.raises(StoreSkipped):
        store.get(b"k")


async def test_a_failure_that_nobody_waits_for_makes_no_noise(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever left, or never waited, is counted; the loop has nothing to complain of."""
    clock = ManualClock()
    lines = MemoryLines(clock)
    lines.down = True
    store = memory_store(lines)
    store.warm()
    _ = store.get(b"k")
    await clock.advance(0.01)
    del _
    gc.collect()

    assert store.outcomes == {"unreachable": 2}
    assert caplog.records == []
    await store.aclose()
