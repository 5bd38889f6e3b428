"""A write is executed once for each key of its user, by a real store that may be slow, gone, or come back."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from shared.errors import ProblemCode, ProblemError
from shared.idempotency.claims import KEPT, LEASE, Claims, Standing
from shared.idempotency.once import Answer, Once, Write
from shared.store.address import read_address
from shared.store.store import Store, StorePolicy
from tests.shared.store.proxy import Proxy
from tests.shared.store.servers import KINDS, PATIENT, Server, serving

WRITE = Write("key-1", "u-1", "order again", b'{"repeats":"7"}')
MADE = Answer(201, b'{"id":"9"}', "/orders/9")


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(request.param) as running:
        yield running


@pytest.fixture
async def store(server: Server) -> AsyncIterator[Store]:
    with server.client as client:
        client.flushall()
    opened = Store.open(read_address(server.url), policy=PATIENT)
    yield opened
    await opened.aclose()


class Executions:
    """Counts, and may be held up or told to fail."""

    def __init__(self, answer: Answer | Exception = MADE) -> None:
        self.answer = answer
        self.keys: list[str] = []
        self.began = asyncio.Event()
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def __call__(self, key: str) -> Answer:
        self.keys.append(key)
        self.began.set()
        await self.goes_on.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def refusal(once: Once, write: Write, execute: Executions) -> ProblemCode:
    """Return the code that a write is refused with."""
    with pytest.raises(ProblemError) as refused:
        await once(write, execute)
    return refused.value.code


async def test_it_is_executed_once_and_answered_the_same(store: Store) -> None:
    """By any replica; the second time says so."""
    execute, first, second = Executions(), Once(store, "shop"), Once(store, "shop")

    assert await first(WRITE, execute) == MADE
    assert await second(WRITE, execute) == MADE._replace(replayed=True)
    assert len(execute.keys) == 1


async def test_keys_are_each_users_own(store: Store) -> None:
    """And each service's; the key that backends get tells nobody's."""
    execute = Executions()
    for once, write in (
        (Once(store, "shop"), WRITE),
        (Once(store, "shop"), WRITE._replace(user="u-2")),
        (Once(store, "shop"), WRITE._replace(key="key-2")),
        (Once(store, "other"), WRITE),
    ):
        assert not (await once(write, execute)).replayed

    assert len(execute.keys) == 4
    assert len(set(execute.keys)) == 3  # of another service's backends nobody keeps ours apart
    assert not any("u-1" in key or "key-1" in key for key in execute.keys)


async def test_another_request_under_the_same_key_is_refused(store: Store) -> None:
    """Another body or another operation: 422, before and after the first one is done, and for as long as it is kept."""
    once, execute = Once(store, "shop"), Executions()
    for other in (WRITE._replace(said=b"{}"), WRITE._replace(operation="cancel")):
        await once(WRITE, execute)
        assert await refusal(once, other, execute) is ProblemCode.IDEMPOTENCY_KEY_REUSED
    failing = Executions(ProblemError(ProblemCode.BACKEND_FAULTED))
    undone = WRITE._replace(key="key-9")
    assert await refusal(once, undone, failing) is ProblemCode.BACKEND_FAULTED
    assert await refusal(once, undone._replace(said=b"{}"), failing) is ProblemCode.IDEMPOTENCY_KEY_REUSED
    assert len(execute.keys) + len(failing.keys) == 2


async def test_of_many_at_once_one_executes(store: Store) -> None:
    """The others are told to come again; afterwards they get the answer."""
    once, execute = Once(store, "shop"), Executions()
    execute.goes_on.clear()
    running = asyncio.create_task(once(WRITE, execute))
    await execute.began.wait()

    with pytest.raises(ProblemError) as told:
        await once(WRITE, execute)
    assert told.value.code is ProblemCode.CONFLICT
    assert timedelta(0) < (told.value.retry_after or timedelta(0)) <= LEASE
    outcomes = await asyncio.gather(*(refusal(Once(store, "shop"), WRITE, execute) for _ in range(20)))
    assert set(outcomes) == {ProblemCode.CONFLICT}

    execute.goes_on.set()
    assert await running == MADE
    assert (await once(WRITE, execute)).replayed
    assert len(execute.keys) == 1


@pytest.mark.parametrize("way", ["fails", "is cancelled"])
async def test_what_went_wrong_is_not_kept(store: Store, way: str) -> None:
    """The next try executes at once, and its backends get the same key."""
    once, execute = Once(store, "shop"), Executions(ProblemError(ProblemCode.DEADLINE_EXCEEDED))
    if way == "fails":
        assert await refusal(once, WRITE, execute) is ProblemCode.DEADLINE_EXCEEDED
    else:
        execute.goes_on.clear()
        running = asyncio.create_task(once(WRITE, execute))
        await execute.began.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    execute.answer = MADE
    execute.goes_on.set()

    assert await once(WRITE, execute) == MADE
    assert len(execute.keys) == 2
    assert len(set(execute.keys)) == 1


async def test_a_process_that_died_holds_up_nobody_for_long(store: Store, server: Server) -> None:
    """Its claim ends by itself; then the next one executes, and what the dead one would write late is not written."""
    claims = Claims(store, "shop")
    await claims.claim(WRITE.name, WRITE.digest, "dead")
    with server.client as client:
        (key,) = client.keys("*")
        assert LEASE < timedelta(seconds=client.ttl(key)) <= KEPT
        client.hset(key, "until", int(client.time()[0]) * 1000 - 1)  # ten seconds later

    execute = Executions()
    assert await Once(store, "shop")(WRITE, execute) == MADE
    assert not await claims.finish(WRITE.name, "dead", b"late")
    claims.release(WRITE.name, "dead")
    assert (await Once(store, "shop")(WRITE, execute)).replayed


async def test_an_answer_is_kept_for_a_day(store: Store, server: Server) -> None:
    """And the key in the store names nobody."""
    await Once(store, "shop")(WRITE, Executions())
    with server.client as client:
        (key,) = client.keys("*")
        left = timedelta(seconds=client.ttl(key))

    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    assert key.startswith(b"frontage:shop:once:1:")
    assert b"u-1" not in key
    assert b"key-1" not in key


async def test_without_a_store_nothing_is_executed() -> None:
    """503, with when to come again."""
    execute = Executions()

    assert await refusal(Once(None, "shop"), WRITE, execute) is ProblemCode.BACKEND_UNREACHABLE
    assert execute.keys == []


async def test_while_the_store_is_away_nothing_is_executed_twice(server: Server) -> None:
    """Refused, silent, back again: nothing is executed that cannot be recorded; what was, is answered as before."""
    proxy = Proxy(server.port)
    await proxy.listen()
    policy = StorePolicy(answer_within=timedelta(milliseconds=250))
    store = Store.open(read_address(proxy.url), policy=policy)
    once, execute = Once(store, "away"), Executions()
    try:
        assert await once(WRITE, execute) == MADE
        proxy.speaks.clear()
        for _ in range(5):
            assert await refusal(once, WRITE, execute) is ProblemCode.BACKEND_UNREACHABLE
        other = WRITE._replace(key="key-2")
        assert await refusal(once, other, execute) is ProblemCode.BACKEND_UNREACHABLE
        assert len(execute.keys) == 1

        proxy.speaks.set()
        async with asyncio.timeout(10):
            while not store.up:  # noqa: ASYNC110 - a probe of its own ends it
                await asyncio.sleep(0.01)
        assert (await once(WRITE, execute)).replayed
        assert len(execute.keys) == 1
    finally:
        await store.aclose()
        await proxy.refuse()


async def test_an_answer_that_could_not_be_kept_is_given_all_the_same(server: Server) -> None:
    """The store goes away while the write is executed: the client hears what came of it."""
    proxy = Proxy(server.port)
    await proxy.listen()
    store = Store.open(read_address(proxy.url), policy=StorePolicy(answer_within=timedelta(milliseconds=250)))
    execute = Executions()
    execute.goes_on.clear()
    try:
        running = asyncio.create_task(Once(store, "gone")(WRITE, execute))
        await execute.began.wait()
        await proxy.refuse()
        execute.goes_on.set()
        assert await running == MADE
    finally:
        await store.aclose()
    with server.client as client:
        (key,) = client.keys("frontage:gone:*")
        assert client.hget(key, "answer") is None  # the lease ends, then backends that know the key answer again


def test_the_standings_are_the_scripts() -> None:
    """No word of the script is unknown here."""
    assert {one.value for one in Standing} == {"mine", "busy", "done", "other"}
