"""Spans made afterwards from a ledger, and spans that the OpenTelemetry SDK made as it went: the same ones.

Each scenario runs twice over real sockets, once for each setting of ``tracing``. What came of it is compared whole
(names, kinds, parents, attributes, events, links, status, resource, scope, state), without ids and times; and it is
compared with a tree written down here, so that both cannot be wrong alike.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Any, Final, NamedTuple

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from shared.resilience.breaker import BreakerPolicy
from shared.resilience.hedge import HedgePolicy
from tests.shared.asgi.small_bff import ONE, RESOURCE, SmallBff
from tests.shared.backends.raw import Line, answers, http, never_answers, until

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
JOINED = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=1"}
SOON = HedgePolicy(after=timedelta(milliseconds=20))
BUSY = http(b"{}", status="503 Busy")

Drive = Callable[[SmallBff], Awaitable[object]]


class Scenario(NamedTuple):
    """What is done, over which policies, and the tree that it leaves."""

    drive: Drive
    options: dict[str, Any]
    tree: str


def get(path: str, **headers: str) -> Drive:
    async def drive(bff: SmallBff) -> None:
        await bff.client.get(path, headers={**bff.bearer, **JOINED, **headers})

    return drive


def script(backend: str, *raw: bytes, then: Drive) -> Drive:
    async def drive(bff: SmallBff) -> None:
        bff.backends[backend].script = answers(*raw)
        await then(bff)

    return drive


async def twice(bff: SmallBff) -> None:
    for _ in range(2):
        await bff.client.get("/small/chain", headers={**bff.bearer, **JOINED})


async def without_a_caller(bff: SmallBff) -> None:
    await bff.client.get("/small/needed", headers=bff.bearer)


async def an_unknown_method(bff: SmallBff) -> None:
    await bff.client.request("PROPFIND", "/small/needed", headers={**bff.bearer, **JOINED})


async def first_silent_then_well(line: Line) -> None:
    """The first exchange never ends; its hedge does."""
    first = len(line.backend.requests) == 0
    while await line.request() is not None:
        if first:
            await line.gone()
        await line.write(ONE)


async def hedged(bff: SmallBff) -> None:
    bff.backends["main"].script = first_silent_then_well
    await get("/small/needed")(bff)


async def cut_off(bff: SmallBff) -> None:
    bff.backends["slow"].script = never_answers
    await get("/small/screen", **{"x-deadline-ms": "300"})(bff)


async def left(bff: SmallBff) -> None:
    bff.backends["main"].script = never_answers
    asking = asyncio.ensure_future(get("/small/needed")(bff))
    await until(lambda: bff.backends["main"].open == 1, "the attempt is under way")
    asking.cancel()
    await asyncio.wait([asking])
    await until(lambda: 'status="499"' in bff.scraped, "the request has ended")


async def together(bff: SmallBff) -> None:
    """Two ask for the same; the backend answers when both wait."""
    both = asyncio.Event()

    async def when_both_wait(line: Line) -> None:
        while await line.request() is not None:
            await both.wait()
            await line.write(ONE)

    bff.backends["main"].script = when_both_wait
    flights = bff.app.state.backends.flights
    one = asyncio.ensure_future(get("/small/needed")(bff))
    await until(lambda: len(flights) == 1, "the first is under way")
    other = asyncio.ensure_future(without_a_caller(bff))
    await until(lambda: next(iter(flights.values())).waiting == 2, "the second has joined")
    both.set()
    await asyncio.gather(one, other)


SCENARIOS: Final = {
    "a whole answer": Scenario(get("/small/screen"), {}, """
SERVER GET /small/screen 200
  INTERNAL section mainItem fresh
    CLIENT GET main #1 200
  INTERNAL section otherItem fresh
    CLIENT GET other #1 200
  INTERNAL section slowItem fresh
    CLIENT GET slow #1 200
"""),
    "a retry": Scenario(script("main", BUSY, ONE, then=get("/small/needed")), {}, """
SERVER GET /small/needed 200
  INTERNAL section item fresh
    CLIENT GET main #1 503 ERROR faulted 'answered 503'
    CLIENT GET main #2 200
"""),
    "a hedge": Scenario(hedged, {"attempt_s": 30, "policy": {"hedge": SOON}}, """
SERVER GET /small/needed 200
  INTERNAL section item fresh
    CLIENT GET main #1 ERROR cancelled
    CLIENT GET main #2 200 hedge
"""),
    "two that share an exchange": Scenario(together, {}, """
SERVER GET /small/needed 200
  INTERNAL section item fresh
    CLIENT GET main #1 200
SERVER GET /small/needed 200
  INTERNAL section item fresh
    INTERNAL GET main #1 200 joined -> CLIENT GET main
"""),
    "cut off by the deadline": Scenario(cut_off, {"attempt_s": 30}, """
SERVER GET /small/screen 200 [slowItem:deadline:none]
  INTERNAL section mainItem fresh
    CLIENT GET main #1 200
  INTERNAL section otherItem fresh
    CLIENT GET other #1 200
  INTERNAL section slowItem none: deadline
    CLIENT GET slow #1 ERROR deadline
"""),
    "the client left": Scenario(left, {"attempt_s": 30}, """
SERVER GET /small/needed 499
  INTERNAL section item unused
    CLIENT GET main #1 ERROR cancelled
"""),
    "an older value, and a section that waits": Scenario(
        script("slow", ONE, http(b"{}", status="500 Oops"), then=twice), {"attempts": 1}, """
SERVER GET /small/chain 200
  INTERNAL section firstItem fresh
    CLIENT GET main #1 200
  INTERNAL section nextItem fresh -> INTERNAL section firstItem
    CLIENT GET other #1 200
  INTERNAL section oldItem fresh
    CLIENT GET slow #1 200
SERVER GET /small/chain 200 [oldItem:faulted:stale]
  INTERNAL section firstItem fresh
    CLIENT GET main #1 200
  INTERNAL section nextItem fresh -> INTERNAL section firstItem
    CLIENT GET other #1 200
  INTERNAL section oldItem stale: faulted 'answered 500'
    CLIENT GET slow #1 500 ERROR faulted 'answered 500'
"""),
    "rejected by an open breaker": Scenario(
        script("slow", http(b"{}", status="500 Oops"), then=twice),
        {"attempts": 1, "policy": {"breaker": BreakerPolicy(minimum_calls=1, jitter=0.0)}}, """
SERVER GET /small/chain 200 [oldItem:faulted:none]
  INTERNAL section firstItem fresh
    CLIENT GET main #1 200
  INTERNAL section nextItem fresh -> INTERNAL section firstItem
    CLIENT GET other #1 200
  INTERNAL section oldItem none: faulted 'answered 500'
    CLIENT GET slow #1 500 ERROR faulted 'answered 500'
SERVER GET /small/chain 200 [oldItem:rejected:none]
  INTERNAL section firstItem fresh
    CLIENT GET main #1 200
  INTERNAL section nextItem fresh -> INTERNAL section firstItem
    CLIENT GET other #1 200
  INTERNAL section oldItem none: rejected 'breaker is open'
"""),
    "what a section waits for is missing": Scenario(
        script("main", http(b"[]"), then=get("/small/chain")), {}, """
SERVER GET /small/chain 200 [firstItem:invalid:none,nextItem:invalid:none]
  INTERNAL section firstItem none: invalid 'payload does not fit in 1 places'
    CLIENT GET main #1 200 ERROR invalid 'payload does not fit in 1 places'
  INTERNAL section nextItem none: invalid 'payload does not fit in 1 places' -> INTERNAL section firstItem
  INTERNAL section oldItem fresh
    CLIENT GET slow #1 200
"""),
    "no such subject": Scenario(script("main", http(b"{}", status="404 Not Found"), then=get("/small/needed")), {}, """
SERVER GET /small/needed 404
  INTERNAL section item failed: refused 'answered 404' ERROR
    CLIENT GET main #1 404 ERROR refused 'answered 404'
"""),
    "a required section failed": Scenario(
        script("main", http(b"{}", status="500 Oops"), then=get("/small/needed")), {}, """
SERVER GET /small/needed 502 ERROR 502
  INTERNAL section item failed: faulted 'answered 500' ERROR
    CLIENT GET main #1 500 ERROR faulted 'answered 500'
"""),
    "a bug in the handler": Scenario(get("/small/boom"), {}, """
SERVER GET /small/boom 500 ERROR ZeroDivisionError !ZeroDivisionError
  INTERNAL section item fresh
    CLIENT GET main #1 200
"""),
    "no such route": Scenario(get("/small/nowhere"), {}, "SERVER GET 404"),
    "an unknown method": Scenario(an_unknown_method, {}, "SERVER HTTP /small/needed 405"),
    "a trace of our own": Scenario(without_a_caller, {}, """
SERVER GET /small/needed 200
  INTERNAL section item fresh
    CLIENT GET main #1 200
"""),
}  # fmt: skip


async def made(way: str, scenario: Scenario) -> list[ReadableSpan]:
    async with SmallBff(traced=True, tracing=way, **scenario.options) as bff:
        await scenario.drive(bff)
    spans = bff.spans()
    assert len({span.context.span_id for span in spans}) == len(spans)
    return sorted(spans, key=lambda span: span.start_time or 0)


@pytest.mark.parametrize("name", SCENARIOS)
async def test_both_ways_tell_the_same(name: str) -> None:
    """Everything but ids and times is equal, and it is what is written here."""
    scenario = SCENARIOS[name]
    ours, theirs = await made("ledger", scenario), await made("sdk", scenario)

    assert "\n".join(tree(ours)) == scenario.tree.strip()
    assert whole(ours) == whole(theirs)
    assert all(span.resource is RESOURCE for span in ours)


def whole(spans: list[ReadableSpan]) -> list[dict[str, Any]]:
    """Say all of every span but its ids and times; who is meant by an id is said by name."""
    named = {span.context.span_id: f"{span.kind.name} {span.name}" for span in spans}
    depth_first = [span for span, _ in walk(spans)]
    return [
        {
            "name": span.name,
            "kind": span.kind,
            "parent": span.parent and (named.get(span.parent.span_id, SPAN), span.parent.is_remote),
            "joined": span.context.trace_id == int(TRACE, 16),
            "sampled": span.context.trace_flags.sampled,
            "state": span.context.trace_state.to_header(),
            "attributes": dict(span.attributes or {}),
            "events": [(event.name, dict(event.attributes or {})) for event in span.events],
            "links": [(named[link.context.span_id], dict(link.attributes or {})) for link in span.links],
            "status": (span.status.status_code, span.status.description),
            "resource": dict(span.resource.attributes),
            "scope": span.instrumentation_scope,
            "ended in order": (span.start_time or 0) <= (span.end_time or 0),
        }
        for span in depth_first
    ]


def walk(spans: list[ReadableSpan]) -> Iterable[tuple[ReadableSpan, int]]:
    """Yield every span with its depth, parents first; siblings by name and number, since they begin at one moment."""
    ids = {span.context.span_id for span in spans}

    def under(parent: int | None, depth: int) -> Iterable[tuple[ReadableSpan, int]]:
        if parent is None:
            children = [one for one in spans if one.parent is None or one.parent.span_id not in ids]
        else:
            children = [one for one in spans if one.parent is not None and one.parent.span_id == parent]
            children.sort(key=lambda one: (one.name, (one.attributes or {}).get("frontage.attempt", 0)))
        for child in children:
            yield child, depth
            yield from under(child.context.span_id, depth + 1)

    return under(None, 0)


def tree(spans: list[ReadableSpan]) -> list[str]:
    """Draw the spans as a person would."""
    named = {span.context.span_id: f"{span.kind.name} {span.name}" for span in spans}
    return [f"{'  ' * depth}{named[span.context.span_id]} {told(span, named)}".rstrip() for span, depth in walk(spans)]


def told(span: ReadableSpan, named: dict[int, str]) -> str:
    said = dict(span.attributes or {})
    detail = f"'{said['frontage.detail']}'" if "frontage.detail" in said else ""
    reason = f": {said['frontage.reason']}" if "frontage.reason" in said else ""
    parts = [
        f"#{said['frontage.attempt']}" if "frontage.attempt" in said else "",
        f"{said.get('frontage.outcome', '')}{reason}",
        detail if reason else "",
        str(said.get("http.response.status_code", "")),
        f"[{said['frontage.degraded']}]" if "frontage.degraded" in said else "",
        "ERROR" if not span.status.is_unset else "",
        str(said.get("error.type", "")),
        "" if reason else detail,
        *(mark for mark in ("hedge", "joined") if said.get(f"frontage.{mark}")),
        *(f"!{(event.attributes or {})['exception.type']}" for event in span.events),
        *(f"-> {named[link.context.span_id]}" for link in span.links),
    ]
    return " ".join(part for part in parts if part)
