"""What a scripted backend answers, and what it remembers."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from shared.testing.bff import Bff
from shared.testing.clock import ManualClock
from shared.testing.faults import silent
from shared.testing.sockets import SocketBackend, SocketBackends
from tests.shared.testing.screen import ITEM, ITEMS, ITEMS_OF, LIST_OF, LISTS

PAGE = "/small/v1/page"


class Thing(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    full_name: str


@pytest.fixture
def told(backends: SocketBackends) -> SocketBackend:
    """A backend without a BFF."""
    return backends.open("told")


@pytest.fixture
async def client(told: SocketBackend):
    """A client of it."""
    async with httpx.AsyncClient(base_url=told.url) as opened:
        yield opened


async def test_a_body_is_json_a_model_a_function_or_bytes(told: SocketBackend, client: httpx.AsyncClient) -> None:
    """Models as their clients name things; bytes as they are; a function for recognisable data of each user."""
    told.answers("GET /json", {"a": [1, None, "ł"]})
    told.answers("GET /model", [Thing(full_name="Ada")])
    told.answers("GET /bytes", b"NaN")
    told.answers("GET /of/{user}/{item}", lambda user, item: {"of": user, "item": item})

    assert (await client.get("/json")).json() == {"a": [1, None, "ł"]}
    assert (await client.get("/model")).json() == [{"fullName": "Ada"}]
    assert (await client.get("/bytes")).content == b"NaN"
    assert (await client.get("/of/a%2Fb/7")).json() == {"of": "a/b", "item": "7"}


async def test_status_and_headers_are_as_told(told: SocketBackend, client: httpx.AsyncClient) -> None:
    """Header names are written with underscores; what is ours gives way."""
    told.answers("POST /pay", {"id": 7}, status=201, cache_control="max-age=60", content_type="application/x")
    got = await client.post("/pay", json={"amount": "1.00"})

    assert (got.status_code, got.json()) == (201, {"id": 7})
    assert (got.headers["cache-control"], got.headers["content-type"]) == ("max-age=60", "application/x")
    assert told.requests[0].body == b'{"amount":"1.00"}'


async def test_what_was_declared_last_counts(told: SocketBackend, client: httpx.AsyncClient) -> None:
    """So that a fixture declares what is usual and a test what is its own."""
    told.answers("GET /x", {"usual": True})
    told.answers("GET /x", {"usual": False})

    assert (await client.get("/x")).json() == {"usual": False}


async def test_a_query_in_the_template_must_be_there(backends: SocketBackends, told, client: httpx.AsyncClient) -> None:
    """All of it and no more; a template without one does not look at queries."""
    told.answers("GET /x?of={user}&limit=5", lambda user: {"of": user})
    told.answers("GET /any", {})

    assert (await client.get("/x?limit=5&of=u%201")).json() == {"of": "u 1"}
    assert (await client.get("/any?a=1")).status_code == 200
    for other in ("/x", "/x?of=u-1", "/x?of=u-1&limit=6", "/x?of=u-1&limit=5&more=1", "/x?of=u-1&of=u-2&limit=5"):
        assert (await client.get(other)).status_code == 501, other
    assert len(backends.unscripted) == 5
    told.unscripted.clear()  # they were meant


async def test_an_answer_that_the_bff_could_not_read_is_refused_at_once(backends: SocketBackends) -> None:
    """A test whose fixture has a typo would else be a test of a fault; with a function, when it is called."""
    backends.open("lists")
    with pytest.raises(AssertionError, match=r"GET /lists/\{user\}\?limit=50: the scripted answer is not what the BFF"):
        backends.answers(LIST_OF, {"ids": "none"})
    with pytest.raises(ValueError, match="neither a declared call nor"):
        backends["lists"].answers("/lists", {})


async def test_a_backend_that_is_not_there_is_named(small: Bff, backends: SocketBackends) -> None:
    """A typo does not open a backend that nobody asks."""
    with pytest.raises(KeyError, match="no backend 'list' is open: there are items, lists, issuer"):
        backends["list"].fault(silent())


async def test_requests_are_remembered_in_order(small: Bff, backends: SocketBackends) -> None:
    """By backend and over all: the call, its target and headers, and the time that the caller had left."""
    await small.get(PAGE, user="ada", headers={"x-deadline-ms": "500"})

    assert [one.backend for one in backends.requests] == ["lists", "items"]
    (seen,) = backends[LISTS].requests
    assert (seen.call, seen.method, seen.target) == ("GET /lists/{user}?limit=50", "GET", "/lists/ada?limit=50")
    assert seen.header("accept") == "application/json"
    assert seen.header("authorization") is None
    assert seen.time_left is not None
    assert timedelta(0) < seen.time_left < timedelta(milliseconds=500)
    assert backends.counts() == {"lists": 1, "items": 1}, "the issuer is none of the BFF's backends"


async def test_a_header_that_came_twice_is_a_failure(told: SocketBackend, client: httpx.AsyncClient) -> None:
    """Rather than one of them."""
    told.answers("GET /x", {})
    await client.get("/x", headers=[("x-a", "1"), ("x-a", "2")])

    with pytest.raises(AssertionError, match="'x-a' 2 times"):
        told.requests[0].header("x-a")


async def test_pipelined_requests_are_answered_in_turn(told: SocketBackend) -> None:
    """As HTTP/1.1 asks."""
    told.answers("GET /{n}", lambda n: {"n": n})
    reader, writer = await asyncio.open_connection("127.0.0.1", int(told.url.rpartition(":")[2]))
    writer.write(b"GET /1 HTTP/1.1\r\nhost: x\r\n\r\nGET /2 HTTP/1.1\r\nhost: x\r\n\r\n")
    got = await reader.readuntil(b'{"n": "1"}') + await reader.readuntil(b'{"n": "2"}')
    writer.close()

    assert got.count(b"HTTP/1.1 200") == 2


async def test_waiting_for_what_does_not_happen_ends(backends: SocketBackends) -> None:
    """With what was waited for, not with a hung test."""
    with pytest.raises(AssertionError, match="the second call did not happen"):
        await backends.until(lambda: False, "the second call", timedelta(milliseconds=10))


async def test_everyone_gets_their_own(small: Bff, backends: SocketBackends) -> None:
    """Recognisable data: whose it is can be seen in the answer."""
    for user in ("ada", "bob"):
        items = (await small.get(PAGE, user=user)).json()["items"]
        assert [one["id"] for one in items] == [f"{user}-1", f"{user}-2"]


async def test_who_is_not_signed_in_is_refused(small: Bff, backends: SocketBackends) -> None:
    """Identities are made up, and verified as in production, with keys from a socket."""
    assert (await small.get(PAGE, user=None)).status_code == 401
    assert (await small.get(PAGE, headers=small.issuer.signed_in("ada", exp=0))).status_code == 401
    assert (await small.get(PAGE, headers=small.issuer.signed_in("ada", aud=None))).status_code == 401
    assert backends.requests == []
    assert backends["issuer"].requests[0].call == "GET /jwks"


async def test_the_hot_path_is_what_answers(small: Bff) -> None:
    """The front dispatches it, our protocol writes it: else the kit would test what does not run."""
    calls: list[str] = []
    route = small.app.state.front.find(b"GET", PAGE.encode())
    inner = route.call

    async def noted(context, request):
        assert request is None  # nobody made one
        calls.append("front")
        return await inner(context, request)

    route.call = noted
    assert (await small.get(PAGE)).status_code == 200
    assert calls == ["front"]


async def test_a_long_wait_on_the_hand_turned_clock_is_exact(
    manual_clock: ManualClock, small: Bff, backends: SocketBackends
) -> None:
    """Both silent: the answer is there at the deadline, to the millisecond, and no time has passed."""
    backends[LISTS].fault(silent())
    backends[ITEMS].fault(silent(), on=ITEMS_OF)
    began = manual_clock.now_s()
    answered = await small.get(PAGE, headers={"x-deadline-ms": "400"})

    assert answered.status_code == 504
    assert manual_clock.now_s() - began == pytest.approx(0.375)
    assert (backends[LISTS].left, backends[ITEMS].left) == (1, 1)
    assert ITEM.backend is ITEMS
