"""When nobody waits any more, backends see their connections close (over a real server on a real socket)."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn

from bffs.web.app import create_app
from tests.bffs.web.loopback import World, silence, until
from tests.bffs.web.web import BOTH, DASHBOARD, PATH, settings


@pytest.fixture
async def served(world: World) -> AsyncIterator[str]:
    """The app behind uvicorn, on a free port."""
    app = create_app(settings(world.url))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1))
        task = asyncio.create_task(server._serve(sockets=[listening]))
        await until(lambda: server.started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await task


@pytest.fixture
def headers(issuer) -> dict[str, str]:
    """What a signed-in client sends."""
    return {"authorization": f"Bearer {issuer.token()}", "content-type": "application/json"}


async def test_a_client_that_leaves_takes_every_call_with_it(served: str, world: World, headers: dict) -> None:
    """Two root fields, three silent backends, three calls (one for both): all closed within a moment of the client."""
    world.acts |= dict.fromkeys(("users", "orders", "alerts"), silence())
    text = BOTH.replace("displayName alerts", "displayName recentOrders { id } alerts")

    async with httpx.AsyncClient(base_url=served) as client:
        asking = asyncio.create_task(client.post(PATH, json={"query": text}, headers=headers))
        await until(lambda: sum(world.asked().values()) == 3)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    await until(lambda: world.left.total() == 3)
    assert world.left == {"users": 1, "orders": 1, "alerts": 1}


async def test_the_deadline_takes_every_call_with_it(served: str, world: World, headers: dict) -> None:
    """The answer is there by the deadline, and the silent backend sees the close."""
    world.acts["alerts"] = silence()
    loop = asyncio.get_running_loop()

    async with httpx.AsyncClient(base_url=served) as client:
        await client.post(
            PATH, json={"query": "{ viewer { tier } }"}, headers=headers
        )  # the issuer's keys are here now
        began = loop.time()
        answer = await client.post(PATH, json={"query": DASHBOARD}, headers=headers | {"x-deadline-ms": "300"})
        took = loop.time() - began

    assert took < 0.65, "it was the deadline, not the end of the first attempt, that ended it"
    (gap,) = answer.json()["data"]["dashboard"]["degraded"]
    assert (gap["section"], gap["reason"]) == ("alerts", "deadline")
    await until(lambda: world.left["alerts"] == 1)


async def half_a_request(served: str, headers: dict, sent: bytes, announced: int) -> tuple[str, dict]:
    """Send a request whose body does not end; return the status line and the problem that answers it."""
    host, port = served.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [f"POST {PATH} HTTP/1.1", f"host: {host}", f"content-length: {announced}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + sent)
    async with asyncio.timeout(2):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
        problem = json.loads(await reader.readexactly(length))
    writer.close()
    await writer.wait_closed()
    return head.splitlines()[0], problem


async def test_a_body_too_large_is_answered_before_it_is_whole(served: str, headers: dict) -> None:
    """A client that announces a gigabyte learns at once that it is too much."""
    status, problem = await half_a_request(served, headers, b" " * 300_000, 1_000_000_000)

    assert " 413 " in status
    assert problem["code"] == "payload_too_large"


async def test_a_body_that_never_ends_is_answered_by_the_deadline(served: str, headers: dict) -> None:
    """Half a body and then nothing: the deadline holds for reading, too."""
    status, problem = await half_a_request(served, headers | {"x-deadline-ms": "200"}, b'{"query": ', 100)

    assert " 504 " in status
    assert problem["code"] == "deadline_exceeded"
