"""Asks a service whether it is ready: one question at a time, over its own health URL."""

import asyncio
from typing import Final
from urllib.parse import urlsplit

# Often enough that a fast start shows as fast, seldom enough that ten starting services are not slowed by it.
ASK_EVERY_S: Final = 0.1
# One question's patience: a service that accepts and then says nothing is not ready.
ANSWER_WITHIN_S: Final = 2.0


async def until_ready(url: str | None) -> None:
    """Return once ``url`` answers 200 (``http``), or accepts (``tcp``); at once where there is nothing to ask."""
    while url is not None and not await _answers(url):  # noqa: ASYNC110 - another process has no Event to wait for
        await asyncio.sleep(ASK_EVERY_S)


async def _answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            try:
                if parts.scheme == "tcp":
                    return True
                writer.write(f"GET {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\nconnection: close\r\n\r\n".encode())
                status = await reader.readline()
                return status.split(b" ")[1:2] == [b"200"]
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
