"""Constant load that forgives nothing: clients of HTTP/1.1 and HTTP/2 that never repeat what a server may have seen.

A client does what the protocols tell it: it opens another connection after ``Connection: close`` or GOAWAY, and sends
again only a stream that GOAWAY says was not seen (RFC 9113 §6.8). Everything else that is no whole good answer is lost.
"""

import asyncio
import json
import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

import httpx

from shared.errors import ProblemCode
from tests.edge.lines import HOST, LOST, PATIENCE_S, Ask, Http1Line, Http2Line, Unseen

# Forty requests a second from all clients together: a pause of a tenth is noticed, and a busy machine can follow.
THINKS_S = 0.2
STREAMS = 3  # at once, on one connection
# Of all answers, on a machine that is busy with something else; on one that is not, there is none.
LATE = 0.01


@dataclass
class Tally:
    """What the clients saw. ``opened`` counts connections, by client; ``moved`` streams that were sent twice.

    ``late`` are whole answers that say that a BFF did not get its turn within three seconds: that is the machine's.
    """

    answered: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    late: int = 0
    refused: list[str] = field(default_factory=list)
    opened: Counter[str] = field(default_factory=Counter)
    moved: int = 0

    def judge(self, who: str, ask: Ask, status: int, body: bytes) -> None:
        """Count one answer."""
        if status == httpx.codes.GATEWAY_TIMEOUT and json.loads(body)["code"] == ProblemCode.DEADLINE_EXCEEDED:
            self.late += 1
            return
        wrong = f"status {status}: {body[:200]!r}" if status != httpx.codes.OK else ask.misfit(json.loads(body))
        if wrong:
            self.lost.append(f"{who}: {wrong}")
        else:
            self.answered[who] += 1

    def nothing_is_lost(self) -> None:
        """Every request had its answer, and every connection was to be had."""
        assert not self.lost, self.lost
        assert not self.refused, self.refused
        assert self.late <= LATE * self.answered.total(), f"{self.late} of {self.answered.total()} were late"


class Steady:
    """``async with Steady(port, trust, asks) as load:`` keeps asking until it is left; ``load.tally`` is the result."""

    def __init__(self, port: int, trust: Mapping[str, ssl.SSLContext], asks: tuple[Ask, ...], clients: int = 1) -> None:
        self.tally = Tally()
        self._port, self._trust, self._asks, self._clients = port, trust, asks, clients
        self._going = True

    async def __aenter__(self) -> Self:
        """Begin, and return when everybody has had an answer."""
        workers = [self._http1(ask, n) for ask in self._asks for n in range(self._clients)]
        self._pools = [Http2Pool(f"h2 {ask.name}", self) for ask in self._asks]
        for ask, pool in zip(self._asks, self._pools, strict=True):
            workers += [self._http2(ask, pool) for _ in range(STREAMS)]
        self._work = [asyncio.create_task(worker) for worker in workers]
        everybody = {f"{protocol} {ask.name}" for protocol in ("http/1.1", "h2") for ask in self._asks}
        await self.until(lambda: everybody <= set(self.tally.answered))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._going = False
        await asyncio.gather(*self._work)
        for pool in self._pools:
            pool.close()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for it under load, within a bound; what is lost meanwhile ends the wait."""
        async with asyncio.timeout(2 * PATIENCE_S):
            while not holds() and not self.tally.lost and not self.tally.refused:  # noqa: ASYNC110 - any condition
                await asyncio.sleep(0.02)

    async def connect(self, who: str, protocol: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """Open a connection; None, and counted, when that is not possible."""
        context = self._trust[protocol]
        self.tally.opened[who] += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await asyncio.open_connection("127.0.0.1", self._port, ssl=context, server_hostname=HOST)
        except (OSError, TimeoutError) as error:
            self.tally.refused.append(f"{who}: {error!r}")
            await asyncio.sleep(THINKS_S)
            return None

    async def _http1(self, ask: Ask, number: int) -> None:
        who, line = f"http/1.1 {ask.name}", None
        while self._going:
            if line is None:
                streams = await self.connect(f"{who} {number}", "http/1.1")
                line = streams and Http1Line(*streams)
                continue
            try:
                self.tally.judge(who, ask, *await line.ask(ask))
            except LOST as error:
                self.tally.lost.append(f"{who}: {error!r}")
                line.over = True
            if line.over:
                line.close()
                line = None
            await asyncio.sleep(THINKS_S)
        if line is not None:
            line.close()

    async def _http2(self, ask: Ask, pool: "Http2Pool") -> None:
        who = f"h2 {ask.name}"
        while self._going:
            try:
                line = await pool.line()
                if line is not None:
                    self.tally.judge(who, ask, *await line.ask(ask))
            except Unseen:
                self.tally.moved += 1
                continue
            except LOST as error:
                self.tally.lost.append(f"{who}: {error!r}")
            await asyncio.sleep(THINKS_S)


class Http2Pool:
    """The one connection that several askers share, and those that still finish."""

    def __init__(self, who: str, load: Steady) -> None:
        self._who, self._load = who, load
        self._line: Http2Line | None = None
        self._old: list[Http2Line] = []
        self._opening = asyncio.Lock()

    async def line(self) -> Http2Line | None:
        """Return a connection that takes streams; None when none can be had."""
        async with self._opening:
            if self._line is None or self._line.leaving:
                if self._line is not None:
                    self._old.append(self._line)
                streams = await self._load.connect(self._who, "h2")
                self._line = streams and Http2Line(*streams)
            for one in [one for one in self._old if one.idle]:
                self._old.remove(one)
                one.close()
            return self._line

    def close(self) -> None:
        for one in [*self._old, *([self._line] if self._line else [])]:
            one.close()
        self._old, self._line = [], None
