"""The keys that internal tokens are signed with: their life, their union, and what happens without the store."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import httpx
import pytest

from edge.control.key_board import BOARD, NoBoard, Posted, StoreBoard
from edge.control.minting import Mint
from edge.control.policy import RoutePolicy
from edge.control.signing import SigningKeys, SigningPolicy
from shared.errors import ProblemCode, ProblemError
from shared.identity.credential import CredentialKind
from shared.identity.internal import EDGE_ISSUER, INTERNAL_JWKS, MAX_LENGTH, InternalVerifier
from shared.identity.jwks import JwksCache
from shared.identity.principal import Principal
from shared.store.address import read_address
from shared.store.errors import StoreUnreachable
from shared.store.store import Store
from shared.testing.clock import ManualClock
from tests.edge.control.controls import RunningControl
from tests.edge.edges import wait_for
from tests.shared.store.servers import PATIENT

NOW = 1_800_000_000
ADA = Principal("ada", "app", frozenset({"a"}), NOW + 3600, "token")
POLICY = RoutePolicy(route="mobile.v1", audience="mobile", mode="internal", accept=frozenset({CredentialKind.JWT}))
ANNOUNCE, HOUR = 70, 3600


class MemoryBoard:
    """The board behind its own seam; ``down`` as a store is."""

    def __init__(self) -> None:
        self.posted: dict[str, tuple[Posted, float, float]] = {}
        self.down = False

    async def read(self, now_s: float) -> dict[str, Posted]:
        if self.down:
            raise StoreUnreachable("down")
        return {
            kid: Posted(one.public, signing=one.signing and now_s - at < 15)
            for kid, (one, at, until) in self.posted.items()
            if until >= now_s
        }

    async def post(self, keys: list[Posted], now_s: float, linger: timedelta) -> None:
        if self.down:
            raise StoreUnreachable("down")
        for key in keys:
            self.posted[key.public["kid"]] = key, now_s, now_s + linger.total_seconds()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(wall_s=NOW)


@pytest.fixture
def board() -> MemoryBoard:
    return MemoryBoard()


@pytest.fixture
async def start(clock: ManualClock, board: MemoryBoard) -> AsyncIterator[Callable]:
    """Start what a control service has of keys."""
    async with AsyncExitStack() as stack:

        async def started(policy: SigningPolicy | None = None) -> SigningKeys:
            keys = SigningKeys(board, clock, policy)
            await keys.start()
            stack.push_async_callback(keys.close)
            return keys

        yield started


def kids(keys: SigningKeys) -> set[str]:
    return {key["kid"] for key in keys.published()["keys"]}


async def test_a_service_that_is_alone_signs_at_once(start, board) -> None:
    """No token that somebody holds could be refused meanwhile; and its key is on the board before it signs."""
    keys = await start()
    assert keys.ready
    assert set(board.posted) == kids(keys) == {keys.current.kid}
    assert "d" not in keys.published()["keys"][0]


async def test_a_second_one_announces_its_key_before_it_signs(start, clock) -> None:
    """For longer than a verifier keeps the keys; both publish both within five seconds."""
    first = await start()
    second = await start()
    assert not second.ready
    await clock.advance(6)
    assert kids(first) == kids(second) > {first.current.kid}
    await clock.advance(ANNOUNCE - 7)
    assert not second.ready
    await clock.advance(2)
    assert second.ready
    assert second.current.kid != first.current.kid


async def test_the_successor_of_one_that_left_signs_at_once(start, board, clock) -> None:
    """And goes on publishing the key of the one before, whose tokens live a minute."""
    first = SigningKeys(board, clock)
    await first.start()
    old = first.current.kid
    await first.close()
    second = await start()
    assert second.ready
    assert kids(second) == {old, second.current.kid}
    await clock.advance(60 + 5 + 300 + 6)
    assert kids(second) == {second.current.kid}


async def test_the_successor_of_one_that_died_waits_no_longer_than_it_takes_to_notice(start, board, clock) -> None:
    """Fifteen seconds after its last posting it counts as gone, for whoever starts then."""
    board.posted["dead"] = Posted({"kid": "dead"}, signing=True), NOW, NOW + 300
    assert not (await start()).ready
    await clock.advance(16)
    board.posted = {"dead": board.posted["dead"]}
    assert (await start()).ready


async def test_idn_a1_a_key_is_replaced_in_time_without_a_gap(start, clock) -> None:
    """The next one is announced first; the one before stays published until no token can need it."""
    keys = await start(SigningPolicy(rotate_every=timedelta(seconds=HOUR)))
    first = keys.current.kid
    await clock.advance(HOUR + 5)
    assert keys.current.kid == first
    (second,) = kids(keys) - {first}
    await clock.advance(ANNOUNCE + 1)
    assert keys.current.kid == second
    await clock.advance(360)
    assert kids(keys) == {first, second}
    await clock.advance(20 + 370)  # as long again on the board, for those who have it from there
    assert kids(keys) == {second}


async def test_without_its_store_a_service_goes_on_alone(start, board, clock) -> None:
    """It signs, publishes its own key, and joins the others when the store is back."""
    board.down = True
    keys = await start()
    assert keys.ready
    board.down = False
    await clock.advance(6)
    assert set(board.posted) == {keys.current.kid}


async def test_a_store_that_goes_away_takes_no_key_with_it(start, board, clock) -> None:
    """What was known of others stays published."""
    first, second = await start(), await start()
    await clock.advance(6)
    known = kids(first)
    board.down = True
    await clock.advance(3600)
    assert kids(first) == known == kids(second)


@asynccontextmanager
async def verifying(clock: ManualClock, *published: SigningKeys) -> AsyncIterator[InternalVerifier]:
    """A BFF's verifier, which fetches the keys of whichever service it meets."""
    turn = iter(range(10**6))

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=published[next(turn) % len(published)].published())

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        keys = JwksCache("http://control/jwks", client, now=clock.now_s, policy=INTERNAL_JWKS)
        yield InternalVerifier(EDGE_ISSUER, "mobile", keys, now=clock.wall_s)
        await keys.close()


async def test_no_token_is_ever_refused_while_services_come_go_and_turn_their_keys(start, board, clock) -> None:
    """Two services with short-lived keys, one of them replaced each minute; a BFF that asks either: no 401 at all."""
    policy = SigningPolicy(rotate_every=timedelta(seconds=100), announce=timedelta(seconds=ANNOUNCE))
    services = [await start(policy), await start(policy)]
    async with verifying(clock, *services) as verifier:
        signed: set[str] = set()
        for _ in range(60):
            await clock.advance(11)
            for service in services:
                if service.current is not None:
                    signed.add(service.current.kid)
                    mint = Mint(service, EDGE_ISSUER, clock)
                    ada = Principal("ada", "app", frozenset(), clock.wall_s() + 60, "t")
                    assert (await verifier.verify(mint.token(ada, POLICY))).subject == "ada"
    assert len(signed) >= 6


async def test_a_token_is_signed_once_for_twenty_seconds(start, clock) -> None:
    """For the same caller at the same route; another caller, route or BFF has its own."""
    mint = Mint(await start(), EDGE_ISSUER, clock)
    first = mint.token(ADA, POLICY)
    assert mint.token(ADA, POLICY) is first
    other_route = RoutePolicy(route="mobile.v2", audience="mobile", mode="internal", accept=POLICY.accept)
    bob = Principal("bob", "app", frozenset({"a"}), NOW + 3600, "token")
    assert len({first, mint.token(bob, POLICY), mint.token(ADA, other_route)}) == 3
    await clock.advance(20)
    assert mint.token(ADA, POLICY) != first
    assert mint.signed == 4


async def test_without_a_key_there_is_no_token(clock) -> None:
    """503, and never an unsigned word."""
    with pytest.raises(ProblemError) as caught:
        Mint(SigningKeys(NoBoard(), clock), EDGE_ISSUER, clock).token(ADA, POLICY)
    assert caught.value.code is ProblemCode.BACKEND_UNREACHABLE


async def test_a_caller_with_endless_scopes_gets_none(start, clock) -> None:
    """What no BFF would take is not sent."""
    many = Principal("ada", "app", frozenset(f"scope-{n}" for n in range(MAX_LENGTH // 8)), NOW + 60, "t")
    with pytest.raises(ProblemError) as caught:
        Mint(await start(), EDGE_ISSUER, clock).token(many, POLICY)
    assert caught.value.code is ProblemCode.FORBIDDEN


async def test_the_board_in_a_real_store(store) -> None:
    """What is posted is read by others, ends by itself, and is taken out by whoever comes by."""
    opened = Store.open(read_address(store.url), None, PATIENT)
    board, linger = StoreBoard(opened), timedelta(seconds=300)
    try:
        await board.post([Posted({"kid": "a"}, signing=True)], NOW, linger)
        await board.post([Posted({"kid": "b"}, signing=False)], NOW + 10, linger)
        read = {kid: one.signing for kid, one in (await board.read(NOW + 11)).items()}
        assert {kid: read[kid] for kid in ("a", "b")} == {"a": True, "b": False}
        assert not (await board.read(NOW + 20))["a"].signing
        assert "a" not in await board.read(NOW + 301)
        await board.post([Posted({"kid": "c"}, signing=True)], NOW + 305, linger)
        assert {b"b", b"c"} <= set(store.client.hkeys(BOARD))
        assert b"a" not in store.client.hkeys(BOARD)
        assert 0 < store.client.ttl(BOARD) <= 300
    finally:
        store.client.hdel(BOARD, "a", "b", "c")  # and not what a running service has posted
        await opened.aclose()


def control_posts(store) -> bool:
    return any(b'"signing": true' in one for one in store.client.hvals(BOARD))


def test_two_services_publish_one_set(store, control, echo, tmp_path) -> None:
    """As processes: whichever a BFF asks, it gets the keys of both; the second one is not ready before its time."""
    wait_for(lambda: control_posts(store), "the first one's key is on the board", 10)
    second = RunningControl(tmp_path, store.url, echo.port).launch()
    try:

        def published(one: RunningControl) -> set[str]:
            try:
                return {key["kid"] for key in httpx.get(one.jwks_url, trust_env=False).json()["keys"]}
            except httpx.TransportError:
                return set()

        wait_for(lambda: len(published(second)) >= 2, "the second service", 30)
        wait_for(lambda: published(control) == published(second), "one set", 15)
        assert second.get("/health/ready").status_code == 503
        assert second.get("/health/live").status_code == 200
        assert second.get("/.well-known/edge-jwks.json").headers["cache-control"] == "max-age=60"
    finally:
        assert second.stop() == 0
