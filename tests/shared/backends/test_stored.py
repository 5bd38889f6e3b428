"""The cache's second level: fresh answers and stand-ins across processes, and nothing of it ever in the way."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.backends.backend import Backend
from shared.backends.behind import BehindPolicy
from shared.backends.cache import CachePolicy
from shared.backends.envelope import Envelope, name_of, pack
from shared.backends.sections import Sections, nullable, required
from shared.backends.stored import StoredPolicy
from shared.errors import Reason, Source
from shared.resilience.retry import RetryPolicy
from shared.testing.scripted import Scripted, Step, broken, hang, reply, status
from tests.shared.backends.replicas import Replicas
from tests.shared.backends.screen import BOB, Item, World, backend

ITEMS = backend("items", retry=RetryPolicy(max_attempts=1))
PROFILE = ITEMS.get("/items/{user}", into=Item, cache=CachePolicy())
HOUR = timedelta(hours=1)
MINUTE = (("cache-control", "max-age=60"),)


class Fresh(Sections):
    item = required(PROFILE)


class Stale(Sections):
    item = nullable(ITEMS.get("/items/{user}", into=Item), stale_for=HOUR)


class Both(Sections):
    item = nullable(PROFILE, stale_for=HOUR)


def pair(here: Step, there: Step, policy: StoredPolicy | None = None) -> tuple[Replicas, Scripted, Scripted]:
    ours, theirs = Scripted(here), Scripted(there)
    return Replicas({ITEMS: ours}, {ITEMS: theirs}, policy), ours, theirs


def served(world: World) -> str:
    return world.ledger.sections[0].served


async def test_what_one_process_was_answered_another_need_not_ask() -> None:
    """Within its freshness; with its age; and from then on out of its own memory."""
    both, _, theirs = pair(reply({"id": 1}, headers=MINUTE), hang())
    await both.warm(Fresh, user="u")
    await both.clock.advance(30)

    got = await both.there.run(Fresh, user="u")

    assert (got.item.id, theirs.requests, served(both.there)) == (1, [], "stored")
    assert (await both.there.run(Fresh, user="u")).item.id == 1
    assert served(both.there) == "remembered"
    assert both.counts(both.there) == {"hit": 1}
    both.there.assert_nothing_left()


async def test_freshness_goes_on_counting_in_the_store() -> None:
    """What was 59 s old there is not fresh for another minute here."""
    both, _, theirs = pair(reply({"id": 1}, headers=MINUTE), reply({"id": 2}, headers=MINUTE))
    await both.warm(Fresh, user="u")
    await both.clock.advance(59)
    assert (await both.there.run(Fresh, user="u")).item.id == 1

    await both.clock.advance(2)

    assert (await both.there.run(Fresh, user="u")).item.id == 2
    assert len(theirs.requests) == 1


async def test_age_that_the_backend_told_counts_too() -> None:
    """An answer that came 50 s old is over 10 s later, wherever."""
    both, _, _ = pair(reply({"id": 1}, headers=(*MINUTE, ("age", "50"))), reply({"id": 2}))
    await both.warm(Fresh, user="u")
    await both.clock.advance(11)

    assert (await both.there.run(Fresh, user="u")).item.id == 2


@pytest.mark.parametrize("screen", [Stale, Both])
@pytest.mark.parametrize("trouble", [broken(), status(503), status(500).after(0.2), hang()])
async def test_a_process_that_never_saw_an_answer_shows_an_older_one(screen: Any, trouble: Step) -> None:
    """The stand-in comes out of the store, with its age, however quickly or slowly the call fails."""
    both, _, theirs = pair(reply({"id": 1}), trouble)
    await both.warm(screen, user="u")
    await both.clock.advance(12)

    got = await both.there.run(screen, user="u")

    (gap,) = got.degraded
    assert (got.item.id, gap.source, gap.age_seconds) == (1, Source.STALE, 12)
    assert len(theirs.requests) == 1
    both.there.assert_nothing_left()


async def test_a_rejected_call_finds_its_stand_in_too() -> None:
    """No permit, so nothing is sent, and the failure is there before the store can answer: it waits for it."""
    both, _, theirs = pair(reply({"id": 1}), reply({"id": 2}))
    await both.warm(Stale, user="u")
    both.there.backends.state(ITEMS).bulkhead.resize(0)

    got = await both.there.run(Stale, user="u")

    assert (got.item.id, got.degraded[0].reason, theirs.requests) == (1, Reason.REJECTED, [])


async def test_a_call_that_is_never_fresh_does_not_wait_for_the_store() -> None:
    """The request is out while the store is still asked; a good answer does not wait either."""
    both, _, _ = pair(reply({"id": 1}), reply({"id": 2}))
    both.lines.takes_s = 0.04
    before = both.clock.now_s()

    got = await both.there.run(Stale, user="u")

    assert (got.item.id, both.clock.now_s() - before) == (2, 0.0)


async def test_what_is_known_here_is_not_asked_for_there() -> None:
    """A stand-in in memory is enough; the store sees no question."""
    both, ours, _ = pair(reply({"id": 1}), hang())
    await both.warm(Stale, user="u")
    asked = len(both.lines.asked)

    await both.here.run(Stale, user="u")

    assert both.lines.named("GET") == [words[1] for words in both.lines.asked[:asked] if words[0] == "GET"]
    assert len(ours.requests) == 2


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (reply({"id": 1}, headers=(("cache-control", "no-store"),)), "no-store"),
        (reply({"id": 1}, headers=(("vary", "*"), *MINUTE)), "Vary: *"),
        (status(500), "500"),
        (status(403), "403"),
        (reply({"id": "no number"}, headers=MINUTE), "does not fit"),
        (reply({"id": 1}, 206, headers=MINUTE), "206"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
async def test_case_a7_what_must_not_be_stored_is_not_in_the_store(first: Step, said: str) -> None:
    """No key, no value: whatever sections would make of it."""
    both, _, _ = pair(first, hang())

    await both.here.run(Both, user="u")
    await both.clock.advance(1)

    assert both.lines.values == {}
    assert both.lines.named("SET") == []


async def test_case_a7_no_name_no_token_and_no_target_is_in_a_key() -> None:
    """A digest, the BFF, and the number of the format: keys turn up in logs, dumps and slow-query lists."""
    both, _, _ = pair(reply({"id": 1}, headers=MINUTE), hang())
    await both.warm(Fresh, user="ada@example.test")

    (key,) = both.lines.values
    prefix, _, digest = key.rpartition(b":")
    assert prefix == b"frontage:test:answer:1"
    assert len(bytes.fromhex(digest.decode())) == 24


@pytest.mark.parametrize("code", [401, 403, 404, 410])
async def test_what_the_backend_takes_back_leaves_the_store(code: int) -> None:
    """Else another process would show it as a stand-in."""
    both, _, _ = pair(reply({"id": 1}), broken())
    both.here.channels[ITEMS]._steps = (reply({"id": 1}), status(code))
    await both.warm(Stale, user="u")
    assert len(both.lines.values) == 1

    await both.here.run(Stale, user="u")
    await both.clock.advance(0.1)

    assert both.lines.values == {}
    assert (await both.there.run(Stale, user="u")).degraded[0].source is Source.NONE


async def test_what_was_taken_back_is_not_put_back_by_a_slow_store() -> None:
    """The store's answer to the question of before comes after the 404: nobody takes it."""
    both, _, _ = pair(reply({"id": 1}), status(404).after(0.01))
    both.there.channels[ITEMS]._steps = (status(404).after(0.01), broken())
    await both.warm(Stale, user="u")
    both.lines.takes_s = 0.03

    await both.there.run(Stale, user="u")
    await both.clock.advance(1)

    assert (await both.there.run(Stale, user="u")).degraded[0].source is Source.NONE


async def test_an_answer_that_may_no_longer_be_stored_ends_the_stored_one() -> None:
    """``no-store`` after ``max-age``: the older one is gone from both levels."""
    both, _, _ = pair(reply({"id": 1}), hang())
    first = reply({"id": 1}, headers=(("cache-control", "max-age=1"),))
    both.here.channels[ITEMS]._steps = (first, reply({"id": 2}, headers=(("cache-control", "no-store"),)))
    await both.warm(Both, user="u")
    await both.clock.advance(5)

    await both.here.run(Both, user="u")
    await both.clock.advance(0.1)

    assert both.lines.values == {}


async def test_a_renewed_answer_is_stored_anew() -> None:
    """304: the payload of before, the headers of now, another minute; the other process needs no question."""
    tagged = (*MINUTE, ("etag", '"1"'))
    both, _, theirs = pair(reply({"id": 1}), hang())
    both.here.channels[ITEMS]._steps = (reply({"id": 1}, headers=tagged), reply(b"", 304, tagged))
    await both.warm(Fresh, user="u")
    await both.clock.advance(61)
    await both.warm(Fresh, user="u")
    await both.clock.advance(50)

    assert (await both.there.run(Fresh, user="u")).item.id == 1
    assert theirs.requests == []


async def test_a_stale_answer_of_another_process_is_asked_about() -> None:
    """Its ETag goes along, and a 304 is enough."""
    both, _, theirs = pair(reply({"id": 1}, headers=(*MINUTE, ("etag", '"1"'))), reply(b"", 304))
    await both.warm(Both, user="u")
    await both.clock.advance(61)

    got = await both.there.run(Both, user="u")

    assert (got.item.id, got.degraded) == (1, ())
    assert ("if-none-match", '"1"') in theirs.requests[0].headers


async def test_values_end_when_they_are_of_no_use() -> None:
    """Freshness, or how long a section lets it stand in, less its age; never more than a day."""
    both, _, _ = pair(reply({"id": 1}, headers=(*MINUTE, ("age", "20"))), hang())
    start = both.clock.now_s()
    await both.here.run(Fresh, user="u")
    await both.clock.advance(0.1)
    assert [ends - start for _, ends in both.lines.values.values()] == [pytest.approx(40, abs=0.01)]

    await both.here.run(Both, user="other")
    await both.clock.advance(0.1)
    assert max(ends - start for _, ends in both.lines.values.values()) == pytest.approx(3600 - 20, abs=0.2)


async def test_a_longer_promise_than_a_day_is_a_day() -> None:
    """Whatever a section allows: nobody's data is kept longer."""

    class Long(Sections):
        item = nullable(ITEMS.get("/items/{user}", into=Item), stale_for=timedelta(days=30))

    both, _, _ = pair(reply({"id": 1}), hang())
    start = both.clock.now_s()
    await both.warm(Long, user="u")

    assert [ends - start for _, ends in both.lines.values.values()] == [pytest.approx(86_400, abs=0.1)]


async def test_what_is_over_at_once_is_not_written() -> None:
    """Below a second nobody else could use it."""
    both, _, _ = pair(reply({"id": 1}, headers=(*MINUTE, ("age", "59.5"), ("age", "60"))), hang())

    class Brief(Sections):
        item = nullable(ITEMS.get("/items/{user}", into=Item), stale_for=timedelta(milliseconds=900))

    await both.warm(Brief, user="u")

    assert both.lines.values == {}


async def test_a_large_answer_stays_at_home() -> None:
    """Counted, remembered here, not written."""
    large = {"id": 1, "text": "x" * 1_000}
    both, ours, _ = pair(reply(large, headers=MINUTE), hang(), StoredPolicy(max_body_bytes=1_000))
    await both.warm(Fresh, user="u")

    assert both.counts(both.here) == {"miss": 1, "too_large": 1}
    assert (await both.here.run(Fresh, user="u")).item.id == 1
    assert len(ours.requests) == 1


async def test_what_has_no_room_to_wait_is_dropped_and_counted() -> None:
    """Two may wait, five came in one moment: no answer was later for it."""
    policy = StoredPolicy(behind=BehindPolicy(max_waiting=2))
    both, _, _ = pair(reply({"id": 1}, headers=MINUTE), hang(), policy)
    for user in "abcde":
        await both.here.run(Fresh, user=user)

    await both.clock.advance(0.1)

    assert both.counts(both.here) == {"miss": 5, "written": 2, "dropped": 3}


async def test_the_latest_of_one_key_is_what_is_written() -> None:
    """Put, put, delete, in one moment: deleted."""
    both, _, _ = pair(reply({"id": 1}), hang())
    both.here.channels[ITEMS]._steps = (reply({"id": 1}), reply({"id": 2}), status(410))
    for _ in range(3):
        await both.here.run(Stale, user="u")
    await both.clock.advance(0.1)

    assert both.lines.values == {}
    assert both.lines.named("SET") == []


GARBAGE = {
    "nothing": b"",
    "text": b"hello",
    "another format": b"FZ\x00\x00\x00\x02{}",
    "a length beyond": b"FA\xff\xff\xff\xff{}",
    "no JSON": b"FA\x00\x00\x00\x02{]",
    "no headers": b'FA\x00\x00\x00\x14{"at": 1, "age": 1}  {"id": 1}',
    "a list": b"FA\x00\x00\x00\x02[]",
    "a payload of another kind": pack(Envelope({}, 1_795_000_000.0, 0.0, b'{"no": "id"}')),
}


@pytest.mark.parametrize("value", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.parametrize("screen", [Fresh, Stale, Both])
async def test_garbage_in_the_store_is_a_miss(value: bytes, screen: Any) -> None:
    """The backend is asked, the answer is right, and it takes the garbage's place."""
    both, _, _ = pair(reply({"id": 1}, headers=MINUTE), reply({"id": 2}, headers=MINUTE))
    await both.warm(screen, user="u")
    (key,) = both.lines.values
    both.lines.values[key] = (value, both.clock.now_s() + 60)

    got = await both.there.run(screen, user="u")
    await both.clock.advance(0.1)

    assert (got.item.id, got.degraded) == (2, ())
    assert both.lines.values[key][0].endswith(b'{"id": 2}')


async def test_an_answer_from_the_future_is_a_miss() -> None:
    """A process whose clock is a minute ahead would make everything fresh for a minute longer."""
    both, _, _ = pair(reply({"id": 1}, headers=MINUTE), reply({"id": 2}, headers=MINUTE))
    both.clock._wall_offset_s += 60
    await both.warm(Fresh, user="u")
    both.clock._wall_offset_s -= 60

    assert (await both.there.run(Fresh, user="u")).item.id == 2


async def test_a_store_that_is_down_costs_no_request_anything() -> None:
    """Refused: asked three times, then not at all; every answer is there, and none is late."""
    both, _, theirs = pair(reply({"id": 1}, headers=MINUTE), reply({"id": 2}, headers=MINUTE))
    both.lines.down = True

    for user in "abcdef":
        before = both.clock.now_s()
        assert (await both.there.run(Fresh, user=user)).item.id == 2
        assert both.clock.now_s() == before
    store = both.there.backends.stored._store
    assert not store.up
    assert store.outcomes["unreachable"] == 3
    assert len(theirs.requests) == 6
    store._standing.close()


async def test_case_l2_a_silent_store_costs_its_timeout_three_times_then_nothing() -> None:
    """50 ms for each of the first three, exactly; then 0; and it is asked again within 2 s of being back."""
    both, _, _ = pair(reply({"id": 1}, headers=MINUTE), reply({"id": 2}, headers=MINUTE))
    both.lines.takes_s = 1_000.0
    took = []
    for user in "abcdef":
        before = both.clock.now_s()
        assert (await both.there.run(Fresh, user=user)).item.id == 2
        took.append(round(both.clock.now_s() - before, 6))
    assert took[3:] == [0.0, 0.0, 0.0]
    assert took[:3] == [0.05, 0.05, 0.05]
    store = both.there.backends.stored._store
    assert not store.up


async def test_near_the_deadline_nobody_asks_the_store() -> None:
    """With less than twice its time left, the call needs what there is."""
    both, _, _ = pair(reply({"id": 1}, headers=MINUTE), reply({"id": 2}))
    await both.warm(Fresh, user="u")

    got = await both.there.run(Fresh, budget_s=0.12, user="u")

    assert got.item.id == 2


async def test_many_who_ask_for_one_ask_the_store_once() -> None:
    """Ten at once: one GET, ten answers; one that leaves takes nobody along."""
    both, _, theirs = pair(reply({"id": 1}, headers=MINUTE), hang())
    await both.warm(Fresh, user="u")
    asked = both.lines.named("GET")
    tasks = [asyncio.ensure_future(both.there.fetch(Fresh, user="u")) for _ in range(10)]
    await asyncio.sleep(0)
    tasks[0].cancel()

    await both.clock.advance(0.1)

    assert [task.result().item.id for task in tasks[1:]] == [1] * 9
    assert len(both.lines.named("GET")) - len(asked) == 1
    assert theirs.requests == []


async def test_case_a7_two_callers_have_two_entries() -> None:
    """The same target, two identities: the second is asked for anew, and each finds its own elsewhere."""
    both, ours, theirs = pair(reply({"id": 1}, headers=MINUTE), hang())
    both.here.channels[ITEMS]._steps = (reply({"id": 1}, headers=MINUTE), reply({"id": 2}, headers=MINUTE))
    await both.warm(Fresh, user="u")
    await both.here.run(Fresh, BOB, user="u")
    await both.clock.advance(0.1)

    assert (await both.there.run(Fresh, user="u")).item.id == 1
    assert (await both.there.run(Fresh, BOB, user="u")).item.id == 2
    assert (len(ours.requests), theirs.requests) == (2, [])


async def test_two_types_share_one_payload() -> None:
    """The store keeps what came, so each reads it as it needs it; what does not fit is a miss for that one only."""
    both, _, theirs = pair(reply({"id": 1, "name": "Ada"}, headers=MINUTE), reply({"count": 3}))

    class Name(Item):
        name: str

    class Count(Item):
        id: int = 0
        count: int

    class Named(Sections):
        item = required(ITEMS.get("/items/{user}", into=Name, cache=CachePolicy()))

    class Counted(Sections):
        item = required(ITEMS.get("/items/{user}", into=Count, cache=CachePolicy()))

    await both.warm(Fresh, user="u")

    assert (await both.there.run(Named, user="u")).item.name == "Ada"
    assert theirs.requests == []
    assert (await both.there.run(Counted, user="u")).item.count == 3
    assert both.counts(both.there)["misfit"] == 1


async def test_another_bff_has_its_own() -> None:
    """Its backend of that name may be another one."""
    both, _, _ = pair(reply({"id": 1}, headers=MINUTE), reply({"id": 2}))
    both.there.backends.stored._service = "other"
    await both.warm(Fresh, user="u")

    assert (await both.there.run(Fresh, user="u")).item.id == 2


def test_a_public_call_is_everybodys_and_a_private_one_never_is() -> None:
    """Not even for a caller whose scope is called public."""
    open_call = Backend("shop").get("/catalog", into=Item, public=True, cache=CachePolicy())
    own_call = Backend("shop").get("/catalog", into=Item, cache=CachePolicy())
    names = [
        name_of("web", open_call.key("/catalog", "app\na", None)),
        name_of("web", open_call.key("/catalog", "app\nb", None)),
        name_of("web", own_call.key("/catalog", "app\na", None)),
        name_of("web", own_call.key("/catalog", "app\nb", None)),
        name_of("web", own_call.key("/catalog", "public", None)),
        name_of("web", own_call.key("/catalog", "", None)),
    ]
    assert names[0] == names[1]
    assert len(set(names)) == 5


@pytest.mark.parametrize("said", [(), (("cache-control", "no-store"),)])
async def test_a_backend_that_lets_nothing_be_stored_is_not_looked_for(said: Any) -> None:
    """One look-up, in vain; then none, until an answer may be stored."""
    both, _, _ = pair(reply({"id": 1}), hang())
    both.here.channels[ITEMS]._steps = (*[reply({"id": 1}, headers=said)] * 5, reply({"id": 1}, headers=MINUTE))
    for user in "abcde":
        await both.here.run(Fresh, user=user)
    assert len(both.lines.named("GET")) == 1

    await both.here.run(Fresh, user="f")
    await both.here.run(Fresh, user="g")

    assert len(both.lines.named("GET")) == 2
