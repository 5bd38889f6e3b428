"""The text of an API key, its record, and the book in which a process knows all of them."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ProblemCode, ProblemError
from shared.identity.api_keys import ALPHABET, ApiKey, new_key, read_key
from shared.identity.credential import CredentialKind
from shared.identity.key_book import KeyBook, KeyBookPolicy
from shared.identity.key_records import KeyRecord, KeyState, new_record, read_record
from shared.identity.key_store import Change, KeyChangedMeanwhileError, KeyStore, Snapshot
from shared.store.address import read_address
from shared.store.errors import StoreUnreachable
from shared.store.store import Store
from shared.testing.clock import ManualClock
from tests.shared.store.servers import PATIENT, Server, serving


def test_a_key_is_scannable_and_says_nothing_of_its_secret() -> None:
    """Prefix, environment, id, secret and checksum; neither repr nor digest shows it."""
    key = new_key("live")
    assert re.fullmatch(r"bffk_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}[0-9A-Za-z]{6}", key.text)
    assert read_key(key.text) == key
    assert key.text not in repr(key)
    assert key.text[-49:-6] not in key.digest
    assert len({new_key("live").text for _ in range(100)}) == 100


@given(st.data())
def test_one_wrong_character_is_noticed_before_anything_is_looked_up(data: st.DataObject) -> None:
    """Whichever it is, whatever it becomes: CRC-32 finds every single error."""
    key = KEY.text
    at = data.draw(st.integers(0, len(key) - 1))
    other = data.draw(st.sampled_from(ALPHABET).filter(lambda one: one != key[at]))
    assert read_key(f"{key[:at]}{other}{key[at + 1 :]}") is None


@given(st.text(max_size=90))
def test_any_other_text_is_no_key(text: str) -> None:
    """And no error either."""
    assert read_key(text) is None


@pytest.mark.parametrize("env", ["", "Live", "a_b", "1st", "x" * 17])
def test_an_environment_is_a_short_word(env: str) -> None:
    """It stands between underscores."""
    with pytest.raises(ValueError, match="environment"):
        new_key(env)


KEY = new_key("test")
NOW = 1_800_000_000


def record(key: ApiKey = KEY, **changes: object) -> KeyRecord:
    made = new_record(key, client="acme", scopes=("a", "b"), audiences=("m",), now_s=NOW, life=timedelta(days=1))
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_record_comes_back_as_it_went_into_the_store() -> None:
    """And what is no record is none, never a key with other rights."""
    for one in (record(), record(state=KeyState.REVOKED), record(expires_at=None, rotated_from="x")):
        assert read_record(one.written()) == one
    for text in (b"", b"[]", b"{}", b'{"id": "x"}', record().written().replace(b"active", b"aktive"), b"\xff"):
        with pytest.raises(ValueError):  # noqa: PT011 - of any kind
            read_record(text)


def test_a_record_counts_between_its_times_unless_revoked() -> None:
    """At its end it no longer does."""
    one = record()
    assert [one.counts(at) for at in (NOW - 1, NOW, NOW + 86_399, NOW + 86_400)] == [False, True, True, False]
    assert [one.status(at) for at in (NOW - 1, NOW, NOW + 86_400)] == ["to come", "active", "expired"]
    assert record(expires_at=None).counts(NOW * 2)
    assert not one.revoked().counts(NOW)


def test_a_successor_has_the_same_rights_and_as_long_a_life() -> None:
    """The old one ends when it would have, or when the overlap does."""
    old, new = record(), new_key("test")
    following = old.followed_by(new, NOW + 1000)
    assert (following.client, following.scopes, following.audiences) == (old.client, old.scopes, old.audiences)
    assert (following.id, following.digest, following.rotated_from) == (new.id, new.digest, old.id)
    assert following.expires_at == NOW + 1000 + 86_400
    assert old.retiring(NOW + 10).expires_at == NOW + 10
    assert old.retiring(NOW + 90_000).expires_at == old.expires_at


class MemoryKeys(KeyStore):
    """The store of keys behind its own seam."""

    def __init__(self, *records: KeyRecord) -> None:
        self.book = Snapshot(b"1", {one.id: one for one in records})
        self.down = False
        self.noted: list[list[str]] = []
        self.reads = 0

    async def read(self, known: bytes | None = None) -> Snapshot | None:
        self.reads += 1
        if self.down:
            raise StoreUnreachable("down")
        return None if known == self.book.mark else self.book

    async def note_use(self, ids: object, now_s: float) -> None:
        self.noted.append(sorted(ids))  # type: ignore[call-overload]

    def put(self, one: KeyRecord) -> None:
        self.book = Snapshot(self.book.mark + b"1", {**self.book.records, one.id: one})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(wall_s=NOW)


@pytest.fixture
def kept() -> MemoryKeys:
    return MemoryKeys(record())


@pytest.fixture
async def book(kept: MemoryKeys, clock: ManualClock) -> AsyncIterator[KeyBook]:
    made = KeyBook(kept, clock)
    made.start()
    await clock.advance(0)
    yield made
    await made.close()


def refused(book: KeyBook, text: str) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        book.verify(text)
    return caught.value


async def test_a_key_speaks_for_its_client_with_its_rights(book: KeyBook) -> None:
    """Without asking anybody."""
    principal = book.verify(KEY.text)
    assert (principal.subject, principal.client_id, principal.kind) == ("acme", "acme", CredentialKind.API_KEY)
    assert (principal.scopes, principal.audiences) == ({"a", "b"}, {"m"})
    assert KEY.text not in repr(principal)


async def test_a_revocation_is_known_within_five_seconds(book: KeyBook, kept: MemoryKeys, clock: ManualClock) -> None:
    """Within two, while the store answers; and no record is read again while nothing changes."""
    await clock.advance(4)
    kept.put(record().revoked())
    await clock.advance(2)
    assert refused(book, KEY.text).code is ProblemCode.UNAUTHENTICATED


async def test_a_book_that_cannot_be_read_says_neither_yes_nor_no(
    book: KeyBook, kept: MemoryKeys, clock: ManualClock
) -> None:
    """Or a revocation would be missed: 503 after five seconds, and well again once the store is."""
    kept.down = True
    await clock.advance(2.9)
    assert book.verify(KEY.text)
    await clock.advance(2.2)
    problem = refused(book, KEY.text)
    assert (problem.code, problem.retry_after) == (ProblemCode.BACKEND_UNREACHABLE, timedelta(seconds=1))
    assert refused(book, "no key at all").code is ProblemCode.UNAUTHENTICATED  # that much is known all the same
    kept.down = False
    await clock.advance(0.3)
    assert book.verify(KEY.text)


async def test_who_prefers_availability_says_how_stale_the_book_may_be(kept: MemoryKeys, clock: ManualClock) -> None:
    """A minute: then a revocation may take a minute while the store is away."""
    book = KeyBook(kept, clock, KeyBookPolicy(max_age=timedelta(minutes=1)))
    await book.read()
    await clock.advance(59)
    assert book.verify(KEY.text)
    await clock.advance(1)
    assert refused(book, KEY.text).code is ProblemCode.BACKEND_UNREACHABLE


async def test_every_bad_key_gets_the_same_401(book: KeyBook, kept: MemoryKeys, clock: ManualClock) -> None:
    """Unknown, with another secret, expired, to come, revoked: the client cannot tell which."""
    others = {name: new_key("test") for name in ("revoked", "expired", "to come", "unknown")}
    kept.put(record(others["revoked"], state=KeyState.REVOKED))
    kept.put(record(others["expired"], expires_at=NOW - 1))
    kept.put(record(others["to come"], not_before=NOW + 100))
    forged = new_key("test")
    kept.put(record(replace(forged, text=KEY.text)))
    await clock.advance(3)
    said = {
        (problem.code, problem.detail, *(problem.headers or {}).values())
        for problem in (refused(book, one.text) for one in (*others.values(), forged))
    }
    assert said == {(ProblemCode.UNAUTHENTICATED, "The API key is not valid.", 'ApiKey error="invalid_key"')}


async def test_use_is_noted_seldom(book: KeyBook, kept: MemoryKeys, clock: ManualClock) -> None:
    """Once in five minutes a key, however often it is used."""
    for _ in range(100):
        book.verify(KEY.text)
        await clock.advance(1)
    assert kept.noted == [[KEY.id]]
    await clock.advance(300)
    book.verify(KEY.text)
    await clock.advance(3)
    assert kept.noted == [[KEY.id]] * 2


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("valkey") as running:
        yield running


async def test_a_real_store_keeps_records_whole(server: Server) -> None:
    """All changes of one writing or none; a mark that is known brings nothing."""
    store = Store.open(read_address(server.url), None, PATIENT)
    keys, other = KeyStore(store), new_key("test")
    try:
        assert (await keys.read()) == Snapshot(b"", {})
        await keys.write(Change(None, record()))
        first = await keys.read(b"")
        assert first is not None
        assert first.records == {KEY.id: record()}
        assert await keys.read(first.mark) is None
        with pytest.raises(KeyChangedMeanwhileError):
            await keys.write(Change(None, record(other)), Change(record(client="x"), record().revoked()))
        assert await keys.read(first.mark) is None
        await keys.write(Change(None, record(other)), Change(record(), record().revoked()))
        second = await keys.read(first.mark)
        assert second is not None
        assert second.records == {KEY.id: record().revoked(), other.id: record(other)}
        await keys.note_use([KEY.id, other.id], NOW)
        assert await keys.uses() == {KEY.id: NOW, other.id: NOW}
    finally:
        await store.aclose()


async def test_a_book_over_a_real_store_follows_it(server: Server) -> None:
    """From one process to another, by the clock of neither."""
    store = Store.open(read_address(server.url), None, PATIENT)
    clock = ManualClock(wall_s=NOW)
    keys, mine = KeyStore(store), new_key("test")
    book = KeyBook(keys, clock)
    try:
        await book.read()
        assert refused(book, mine.text).code is ProblemCode.UNAUTHENTICATED
        await keys.write(Change(None, record(mine)))
        await book.read()
        assert book.verify(mine.text).subject == "acme"
        await keys.write(Change(record(mine), record(mine).revoked()))
        await book.read()
        assert refused(book, mine.text).code is ProblemCode.UNAUTHENTICATED
    finally:
        await store.aclose()
        await asyncio.sleep(0)
