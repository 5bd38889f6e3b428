"""Each fault, as a plain httpx client sees it and as a fan-out judges it: nothing here waits for real time."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from shared.testing.bff import Bff
from shared.testing.clock import ManualClock, settle
from shared.testing.faults import (
    USUAL_FAULTS,
    answer,
    down,
    drip,
    flaky,
    hangs_up,
    held,
    invalid,
    mixed,
    raw,
    reset,
    silent,
    slow,
    status,
    well,
)
from shared.testing.playing import Fault
from shared.testing.sockets import SocketBackend, SocketBackends
from tests.shared.testing.screen import ITEMS, ITEMS_OF, LIST_OF

PAGE = "/small/v1/page"
Ask = Callable[[], Awaitable[httpx.Response]]


@pytest.fixture
def told(backends: SocketBackends) -> SocketBackend:
    """A backend without a BFF."""
    backend = backends.open("told")
    backend.answers("GET /x", {"well": True})
    return backend


@pytest.fixture
async def ask(told: SocketBackend):
    """Ask it with the client that everybody knows, which keeps its connections."""
    async with httpx.AsyncClient(base_url=told.url) as client:

        async def get() -> httpx.Response:
            return await client.get("/x")

        yield get


async def test_without_a_fault_all_is_well(told: SocketBackend, ask: Ask) -> None:
    """The declared answer, on one connection that is kept."""
    assert [(await ask()).json() for _ in range(3)] == [{"well": True}] * 3
    assert (told.accepted, told.open, len(told.requests)) == (1, 1, 3)


@pytest.mark.parametrize(
    ("fault", "code", "headers", "body"),
    [
        (status(503, retry_after=7), 503, {"retry-after": "7", "content-length": "0"}, b""),
        (status(204), 204, {}, b""),
        (invalid(), 200, {"content-type": "text/html"}, b"<!doctype html><title>Welcome</title>"),
        (invalid(b"NaN"), 200, {"content-type": "application/json"}, b"NaN"),
        (invalid([None]), 200, {"content-type": "application/json"}, b"[null]"),
        (answer(302, location="/y"), 302, {"location": "/y"}, b""),
        (raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"), 200, {"content-length": "2"}, b"ok"),
    ],
    ids=["status", "no_content", "invalid", "invalid_json", "invalid_value", "answer", "raw"],
)
async def test_another_answer(
    told: SocketBackend, ask: Ask, fault: Fault, code: int, headers: dict[str, str], body: bytes
) -> None:
    """That one, exactly, for every call until it is well again; the connection is kept."""
    told.fault(fault)
    for _ in range(2):
        got = await ask()
        assert (got.status_code, got.content) == (code, body)
        assert got.headers.items() >= headers.items()

    told.well()
    assert (await ask()).json() == {"well": True}
    assert told.accepted == 1


@pytest.mark.parametrize(
    ("fault", "error", "asked"),
    [
        (down(), httpx.ConnectError, 0),
        (hangs_up(), httpx.RemoteProtocolError, 0),
        (reset(), httpx.ReadError, 1),
        (reset(b"HTTP/1.1 200 OK\r\n"), httpx.ReadError, 1),
        (raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{", "close"), httpx.RemoteProtocolError, 1),
        (raw(b"SSH-2.0\r\n", "close"), httpx.RemoteProtocolError, 1),
    ],
    ids=["down", "hangs_up", "reset", "reset_in_the_head", "cut", "not_http"],
)
async def test_no_answer_at_all(told: SocketBackend, ask: Ask, fault: Fault, error: type, asked: int) -> None:
    """The kind of failure that was asked for, whatever connections there were before; then all is well."""
    await ask()
    told.fault(fault)
    await settle()  # the client has seen what became of the connection that it kept
    before = len(told.requests)
    for _ in range(2):
        with pytest.raises(error):
            await ask()
    assert len(told.requests) - before == 2 * asked

    told.well()
    assert (await ask()).json() == {"well": True}
    assert told.left == 0, "nobody left: they were thrown out"


async def test_down_ends_what_is_under_way(told: SocketBackend, ask: Ask, backends: SocketBackends) -> None:
    """As when the process of a backend is killed: whoever waits for an answer is reset at once."""
    told.fault(silent())
    asking = asyncio.create_task(ask())
    await backends.until(lambda: len(told.requests) == 1)
    told.fault(down())

    with pytest.raises(httpx.ReadError):
        await asking
    assert (told.open, told.left) == (0, 0)


async def test_silence_ends_when_the_caller_leaves(told: SocketBackend, ask: Ask, backends: SocketBackends) -> None:
    """And the backend has seen it leave."""
    told.fault(silent())
    asking = asyncio.create_task(ask())
    await backends.until(lambda: len(told.requests) == 1)
    asking.cancel()

    await backends.until(lambda: told.left == 1, "the caller's leave")
    assert told.open == 0


async def test_what_is_held_comes_when_the_test_says_so(told: SocketBackend, ask: Ask, backends) -> None:
    """An event, not a guess at a time."""
    gate = asyncio.Event()
    told.fault(held(gate))
    asking = asyncio.create_task(ask())
    await backends.until(lambda: len(told.requests) == 1)
    assert not asking.done()

    gate.set()
    assert (await asking).json() == {"well": True}


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [(slow(1.5), 1.5), (drip(0.1, 10), 1.0), (drip(0.01), 0.91)],
    ids=["slow", "drip", "byte_by_byte"],
)
async def test_time_passes_on_the_kits_clock(
    manual_clock: ManualClock, told: SocketBackend, ask: Ask, fault: Fault, seconds: float
) -> None:
    """To the hundredth of a second, and none of it real: the answer has 91 bytes."""
    told.fault(fault)
    before = manual_clock.now_s()
    got = await manual_clock.run(ask())

    assert got.json() == {"well": True}
    assert manual_clock.now_s() - before == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        (flaky(2), [503, 503, 200, 200, 200]),
        (flaky("x."), [503, 200, 503, 200, 503]),
        (flaky("..x", status(500)), [200, 200, 500, 200, 200]),
    ],
    ids=["the_first_two", "every_other", "another_fault"],
)
async def test_flaky_is_written_down(told: SocketBackend, ask: Ask, fault: Fault, codes: list[int]) -> None:
    """Which calls fail is the test's to say."""
    told.fault(fault)
    assert [(await ask()).status_code for _ in codes] == codes


async def test_mixed_is_drawn_from_its_seed(told: SocketBackend, ask: Ask) -> None:
    """The same calls meet the same in every run; with another seed, others; all of the lots come up."""

    async def drawn(seed: int) -> list[int]:
        told.fault(mixed(seed, {well(): 2, status(500): 1, status(429): 1}))
        return [(await ask()).status_code for _ in range(40)]

    first = await drawn(1)
    assert first == await drawn(1)
    assert first != await drawn(2)
    assert set(first) == {200, 500, 429}


async def test_a_fault_of_one_call_leaves_the_others(told: SocketBackend, ask: Ask) -> None:
    """By its template; a fault for all gives way to it."""
    told.answers("GET /y/{id}", {"y": True})
    told.fault(status(500), on="GET /y/{id}")
    async with httpx.AsyncClient(base_url=told.url) as client:
        assert (await client.get("/y/1")).status_code == 500
        assert (await ask()).status_code == 200
        told.fault(status(503))
        assert ((await client.get("/y/1")).status_code, (await ask()).status_code) == (500, 503)
    with pytest.raises(ValueError, match="shut for every call"):
        told.fault(down(), on="GET /x")


# What a fan-out makes of it: over the real pool, through the real server, on a clock turned by hand

JUDGED: dict[str, str | None] = {
    "down": "unreachable",
    "silent": "timeout",
    "slow": "timeout",
    "reset": "unreachable",
    "faulted": "faulted",
    "busy": "faulted",
    "refused": "refused",
    "invalid": "invalid",
}
MORE = {
    "hangs_up": (hangs_up(), "unreachable"),
    "cut": (raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[", "close"), "unreachable"),
    "drip_too_slowly": (drip(0.1), "timeout"),
    "always_flaky": (flaky("x"), "faulted"),
    "flaky_once": (flaky(1), None),
    "a_little_slow": (slow(0.3), None),
    "drip": (drip(0.001, 10), None),
}
ALL = MORE | {name: (fault, JUDGED[name]) for name, fault in USUAL_FAULTS.items()}


@pytest.mark.parametrize(("fault", "reason"), ALL.values(), ids=ALL)
async def test_a_fan_out_judges_it(
    manual_clock: ManualClock, small: Bff, backends: SocketBackends, fault: Fault, reason: str | None
) -> None:
    """The section is named with its reason, or nobody notices; the other is whole; once well again, so is the page."""
    backends[ITEMS].fault(fault)
    degraded = await small.get(PAGE)
    backends[ITEMS].well()
    whole = await small.get(PAGE)

    gaps = [(one["section"], one["reason"]) for one in degraded.json()["degraded"]]
    assert gaps == ([("items", reason)] if reason else [])
    assert (degraded.status_code, degraded.json()["ids"]) == (200, ["1", "2"])
    assert whole.json()["degraded"] == []
    assert [one["id"] for one in whole.json()["items"]] == ["u-1-1", "u-1-2"]


def test_the_table_has_every_usual_fault() -> None:
    """One that is added is added here."""
    assert JUDGED.keys() == USUAL_FAULTS.keys()


async def test_a_required_section_takes_the_status_of_its_reason(small: Bff, backends: SocketBackends) -> None:
    """On the real clock as well: nothing here takes time."""
    backends["lists"].fault(down())
    answered = await small.get(PAGE)

    assert (answered.status_code, answered.json()["section"]) == (503, "listed")


async def test_a_fault_can_change_while_a_call_waits(
    manual_clock: ManualClock, small: Bff, backends: SocketBackends
) -> None:
    """The first attempt meets silence, the second one a backend that came back: a whole answer, one timeout later."""
    backends[ITEMS].fault(silent(), on=ITEMS_OF)
    backends[ITEMS].fault(flaky(1, silent()), on=ITEMS_OF)
    began = manual_clock.now_s()
    answered = await small.get(PAGE)

    assert answered.json()["degraded"] == []
    assert 0.7 <= manual_clock.now_s() - began < 1
    assert [one.call for one in backends[ITEMS].requests] == ["GET /items?of={user}"] * 2
    assert LIST_OF.template == "/lists/{user}?limit=50"
