"""When nobody waits any more, backends see their connections close (over a real server on a real socket)."""

import asyncio
import json

import pytest

from shared.testing.faults import silent
from shared.testing.issuer import Issuer
from shared.testing.sockets import SocketBackends
from tests.bffs.web.web import BOTH, DASHBOARD, EXPLORER, PATH, Web

BACKENDS = ("users", "orders", "alerts")


@pytest.fixture
def headers(issuer: Issuer) -> dict[str, str]:
    """What a signed-in client sends."""
    return issuer.signed_in(scope=EXPLORER) | {"content-type": "application/json"}


async def test_a_client_that_leaves_takes_every_call_with_it(web: Web, backends: SocketBackends) -> None:
    """Two root fields, three silent backends, three calls (one for both): all closed within a moment of the client."""
    for name in BACKENDS:
        backends[name].fault(silent())
    text = BOTH.replace("displayName alerts", "displayName recentOrders { id } alerts")

    asking = asyncio.create_task(web.query(text))
    await backends.until(lambda: len(backends.requests) == 3, "three calls")
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    await backends.until(lambda: all(backends[name].left == 1 for name in BACKENDS), "each sees it leave")


async def test_the_deadline_takes_every_call_with_it(web: Web, backends: SocketBackends) -> None:
    """The answer is there by the deadline, and the silent backend sees the close."""
    backends["alerts"].fault(silent())
    loop = asyncio.get_running_loop()

    await web.query("{ viewer { tier } }")  # the issuer's keys are here now
    began = loop.time()
    answer = await web.query(DASHBOARD, headers={"x-deadline-ms": "300"})
    took = loop.time() - began

    assert took < 0.65, "it was the deadline, not the end of the first attempt, that ended it"
    (gap,) = answer.json()["data"]["dashboard"]["degraded"]
    assert (gap["section"], gap["reason"]) == ("alerts", "deadline")
    await backends.until(lambda: backends["alerts"].left == 1, "it sees the close")


async def half_a_request(web: Web, headers: dict[str, str], sent: bytes, announced: int) -> tuple[str, dict]:
    """Send a request whose body does not end; return the status line and the problem that answers it."""
    url = web.http.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    lines = [f"POST {PATH} HTTP/1.1", f"host: {url.host}", f"content-length: {announced}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + sent)
    async with asyncio.timeout(2):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
        problem = json.loads(await reader.readexactly(length))
    writer.close()
    await writer.wait_closed()
    return head.splitlines()[0], problem


async def test_a_body_too_large_is_answered_before_it_is_whole(web: Web, headers: dict[str, str]) -> None:
    """A client that announces a gigabyte learns at once that it is too much."""
    status, problem = await half_a_request(web, headers, b" " * 300_000, 1_000_000_000)

    assert " 413 " in status
    assert problem["code"] == "payload_too_large"


async def test_a_body_that_never_ends_is_answered_by_the_deadline(web: Web, headers: dict[str, str]) -> None:
    """Half a body and then nothing: the deadline holds for reading, too."""
    status, problem = await half_a_request(web, headers | {"x-deadline-ms": "200"}, b'{"query": ', 100)

    assert " 504 " in status
    assert problem["code"] == "deadline_exceeded"
