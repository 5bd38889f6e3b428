"""A service comes and goes in order: ready, draining, the last answer out, exit 0. A process of its own."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.shared.asgi.service import PATIENCE_S


class Served:
    """The process, where it listens, and the log lines read so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self.url = ""

    async def read_until(self, pattern: str) -> str:
        """Read the log up to a line whose event fits; every line must be JSON."""
        assert self.process.stdout is not None
        async with asyncio.timeout(4 * PATIENCE_S):
            while line := await self.process.stdout.readline():
                self.lines.append(json.loads(line))
                if found := re.search(pattern, self.lines[-1]["event"]):
                    return found[0]
        raise AssertionError(f"the log ended without {pattern}: {self.lines}")

    async def ended(self) -> int:
        """Return the exit code."""
        async with asyncio.timeout(4 * PATIENCE_S):
            out, _ = await self.process.communicate()
        self.lines += [json.loads(line) for line in out.splitlines()]
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def served(listen: str = "127.0.0.1:0", **settings: str) -> AsyncIterator[Served]:
    environment = {**os.environ, "FRONTAGE_LISTEN": listen, **{f"FRONTAGE_{k.upper()}": v for k, v in settings.items()}}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.shared.asgi.served", env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Served(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def in_flight(url: str, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Post a body of which only a part is sent; return when the service asks for the rest: then it is in flight."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    head = f"POST {path} HTTP/1.1\r\nhost: t\r\ncontent-length: 8\r\nexpect: 100-continue\r\n\r\n"
    writer.write(head.encode())
    async with asyncio.timeout(4 * PATIENCE_S):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
    return reader, writer


async def closed(url: str) -> None:
    """Wait until nobody listens there any more."""
    async with asyncio.timeout(4 * PATIENCE_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
            except OSError:
                return
            writer.close()


async def test_the_first_signal_drains_and_the_service_exits_with_0() -> None:
    """Not ready but open for the drain delay; the request in flight is answered; every log line is JSON."""
    async with served(drain_delay="PT2S", drain_grace="PT20S") as one, httpx.AsyncClient() as client:
        url = await one.read_until(r"http://127.0.0.1:\d+")
        reader, writer = await in_flight(url, "/raw")

        one.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(4 * PATIENCE_S):
            while (await client.get(f"{url}/health/ready")).status_code != 503:
                pass
        assert (await client.get(f"{url}/ok")).status_code == 200

        await closed(url)
        writer.write(b"12345678")
        async with asyncio.timeout(4 * PATIENCE_S):
            answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b"\r\n\r\n8")
        assert await one.ended() == 0
    events = [line["event"] for line in one.lines]
    assert events[0] == "starting"
    assert events[-1] == "stopped"
    assert [line["status"] for line in one.lines if line["event"] == "request"] == [200, 200]


async def test_the_second_signal_ends_it_at_once() -> None:
    """An operator who presses twice means it: what is in flight is not waited for."""
    async with served(drain_grace="PT60S") as one:
        url = await one.read_until(r"http://127.0.0.1:\d+")
        reader, writer = await in_flight(url, "/raw")

        one.process.send_signal(signal.SIGINT)
        await closed(url)
        assert one.process.returncode is None
        one.process.send_signal(signal.SIGINT)

        assert await one.ended() == 0
        answer = await reader.read()
        writer.close()
    assert answer == b"" or b" 500 " in answer.partition(b"\r\n")[0]


async def test_a_busy_port_is_an_error() -> None:
    """Said in the log, and by the exit code."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        async with served(address) as one:
            assert await one.ended() != 0

    assert any("address already in use" in line["event"] for line in one.lines)
