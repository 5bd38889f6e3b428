"""Field case M5: the client leaves, and no backend goes on working for it."""

import asyncio
import re
import time

import pytest

from tests.shared.asgi.service import until
from tests.shared.asgi.small_bff import ONE, SmallBff
from tests.shared.backends.raw import answers, never_answers


@pytest.mark.parametrize(("transport", "clients"), [("wire", 200), ("httpx", 40)])
async def test_case_m5_all_clients_leave_and_the_next_is_answered(transport: str, clients: int) -> None:
    """Every leg sees the close within a second, nothing is counted as an error, and the next client is answered."""
    async with SmallBff(connections=20, attempt_s=30, transport=transport) as bff:
        for backend in bff.backends.values():
            backend.script = never_answers
        head = "".join(f"{name}: {value}\r\n" for name, value in bff.bearer.items())
        request = f"GET /small/screen HTTP/1.1\r\nhost: t\r\n{head}\r\n".encode()
        port = int(bff.url.rpartition(":")[2])
        writers = []
        for _ in range(clients):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            writers.append(writer)
        await asyncio.sleep(0.1)
        await until(lambda: all(backend.open >= 20 for backend in bff.backends.values()), "the legs hang")

        for writer in writers:
            writer.close()
        left_at = time.monotonic()
        await until(lambda: all(backend.open == 0 for backend in bff.backends.values()), "every leg saw the close")
        assert time.monotonic() - left_at < 1.0

        for state in bff.app.state.backends._states.values():
            assert state.bulkhead.in_flight == 0
            if transport == "wire":
                assert (state.channel.active, state.channel.connections) == (0, 0)
        for backend in bff.backends.values():
            backend.script = answers(ONE)
        answer = await bff.client.get("/small/screen", headers=bff.bearer)

        assert answer.json()["degraded"] == []
        counted = dict(re.findall(r'requests_total{.*route="/small/screen",status="(\d+)"} (\d+)', bff.scraped))
        assert counted == {"200": "1", "499": str(clients)}
        outcomes = set(re.findall(r'attempts_total{backend="\w+",outcome="(\w+)"}', bff.scraped))
        assert outcomes == {"ok", "cancelled"}
