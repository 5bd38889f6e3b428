"""Envoy's administration: the questions the supervisor asks, and the orders it gives.

The only module that knows the admin paths and the names of Envoy's counters.
"""

import asyncio
import re
from typing import Any, Final

import httpx

from edge.units import Address

TIMEOUT_S: Final = 2.0
POLL_S: Final = 0.05


class Admin:
    """A running Envoy, seen through its admin listener. Answers of one that is not there yet are empty."""

    def __init__(self, address: Address) -> None:
        self._client = httpx.AsyncClient(base_url=f"http://{address}", timeout=TIMEOUT_S, trust_env=False)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def is_live(self) -> bool:
        """Whether Envoy has read everything once and serves."""
        try:
            return (await self._client.get("/ready")).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    async def wait_until_live(self, within_s: float) -> None:
        """Wait for ``is_live``; raises ``TimeoutError``."""
        async with asyncio.timeout(within_s):
            while not await self.is_live():  # noqa: ASYNC110 - another process, no event of ours
                await asyncio.sleep(POLL_S)

    async def counters(self, pattern: str) -> dict[str, int]:
        """Return the counters and gauges whose names match."""
        try:
            answer = await self._client.get("/stats", params={"filter": pattern})
        except httpx.HTTPError:
            return {}
        pairs = (line.rpartition(": ") for line in answer.text.splitlines())
        return {name: int(value) for name, _, value in pairs if value.isdigit()}

    async def verdicts(self, counter: str) -> tuple[int, int]:
        """Return how often a kind of update was accepted and rejected so far."""
        found = await self.counters(f"^{re.escape(counter)}\\.update_(success|rejected)$")
        return found.get(f"{counter}.update_success", 0), found.get(f"{counter}.update_rejected", 0)

    async def rejections(self) -> list[str]:
        """Return the reasons that Envoy remembers for updates it rejected."""
        try:
            dump = (await self._client.get("/config_dump", params={"resource": "dynamic_listeners"})).json()
        except (httpx.HTTPError, ValueError):
            return []
        return [one["error_state"]["details"] for one in dump.get("configs", []) if "error_state" in one]

    async def requests_active(self, listeners: list[str]) -> int:
        """Return how many requests are in flight on our listeners."""
        names = "|".join(map(re.escape, listeners))
        return sum((await self.counters(f"^http\\.({names})\\.downstream_rq_active$")).values())

    async def connections_active(self, entries: list[str]) -> int:
        """Return how many connections of our TCP entries are open."""
        names = "|".join(map(re.escape, entries))
        if not entries:
            return 0
        found = await self.counters(f"^listener\\.tcp\\.({names})\\.downstream_cx_active$")
        return sum(found.values())

    async def order(self, path: str, **parameters: Any) -> None:
        """Give an order; an Envoy that is gone has no need of it."""
        try:
            await self._client.post(path, params=parameters)
        except httpx.HTTPError:
            return
