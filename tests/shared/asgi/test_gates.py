"""Breaker, bulkhead and hedge of a whole BFF, over real sockets."""

from datetime import timedelta
from typing import Any

import pytest

from shared.resilience.breaker import BreakerPolicy
from shared.resilience.bulkhead import BulkheadPolicy
from shared.resilience.hedge import HedgePolicy
from tests.shared.asgi.service import until
from tests.shared.asgi.small_bff import ONE, SmallBff, by_name
from tests.shared.backends.raw import Line, answers, http

FAULT = http(b"", status="500 Internal Server Error")


def state(bff: SmallBff, name: str) -> Any:
    return bff.app.state.backends.states[name]


@pytest.mark.parametrize("route", ["lean", "fastapi"])
@pytest.mark.parametrize(
    ("priority", "served"), [("prefetch", False), ("refresh", True), ("user", True), ("nonsense", True), (None, True)]
)
async def test_under_load_a_prefetch_goes_first(priority: str | None, served: bool, route: str) -> None:
    """Three quarters of one backend's permits are taken: a prefetch lacks that section, anything else is whole."""
    async with SmallBff(route=route, policy={"bulkhead": BulkheadPolicy(max_concurrent=40)}) as bff:
        for _ in range(30):
            state(bff, "main").bulkhead.acquire()
        headers = {**bff.bearer, **({"x-priority": priority} if priority else {})}

        answer = await bff.client.get("/small/screen", headers=headers)
        needed = await bff.client.get("/small/needed", headers=headers)

    assert answer.status_code == 200
    gaps = [(gap["section"], gap["reason"], gap["retryAfterSeconds"]) for gap in answer.json()["degraded"]]
    assert gaps == ([] if served else [("mainItem", "rejected", 2)])
    assert needed.status_code == (200 if served else 503)
    if not served:
        assert (needed.headers["retry-after"], needed.json()["code"]) == ("2", "overloaded")


async def test_a_broken_backend_is_left_alone_and_the_metrics_say_so() -> None:
    """After the failures that opened it nothing is sent; the section says when to come back; the others are whole."""
    async with SmallBff(policy={"breaker": BreakerPolicy(minimum_calls=3)}) as bff:
        bff.backends["slow"].script = answers(FAULT)
        for _ in range(3):
            assert (await bff.client.get("/small/screen", headers=bff.bearer)).json()["slow"] is None
        sent = len(bff.backends["slow"].requests)

        answer = await bff.client.get("/small/screen", headers=bff.bearer)

        (gap,) = answer.json()["degraded"]
        assert (gap["section"], gap["reason"]) == ("slowItem", "rejected")
        assert 4 <= gap["retryAfterSeconds"] <= 6
        assert len(bff.backends["slow"].requests) == sent == 3
        assert 'frontage_backend_breaker{backend="slow",state="open"} 1.0' in bff.scraped
        assert 'frontage_backend_breaker{backend="main",state="closed"} 1.0' in bff.scraped
        assert 'frontage_backend_breaker_turns_total{backend="slow",state="open"} 1.0' in bff.scraped


@pytest.mark.parametrize("transport", ["wire", "httpx"])
async def test_case_s11_a_over_sockets_the_loser_sees_the_close(transport: str) -> None:
    """The first connection never answers, the second does: whole in time, and the first is closed at once."""
    async with SmallBff(transport=transport, traced=True, attempt_s=30, policy={
        "hedge": HedgePolicy(after=timedelta(milliseconds=50)),
    }) as bff:  # fmt: skip
        slow = bff.backends["slow"]

        async def first_hangs(line: Line) -> None:
            first = slow.accepted == 1
            while await line.request() is not None:
                if first:
                    await line.gone()
                    return
                await line.write(ONE)

        slow.script = first_hangs
        answer = await bff.client.get("/small/screen", headers=bff.bearer)

        assert answer.json()["degraded"] == []
        assert len(slow.requests) == 2
        await until(lambda: slow.open == 1, "the loser saw the close")
        assert state(bff, "slow").bulkhead.in_flight == 0
        if transport == "wire":
            assert (state(bff, "slow").channel.active, state(bff, "slow").channel.connections) == (0, 1)
        assert 'frontage_backend_hedges_total{backend="slow",won="yes"} 1.0' in bff.scraped

    section = by_name(bff.spans(), "section slowItem")
    over = [one for one in bff.spans() if one.parent and one.parent.span_id == section.context.span_id]
    told = [(one.attributes["frontage.attempt"], one.attributes.get("frontage.hedge"),
             one.attributes.get("frontage.cancelled")) for one in over if one.attributes]  # fmt: skip
    assert told == [(1, None, True), (2, True, None)]
