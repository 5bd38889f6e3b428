"""Three edges, two limiters, one store: together they admit the limit; edges that count alone admit three times it."""

import asyncio
import ssl
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.edge.edges import wait_for

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def fleet(store, new_limiter, new_edge):
    limiters = [new_limiter(store.url, FRONTAGE_DRAIN_DELAY="PT1S") for _ in range(2)]
    named = {"LIMITER_A": limiters[0].address, "LIMITER_B": limiters[1].address}
    edges = [new_edge((HERE / "fleet.yaml").read_text(), **named) for _ in range(3)]
    yield edges, limiters
    for edge in edges:
        edge.stop()


async def storm(edges, path: str, calls: int, address: str) -> Counter:
    """Send calls to all edges in turn, all at once; count the statuses."""
    context = ssl.create_default_context(cafile=str(edges[0].ca))
    headers = {"x-forwarded-for": address}
    clients = [
        httpx.AsyncClient(
            base_url=f"https://localhost:{edge.port}", verify=context, http2=True, headers=headers, trust_env=False,
            timeout=30,
        )
        for edge in edges
    ]  # fmt: skip
    try:
        answers = await asyncio.gather(*(clients[n % len(clients)].get(path) for n in range(calls)))
        return Counter(one.status_code for one in answers)
    finally:
        for client in clients:
            await client.aclose()


@pytest.mark.parametrize("path", ["/window/x", "/log/x", "/bucket/x", "/both/x"])
async def test_case_l4_e_three_edges_admit_the_limit_exactly(fleet, fresh, path):
    """Three hundred calls at once over three edges and two limiters: a hundred pass, none more, none fewer."""
    edges, limiters = fleet
    before = [one.metric('frontage_store_questions_total{outcome="answered"}') for one in limiters]
    assert await storm(edges, path, 300, "10.0.0.1") == {200: 100, 429: 200}
    after = [one.metric('frontage_store_questions_total{outcome="answered"}') for one in limiters]
    assert all(now > then for now, then in zip(after, before, strict=True)), "one limiter judged nothing"


async def test_edges_that_count_alone_admit_three_times_the_limit(fleet):
    """The seed's factor, shown: what ``scope: instance`` means for a fleet."""
    assert await storm(fleet[0], "/here/x", 450, "10.0.0.2") == {200: 300, 429: 150}


@pytest.mark.long  # two restarts, and the health checks that notice them
async def test_a_limiter_that_leaves_in_order_loses_no_check(fleet, fresh):
    """SIGTERM under load, one after the other: with ``closed`` every lost check would be a 503; there is none."""
    edges, limiters = fleet
    seen: Counter = Counter()
    going = True

    async def load(number: int) -> None:
        while going:
            seen.update(await storm(edges, "/strict/x", 12, f"10.0.1.{number}"))

    work = [asyncio.create_task(load(number)) for number in range(3)]
    try:
        for limiter in limiters:
            enough = seen.total() + 60
            await asyncio.to_thread(wait_for, lambda enough=enough: seen.total() > enough, "load runs", 30)
            assert await asyncio.to_thread(limiter.stop) == 0
            enough = seen.total() + 60
            await asyncio.to_thread(wait_for, lambda enough=enough: seen.total() > enough, "load goes on", 30)
            await asyncio.to_thread(limiter.start)
            back = [lambda edge=edge, limiter=limiter: healthy(edge, limiter) for edge in edges]
            for is_back in back:
                await asyncio.to_thread(wait_for, is_back, "every edge uses it again", 30)
    finally:
        going = False
        await asyncio.gather(*work)
    assert seen == {200: seen.total()}


def healthy(edge, limiter) -> bool:
    wanted = f"frontage.limiter::{limiter.address}::health_flags::healthy"
    return wanted in edge.admin("/clusters").text.splitlines()
