"""What every BFF has beyond the defaults: its live backends and its own verification of tokens.

Owns their life: opened before the first request, closed after the last one.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import httpx
from fastapi import APIRouter, FastAPI

from shared.asgi.app_policy import AppPolicy
from shared.asgi.defaults import install_defaults
from shared.asgi.lean import LeanRoutes, lean_routes
from shared.asgi.part_contract import describe_parts
from shared.backends.backend import Backend, Backends
from shared.backends.sections import declared_screens, refuse_too_wide
from shared.backends.stored import StoredAnswers
from shared.backends.transports import Network
from shared.backends.wire.pool import PoolPolicy
from shared.backends.wire.tls import TlsPolicy
from shared.backends.wire.transport import WireTransport
from shared.clock import Clock, LoopClock
from shared.idempotency.once import Once
from shared.identity.key_book import KeyBook
from shared.identity.opening import open_authenticator
from shared.settings import BffSettings, StoreSettings
from shared.store.store import Store, StorePolicy
from shared.telemetry.metrics import Metrics
from shared.telemetry.stores import StoreMetrics

# A key set is some kilobytes: a stream without end, or a wrong URL's video, is neither.
MAX_DOCUMENT_BYTES: Final = 1024 * 1024
# A read does without the store at once; a write cannot, and waits for it as long as for a slow backend's attempt.
RECORDED_WITHIN: Final = timedelta(milliseconds=500)


def install_bff(
    app: FastAPI, settings: BffSettings, router: APIRouter, *, service: str, urls: Mapping[Backend, str],
    clock: Clock | None = None,
) -> None:  # fmt: skip
    """Include ``router``, install the defaults, and open ``app.state.backends`` and ``.authenticator`` with the app."""
    refuse_too_wide(declared_screens(), settings.max_branches)
    app.include_router(router)
    describe_parts(app, router)
    clock = clock or LoopClock()
    network = Network(transport=settings.transport, ca=settings.backend_ca)
    pool = PoolPolicy(tls=TlsPolicy(ca=settings.backend_ca))
    lean = lean_routes(router) if settings.route == "lean" else LeanRoutes({}, {})
    keep_settings(app, settings, clock)
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[None]:
        lean.announce()
        metrics: Metrics = running.state.metrics
        book: KeyBook | None = getattr(running.state, "key_book", None)  # a test's own (``shared/testing/api_keys.py``)
        async with (
            open_store(settings, clock, metrics.stores) as store,
            open_records(settings, clock) as records,
            httpx.AsyncClient(transport=WireTransport(pool, clock, max_body_bytes=MAX_DOCUMENT_BYTES)) as client,
            open_authenticator(settings, service, client, clock, book) as authenticator,
        ):
            stored = None if store is None else stored_answers(store, service, clock, metrics.stores)
            backends = Backends.open(
                urls, clock, network, listener=metrics.gates.breaker_turned, max_branches=settings.max_branches,
                stored=stored,
            )  # fmt: skip
            metrics.gates.watch(backends.states)
            running.state.backends = backends
            running.state.authenticator = authenticator
            running.state.once = Once(records, service)
            try:
                async with inner(running):
                    yield
            finally:
                await backends.aclose()

    app.router.lifespan_context = lifespan
    install_defaults(app, settings, service=service, lean=lean.laid, clock=clock)


def keep_settings(app: FastAPI, settings: BffSettings, clock: Clock) -> None:
    """Leave with the app what its requests read of the settings. Raises ValueError for a wrong key or file."""
    app.state.cursors, app.state.timing_scope = settings.cursors, settings.timing_scope
    app.state.app_policy = AppPolicy(settings.app_policy, clock)


@asynccontextmanager
async def open_store(settings: StoreSettings, clock: Clock, metrics: StoreMetrics) -> AsyncIterator[Store | None]:
    """Open the store, where there is one."""
    address = settings.store
    if address is None:
        yield None
        return
    store = Store.open(address, clock, StorePolicy(answer_within=settings.store_answer_within), metrics.turned)
    store.warm()
    try:
        yield store
    finally:
        await store.aclose()


@asynccontextmanager
async def open_records(settings: StoreSettings, clock: Clock) -> AsyncIterator[Store | None]:
    """Open the store once more, for the records of writes: nobody orders anything while it is not asked."""
    if settings.store is None:
        yield None
        return
    records = Store.open(settings.store, clock, StorePolicy(answer_within=RECORDED_WITHIN))
    try:
        yield records
    finally:
        await records.aclose()


def stored_answers(store: Store, service: str, clock: Clock, metrics: StoreMetrics) -> StoredAnswers:
    """Return the second level of the response cache, watched."""
    stored = StoredAnswers(store, service, clock)
    metrics.watch(store, stored.counts)
    return stored
