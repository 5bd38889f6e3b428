"""Field case T4: a collector that is down, deaf or slow costs traces (counted), never an answer and never an exit.

What it costs in time is measured by ``make bench GROUPS=tracing``; here the structure is held: the only thread that
ever talks to a collector is the export's own, its queue is bounded, and its end is.
"""

import asyncio
import re
import signal
import time
from collections.abc import Iterator
from typing import get_args

import httpx
import pytest

from shared.asgi.defaults import FLUSH_WITHIN_S
from shared.telemetry.export import BATCH, QUEUE_LENGTH
from shared.telemetry.ledger import Ledger, TraceOrigin
from tests.shared.asgi.small_bff import SmallBff
from tests.shared.asgi.test_serve import served
from tests.shared.backends.raw import until
from tests.shared.telemetry.collector import LATENCY_S, Collector, State, threads_that_connect_to

JOINED = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}
BAD: tuple[State, ...] = tuple(state for state in get_args(State) if state != "well")
REQUESTS = 10
# A busy machine's slack on top of what is promised.
SLACK_S = 4.0


@pytest.fixture
def collector() -> Iterator[Collector]:
    one = Collector("refused")
    yield one
    one.close()


def dropped(scraped: str) -> dict[str, int]:
    found = re.findall(r'frontage_traces_dropped_total\{why="(\w+)"\} ([\d.]+)', scraped)
    return {why: int(float(count)) for why, count in found}


async def ask(bff: SmallBff, times: int) -> list[str]:
    """Return the trace ids of so many whole answers."""
    answers = [await bff.client.get("/small/needed", headers=bff.bearer) for _ in range(times)]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.headers["x-trace-id"] for answer in answers]


@pytest.mark.parametrize(("state", "tracing"), [*((state, "ledger") for state in BAD), ("silent", "sdk")])
async def test_case_t4_no_answer_waits_for_a_collector(state: State, tracing: str, collector: Collector) -> None:
    """Every answer is whole; only the export's thread connects; the end is in time, and says how many are lost."""
    collector.become(state)
    with threads_that_connect_to(collector.port) as threads:
        async with SmallBff(otlp_endpoint=collector.url, tracing=tracing) as bff:
            await ask(bff, REQUESTS)
            await until(lambda: bool(threads), "the export has begun")
            began = time.monotonic()
        took = time.monotonic() - began

    assert threads == {"trace-export"}
    assert took < FLUSH_WITHIN_S + SLACK_S
    lost = dropped(bff.scraped)
    per_trace = 3 if tracing == "sdk" else 1
    assert sum(lost.values()) == REQUESTS * per_trace, "delivered or not: nobody can know, so they count as lost"
    assert "queue_full" not in lost


@pytest.mark.parametrize(("state", "tracing"), [("refused", "ledger"), ("silent", "ledger"), ("refused", "sdk")])
async def test_case_t4_when_it_is_back_so_is_the_export(state: State, tracing: str, collector: Collector) -> None:
    """By itself, and with what was waiting meanwhile."""
    collector.become(state)
    async with SmallBff(otlp_endpoint=collector.url, tracing=tracing) as bff:
        before = await ask(bff, REQUESTS)
        if state == "silent":
            await until(collector.asked.is_set, "the export is under way")
        collector.become("well")
        after = await ask(bff, REQUESTS)
        await until(lambda: set(after) <= set(collector.traces), "new traces arrive")

    assert dropped(bff.scraped) == {}
    assert set(before) <= set(collector.traces)


async def test_case_t4_the_queue_is_bounded_and_counts_what_it_had_no_room_for(collector: Collector) -> None:
    """Ten minutes of load are the same as one: a full queue stays as it is."""
    collector.become("silent")
    async with SmallBff(otlp_endpoint=collector.url) as bff:
        await ask(bff, 1)
        await until(collector.asked.is_set, "the export is under way")
        tracing = bff.observer().tracing
        ledger = Ledger(TraceOrigin("ab" * 16, None, sampled=True, tracestate=""), "GET", 1.0)
        for _ in range(QUEUE_LENGTH + 100):
            tracing.finish(ledger)
        while_full = dropped(bff.scraped)
        waiting = len(tracing._export._queue) + tracing._export._under_way

    assert while_full == {"queue_full": 100}
    assert waiting == QUEUE_LENGTH + 1 <= QUEUE_LENGTH + BATCH
    assert dropped(bff.scraped) == {"queue_full": 100, "closing": waiting}


async def test_case_t4_a_slow_collector_gets_its_traces(collector: Collector) -> None:
    """5 s for an answer is no failure while the service runs: none is lost, none is sent twice."""
    collector.become("slow")
    async with SmallBff(otlp_endpoint=collector.url) as bff:
        (trace,) = await ask(bff, 1)
        async with asyncio.timeout(LATENCY_S + SLACK_S):
            while trace not in collector.traces:  # noqa: ASYNC110 - another thread's list sets no event
                await asyncio.sleep(0.05)
        collector.become("well")

    assert collector.traces == [trace]
    assert dropped(bff.scraped) == {}


@pytest.mark.parametrize("state", ["refused", "silent"])
async def test_case_t4_a_service_exits_in_time(state: State, collector: Collector) -> None:
    """SIGTERM: exit 0 within the time to flush, whatever the collector does; the log says what was left behind."""
    collector.become(state)
    async with served(otlp_endpoint=collector.url, drain_grace="PT2S") as one, httpx.AsyncClient() as client:
        url = await one.read_until(r"http://127.0.0.1:\d+")
        for _ in range(3):
            assert (await client.get(f"{url}/ok", headers=JOINED)).status_code == 200
        if state != "refused":
            await until(collector.asked.is_set, "the export is under way")
        await client.aclose()
        one.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert await one.ended() == 0
        took = time.monotonic() - began

    assert took < 2.0 + FLUSH_WITHIN_S + SLACK_S
    (left,) = [line for line in one.lines if line["event"] == "traces_left_behind"]
    assert left["count"] == 3
