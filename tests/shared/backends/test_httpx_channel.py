"""The stock channel under anything that speaks httpx's transport seam."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.backends.httpx_channel import HttpxChannel
from shared.errors import AttemptTimedOut, BackendInvalid, BackendUnreachable, CallFailed
from tests.shared.backends.raw import Inbox, ask, request


def channel_of(handler: Any) -> HttpxChannel:
    return HttpxChannel("orders", "http://orders.test/base", httpx.MockTransport(handler))


async def test_a_mock_transport_can_stand_in() -> None:
    """BFF teams test with what they know: status, body and headers arrive, the request as it was declared."""
    seen: list[httpx.Request] = []

    def handler(sent: httpx.Request) -> httpx.Response:
        seen.append(sent)
        return httpx.Response(200, json=[1], headers={"X-A": "1"})

    channel = channel_of(handler)
    outcome = await ask(channel, request(target="/x?a=%26"))
    await channel.aclose()

    assert not isinstance(outcome, CallFailed)
    assert (outcome.status, outcome.body, outcome.header("x-a")) == (200, b"[1]", "1")
    assert str(seen[0].url) == "http://orders.test/base/x?a=%26"


async def test_case_s10_not_even_a_mock_transports_cookie_is_kept() -> None:
    """The jar takes nothing from any host."""
    seen: list[str | None] = []

    def handler(sent: httpx.Request) -> httpx.Response:
        seen.append(sent.headers.get("cookie"))
        return httpx.Response(200, headers={"set-cookie": "sid=A; path=/"})

    channel = channel_of(handler)
    for _ in range(3):
        await ask(channel)
    await channel.aclose()

    assert seen == [None, None, None]


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (httpx.ReadTimeout("x"), AttemptTimedOut),
        (httpx.ConnectError("x"), BackendUnreachable),
        (httpx.ReadError("x"), BackendUnreachable),
        (httpx.DecodingError("x"), BackendInvalid),
        (httpx.TooManyRedirects("x"), BackendInvalid),
        (httpx.InvalidURL("x"), BackendUnreachable),
        (RuntimeError("the client is closed"), BackendUnreachable),
        (ValueError("x"), BackendUnreachable),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
async def test_whatever_is_raised_the_receiver_hears_of_it_once(raised: Exception, kind: type[CallFailed]) -> None:
    """Also what stands outside httpx's tree: a call never waits for its timeout because of a surprise."""

    def handler(_: httpx.Request) -> httpx.Response:
        raise raised

    channel = channel_of(handler)
    inbox = Inbox()
    channel.send(request(), inbox)
    outcome = await inbox.outcome()
    await channel.aclose()

    assert isinstance(outcome, kind)
    assert len(inbox.heard) == 1


async def test_an_abort_cancels_the_call_and_nothing_more_is_heard() -> None:
    """Before its first step, and while it waits."""
    cancelled: list[bool] = []

    async def handler(_: httpx.Request) -> httpx.Response:
        try:
            await asyncio.sleep(timedelta(minutes=1).total_seconds())
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return httpx.Response(200)

    channel = channel_of(handler)
    at_once, later = Inbox(), Inbox()
    channel.send(request(), at_once).abort()
    exchange = channel.send(request(), later)
    for _ in range(20):
        await asyncio.sleep(0)
    exchange.abort()
    await channel.aclose()

    assert cancelled == [True]
    assert at_once.heard == later.heard == []
    assert not channel._receivers
