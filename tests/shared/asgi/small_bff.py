"""A small BFF with everything a product has installed, over scripted backends on real sockets.

async with SmallBff() as bff:                       # all three backends answer {"id": 1}
    bff.backends["slow"].script = never_answers
    answer = await bff.client.get("/small/screen", headers=bff.bearer)
"""

import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, Self

import httpx
from fastapi import APIRouter, FastAPI
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel

from shared.asgi.bff import install_bff
from shared.asgi.caller import CurrentUser, Fetch
from shared.asgi.observe import ObserveMiddleware
from shared.backends.backend import Backend, CallPolicy
from shared.backends.sections import Degraded, Sections, nullable, required
from shared.backends.wire.pool import PoolPolicy
from shared.resilience.bulkhead import BulkheadPolicy
from shared.resilience.retry import RetryPolicy
from shared.settings import BffSettings
from shared.telemetry.tracing import open_tracing
from tests.shared.asgi.service import running
from tests.shared.backends.raw import RawBackend, answers, http
from tests.shared.identity.tokens_table import AUDIENCE, ISSUER, Issuer

NAMES = ("main", "other", "slow")
ONE = http(b'{"id": 1}')
RESOURCE = Resource({"service.name": "small"})


class Item(BaseModel):
    id: int


class Screen(BaseModel):
    user: str
    main: Item | None
    other: Item | None
    slow: Item | None
    degraded: tuple[Degraded, ...]


class Needed(BaseModel):
    id: int


def router(policy: CallPolicy) -> tuple[APIRouter, list[Backend]]:
    """Declare three backends with one policy, and a screen of each kind over them."""
    main, other, slow = (Backend(name, policy) for name in NAMES)
    made = APIRouter(prefix="/small")

    class ScreenSections(Sections):  # nothing is shared: tests count the legs of each of many clients of one user
        main_item = nullable(main.get("/main/{user}", into=Item, coalesce=False))
        other_item = nullable(other.get("/other/{user}", into=Item, coalesce=False))
        slow_item = nullable(slow.get("/slow/{user}", into=Item, coalesce=False))

    class NeededSections(Sections):
        item = required(main.get("/main/{user}", into=Item), subject=True)

    @made.get("/screen")
    async def screen(user: CurrentUser, fetch: Fetch) -> Screen:
        got = await fetch(ScreenSections, user=user.subject)
        return Screen(
            user=user.subject, main=got.main_item, other=got.other_item, slow=got.slow_item, degraded=got.degraded
        )

    class ChainSections(Sections):  # the second waits for the first; the third may be old
        first_item = nullable(main.get("/main/{user}", into=Item))
        next_item = nullable(
            other.get("/other/{item}", into=Item), given={"item": first_item.of(lambda it: str(it.id))}
        )
        old_item = nullable(slow.get("/slow/{user}", into=Item), stale_for=timedelta(minutes=5))

    @made.get("/chain")
    async def chain(user: CurrentUser, fetch: Fetch) -> Screen:
        got = await fetch(ChainSections, user=user.subject)
        return Screen(
            user=user.subject, main=got.first_item, other=got.next_item, slow=got.old_item, degraded=got.degraded
        )

    @made.get("/boom")
    async def boom(user: CurrentUser, fetch: Fetch) -> Needed:
        await fetch(NeededSections, user=user.subject)
        raise ZeroDivisionError("a text that nobody may see")

    @made.get("/needed")
    async def needed(user: CurrentUser, fetch: Fetch) -> Needed:
        return Needed(id=(await fetch(NeededSections, user=user.subject)).item.id)

    return made, [main, other, slow]


class SmallBff:
    """The BFF under uvicorn, its three backends and its issuer. ``spans`` are what it would have exported."""

    def __init__(
        self,
        *,
        connections: int = 128,
        attempt_s: float = 0.7,
        attempts: int = 2,
        traced: bool = False,
        policy: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        self.policy = CallPolicy(
            attempt_timeout=timedelta(seconds=attempt_s),
            retry=RetryPolicy(max_attempts=attempts, first_wait=timedelta(milliseconds=1)),
            **{
                "bulkhead": BulkheadPolicy(max_concurrent=1000),
                "pool": PoolPolicy(max_connections=connections),
                **(policy or {}),
            },
        )
        self.settings = settings
        self.issuer = Issuer(now=int(time.time()))
        self.jwks = RawBackend(answers(http(self.issuer.jwks())))
        self.backends = {name: RawBackend(answers(ONE)) for name in NAMES}
        self.exporter = InMemorySpanExporter() if traced else None
        self.app = FastAPI(title="small", redirect_slashes=False)
        self.url = ""
        self._stack = AsyncExitStack()

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.issuer.token()}"}

    @property
    def scraped(self) -> str:
        return self.app.state.metrics.scrape().decode()

    async def __aenter__(self) -> Self:
        for backend in (self.jwks, *self.backends.values()):
            await self._stack.enter_async_context(backend)
        settings = BffSettings(
            listen="127.0.0.1:0", issuer=ISSUER, audience=AUDIENCE, jwks_url=f"{self.jwks.url}/jwks", **self.settings
        )
        made, declared = router(self.policy)
        urls = {one: self.backends[one.name].url for one in declared}
        install_bff(self.app, settings, made, service="small", urls=urls)
        if self.exporter is not None:
            self.observer().tracing = open_tracing(
                settings.tracing, self.exporter, RESOURCE, settings.trace_ratio, lambda *_: None
            )
        self.url = await self._stack.enter_async_context(running(self.app))
        self.client = await self._stack.enter_async_context(httpx.AsyncClient(base_url=self.url))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def observer(self) -> Any:
        """Return where finished requests go: the seam at which a collector of the test's own is put."""
        (layer,) = [one for one in self.app.user_middleware if one.cls is ObserveMiddleware]
        return layer.kwargs["observer"]

    def spans(self) -> list[ReadableSpan]:
        """Return what was exported; complete once the BFF has stopped."""
        assert self.exporter is not None
        return list(self.exporter.get_finished_spans())


def by_name(spans: Iterable[ReadableSpan], name: str) -> ReadableSpan:
    """Return the only span of that name."""
    (one,) = [span for span in spans if span.name == name]
    return one
