"""The fast HTTP/1.1 client: asyncio protocols and httptools, one future for a whole fan-out, no task for a call."""
