"""Remembered answers: fresh ones instead of a call, older ones for a call that failed, one store for both."""

from datetime import timedelta
from typing import Any

import pytest

from shared.backends.backend import Backend, Call, CallPolicy
from shared.backends.cache import CacheBounds, CachePolicy, CallKey, Entry, ResponseCache
from shared.backends.freshness import Freshness
from shared.backends.sections import Sections, nullable
from shared.errors import BackendUnreachable, Reason, Source
from shared.resilience.retry import RetryPolicy
from shared.testing.clock import ManualClock, settle
from shared.testing.scripted import Scripted, Step, broken, hang, reply, status
from tests.shared.backends.screen import ALICE, BOB, Item, World, backend

ONE, TWO = Item(id=1), Item(id=2)
HOUR = timedelta(hours=1)
ITEMS = backend("items", retry=RetryPolicy(max_attempts=1))


def answer(number: int, control: str = "max-age=60", **headers: str) -> Step:
    fields = {"cache-control": control, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return reply({"id": number}, 200, tuple(fields.items()))


def screen(
    policy: CachePolicy | None = None, *, stale_for: timedelta | None = None, owner: Backend = ITEMS, **how: Any
) -> type[Sections]:
    class Screen(Sections):
        item = nullable(owner.get("/items", into=Item, cache=policy or CachePolicy(), **how), stale_for=stale_for)

    return Screen


def world(*steps: Step, owner: Backend = ITEMS) -> World:
    return World({owner: Scripted(*steps)})


def asked(world: World, owner: Backend = ITEMS) -> int:
    return len(world.channels[owner].requests)


def validators(world: World, owner: Backend = ITEMS) -> dict[str, str]:
    sent = dict(world.channels[owner].requests[-1].headers)
    return {name: value for name, value in sent.items() if name.startswith("if-")}


# Fresh


async def test_a_fresh_answer_is_used_again_and_a_stale_one_is_not() -> None:
    """For as long as the backend says, to the second; the record says which it was."""
    here, page = world(answer(1), answer(2)), screen()
    assert (await here.run(page)).item == ONE
    await here.clock.advance(59.9)

    assert (await here.run(page)).item == ONE
    assert (asked(here), here.ledger.sections[0].served, here.ledger.sections[0].outcome) == (1, "remembered", "fresh")

    await here.clock.advance(0.1)
    assert (await here.run(page)).item == TWO
    assert (asked(here), here.ledger.sections[0].served) == (2, "")
    here.assert_nothing_left()


async def test_nothing_is_remembered_of_a_call_that_did_not_opt_in() -> None:
    """Whatever its backend says."""

    class Page(Sections):
        item = nullable(ITEMS.get("/items", into=Item))

    here = world(answer(1), answer(2))
    await here.run(Page)

    assert (await here.run(Page)).item == TWO
    assert len(here.backends.cache) == 0


@pytest.mark.parametrize("control", ["no-store", "no-cache", "max-age=0", "private", "public", ""])
async def test_what_is_not_said_to_hold_is_asked_for_again(control: str) -> None:
    """No lifetime is ever guessed."""
    here, page = world(answer(1, control), answer(2, control)), screen()
    await here.run(page)

    assert (await here.run(page)).item == TWO
    assert len(here.backends.cache) == 0


async def test_a_policy_shortens_what_a_backend_promises() -> None:
    """A year is an hour, or whatever the call says."""
    here, page = (
        world(answer(1, "max-age=31536000"), answer(2)),
        screen(CachePolicy(longest_fresh=timedelta(seconds=5))),
    )
    await here.run(page)
    await here.clock.advance(5)

    assert (await here.run(page)).item == TWO


async def test_the_way_here_is_part_of_the_age() -> None:
    """An answer that was a second on its way, and thirty in a cache before us, has 29 left."""
    slow = backend("items", attempt_timeout=timedelta(seconds=2))
    here, page = world(answer(1, age="30").after(1.0), answer(2), owner=slow), screen(owner=slow)
    await here.run(page)
    await here.clock.advance(28.9)
    assert (await here.run(page)).item == ONE
    await here.clock.advance(0.1)

    assert (await here.run(page)).item == TWO


@pytest.mark.parametrize("code", [201, 203, 204, 206, 301, 304, 400, 401, 403, 404, 410, 429, 500, 502, 503, 504])
async def test_case_a7_only_a_200_is_stored(code: int) -> None:
    """401, 403 and 5xx never, whatever their headers say; nor what is nothing, a part, or somewhere else."""
    headers = (("cache-control", "public, max-age=60"), ("etag", '"1"'))
    here, page = world(reply({"id": 1}, code, headers)), screen(stale_for=HOUR)

    await here.run(page)

    assert len(here.backends.cache) == 0


async def test_what_does_not_fit_is_not_stored() -> None:
    """A payload that is invalid now is asked for anew."""
    here, page = world(reply({"wrong": 1}, 200, (("cache-control", "max-age=60"),)), answer(2)), screen()
    await here.run(page)

    assert (await here.run(page)).item == TWO


# Whose


async def test_case_a7_one_callers_answer_is_never_anothers() -> None:
    """Same target, and a backend that says ``public``: as long as the call does not, Bob asks for himself."""
    here, page = world(answer(1, "public, max-age=60, s-maxage=60"), answer(2)), screen()

    assert (await here.run(page, ALICE)).item == ONE
    assert (await here.run(page, BOB)).item == TWO
    assert (await here.run(page, ALICE)).item == ONE
    assert asked(here) == 2


async def test_a_call_that_carries_nobodys_data_is_remembered_for_all() -> None:
    """Declared so; then ``s-maxage`` counts."""
    here, page = world(answer(1, "s-maxage=60")), screen(public=True)

    assert [(await here.run(page, caller)).item for caller in (ALICE, BOB)] == [ONE, ONE]
    assert asked(here) == 1


async def test_a_private_answer_to_a_public_call_is_not_stored() -> None:
    """The backend knows better than the declaration."""
    here, page = world(answer(1, "private, max-age=60"), answer(2)), screen(public=True)
    await here.run(page, ALICE)

    assert (await here.run(page, BOB)).item == TWO


async def test_another_token_of_the_same_user_asks_for_itself() -> None:
    """Where the token travels on, the backend may answer by its scopes; no token is kept in the key."""
    theirs = Backend("items", CallPolicy(), credentials=True)
    here, page = world(answer(1), answer(2), owner=theirs), screen(owner=theirs)
    await here.run(page, ALICE)
    again = type(ALICE)(scope=ALICE.scope, authorization="Bearer alice, with less scope")

    assert (await here.run(page, again)).item == TWO
    assert "alice, with" not in repr(here.backends.cache._entries)


def test_a_call_that_forwards_credentials_cannot_be_public() -> None:
    """Refused when it is declared: before the process serves anybody."""
    with pytest.raises(TypeError, match="cannot be public"):
        Backend("ours", credentials=True).get("/x", into=Item, public=True)


def test_only_a_get_can_be_remembered() -> None:
    """Nor can an order be shared."""
    for how in ({"cache": CachePolicy()}, {"public": True}, {"coalesce": True}):
        with pytest.raises(TypeError, match="only a GET"):
            Call(ITEMS, "POST", "/orders", Item.model_validate_json, **how)


# Is it still the answer?


async def test_a_304_renews_what_is_remembered() -> None:
    """The body does not travel twice, and the answer is fresh again for as long as the 304 says."""
    here = world(answer(1, "max-age=60", etag='"v1"'), reply(b"", 304, (("cache-control", "max-age=10"),)))
    page = screen()
    await here.run(page)
    await here.clock.advance(60)

    got = await here.run(page)

    assert (got.item, got.degraded) == (ONE, ())
    assert validators(here) == {"if-none-match": '"v1"'}
    await here.clock.advance(9.9)
    assert (await here.run(page)).item == ONE
    assert asked(here) == 2
    await here.clock.advance(0.1)
    await here.run(page)
    assert (asked(here), validators(here)) == (3, {"if-none-match": '"v1"'})


async def test_no_cache_asks_each_time() -> None:
    """And is answered with 304 each time."""
    here, page = world(answer(1, "no-cache", etag='"v1"'), status(304)), screen()
    for _ in range(3):
        assert (await here.run(page)).item == ONE

    assert asked(here) == 3


async def test_last_modified_is_asked_by_where_there_is_no_etag() -> None:
    """The weaker validator, word for word."""
    date = "Wed, 18 Nov 2026 11:06:40 GMT"
    here, page = world(answer(1, "max-age=1", last_modified=date), status(304)), screen()
    await here.run(page)
    await here.clock.advance(1)

    assert (await here.run(page)).item == ONE
    assert validators(here) == {"if-modified-since": date}


async def test_a_200_to_that_question_is_the_new_answer() -> None:
    """With its own headers."""
    here = world(answer(1, "max-age=1", etag='"v1"'), answer(2, "max-age=60", etag='"v2"'))
    page = screen()
    await here.run(page)
    await here.clock.advance(1)

    assert [(await here.run(page)).item for _ in range(2)] == [TWO, TWO]
    assert asked(here) == 2


async def test_a_304_of_something_else_is_invalid_and_not_believed_again() -> None:
    """Another ETag is another answer; the next call asks for all of it."""
    here = world(answer(1, "max-age=1", etag='"v1"'), reply(b"", 304, (("etag", '"v9"'),)), answer(2))
    page = screen()
    await here.run(page)
    await here.clock.advance(1)

    assert [gap.reason for gap in (await here.run(page)).degraded] == [Reason.INVALID]
    assert (await here.run(page)).item == TWO
    assert validators(here) == {}


async def test_a_304_that_nobody_asked_for_is_invalid() -> None:
    """There is nothing to renew."""
    here = world(status(304))

    assert [gap.reason for gap in (await here.run(screen())).degraded] == [Reason.INVALID]


async def test_case_a7_bobs_question_does_not_carry_alices_etag() -> None:
    """Not even that something is remembered for her is told."""
    here, page = world(answer(1, "max-age=1", etag='"of alice"'), answer(2)), screen()
    await here.run(page, ALICE)
    await here.clock.advance(1)
    await here.run(page, BOB)

    assert validators(here) == {}


# While it is renewed


RENEWED = CachePolicy(while_revalidate=timedelta(seconds=30))


async def test_while_it_is_renewed_the_older_answer_is_given_at_once() -> None:
    """One call goes out behind it, whoever else asks meanwhile; the next answer is the new one."""
    here, page = world(answer(1), answer(2).after(0.2)), screen(RENEWED)
    await here.run(page)
    await here.clock.advance(60)

    for _ in range(3):
        got = await here.run(page)
        assert (got.item, got.degraded, here.ledger.sections[0].served) == (ONE, (), "renewing")
    assert asked(here) == 2

    await here.clock.advance(0.2)
    assert (await here.run(page)).item == TWO
    assert (asked(here), here.backends.renewals) == (2, {})
    here.assert_nothing_left()


async def test_a_renewal_that_fails_is_tried_again_by_the_next_reader_until_the_window_ends() -> None:
    """Nobody is told; after the window the call is made in front of the reader."""
    here, page = world(answer(1), status(500), status(500), answer(2)), screen(RENEWED)
    await here.run(page)
    await here.clock.advance(60)
    assert (await here.run(page)).item == ONE
    await settle()
    await here.clock.advance(29.9)
    assert (await here.run(page)).item == ONE
    await here.clock.advance(0.1)

    assert (await here.run(page)).item == TWO
    assert asked(here) == 4


async def test_a_renewal_is_sent_once() -> None:
    """503 could be tried again, and nobody waits for it: an outage is not multiplied behind the answers."""
    here, page = world(answer(1), status(503), answer(2)), screen(RENEWED)
    await here.run(page)
    await here.clock.advance(60)
    await here.run(page)
    await here.clock.advance(1)

    assert (asked(here), here.backends.renewals) == (2, {})
    assert (await here.run(page)).item == ONE
    await here.clock.advance(1)
    assert (await here.run(page)).item == TWO


async def test_a_renewal_that_hangs_ends_with_its_attempt() -> None:
    """No timer, no exchange, no permit is left behind by what nobody waits for."""
    here, page = world(answer(1), hang()), screen(RENEWED)
    await here.run(page)
    await here.clock.advance(60)
    await here.run(page)
    await here.clock.advance(1)

    assert here.backends.renewals == {}
    here.assert_nothing_left()


async def test_closing_the_backends_gives_up_what_nobody_waits_for() -> None:
    """A process that stops does not wait for a renewal."""
    here, page = world(answer(1), hang()), screen(RENEWED)
    await here.run(page)
    await here.clock.advance(60)
    await here.run(page)

    await here.backends.aclose()

    assert here.channels[ITEMS].aborted == 1
    here.assert_nothing_left()


@pytest.mark.parametrize(
    "control", ["max-age=60, stale-while-revalidate=0", "max-age=60, must-revalidate", "no-cache", "max-age=0"]
)
async def test_a_backend_may_refuse_that(control: str) -> None:
    """Its word can shorten the window to nothing; what was never fresh has none."""
    here, page = world(answer(1, control, etag='"1"'), answer(2)), screen(RENEWED)
    await here.run(page)
    await here.clock.advance(60)

    assert (await here.run(page)).item == TWO


# When the call fails


async def test_an_older_answer_stands_in_with_its_true_age() -> None:
    """The age begins where the answer was made, not where it was remembered."""
    here, page = world(answer(1, age="100"), status(500)), screen(stale_for=HOUR)
    await here.run(page)
    await here.clock.advance(60)

    (gap,) = (await here.run(page)).degraded

    assert (gap.source, gap.age_seconds, gap.reason) == (Source.STALE, 160, Reason.FAULTED)


@pytest.mark.parametrize("control", ["no-store", "no-cache", "max-age=1, must-revalidate"])
async def test_a_backend_may_refuse_to_be_quoted_late(control: str) -> None:
    """Then the declared fallback stands in, whatever the section allows (RFC 9111 §4.2.4)."""
    here, page = world(answer(1, control, etag='"1"'), status(500)), screen(stale_for=HOUR)
    await here.run(page)
    await here.clock.advance(2)

    (gap,) = (await here.run(page)).degraded

    assert gap.source is Source.NONE


async def test_a_backend_may_shorten_how_long_it_is_quoted() -> None:
    """``stale-if-error`` counts from the end of its freshness; the section's own bound holds too."""
    down = broken(BackendUnreachable("items", "refused"))
    here = world(answer(1, "max-age=60, stale-if-error=10"), down)
    page = screen(stale_for=HOUR)
    await here.run(page)
    await here.clock.advance(70)
    assert (await here.run(page)).degraded[0].source is Source.STALE
    await here.clock.advance(0.1)

    assert (await here.run(page)).degraded[0].source is Source.NONE


# The bounds


def key(target: str, scope: str = "alice") -> CallKey:
    return CallKey(scope, "items", "GET", target, b"", bytes)


def entry(body_bytes: int = 0) -> Entry:
    return Entry("value", {}, Freshness(60), 1_000.0, body_bytes)


def test_it_holds_only_so_many_and_forgets_what_was_not_used() -> None:
    """A million users do not fill the memory; the one who is still here keeps their answer."""
    cache = ResponseCache(ManualClock(), CacheBounds(max_entries=3))
    for number in range(10):
        cache.put(key(f"/{number}"), entry())
        cache.put(key("/kept"), entry()) if number == 0 else cache.get(key("/kept"))

    assert cache.get(key("/kept")) is not None
    assert [n for n in range(10) if cache.get(key(f"/{n}"))] == [8, 9]
    assert len(cache) == 3


def test_large_answers_push_out_more_and_one_too_large_is_not_kept() -> None:
    """The bound is in bytes too, and the count comes back to nothing."""
    cache = ResponseCache(ManualClock(), CacheBounds(max_bytes=100_000))
    for number in range(10):
        cache.put(key(f"/{number}"), entry(body_bytes=4_000))
        assert cache.bytes <= 100_000
    assert len(cache) == 3
    cache.put(key("/huge"), entry(body_bytes=1_000_000))
    assert cache.get(key("/huge")) is None
    for number in range(10):
        cache.forget(key(f"/{number}"))

    assert (len(cache), cache.bytes) == (0, 0)
