"""Loaders: what resolvers of many items ask for one by one, asked of a backend together.

Owns the collecting. A loader lives as long as its request and no longer, so nothing that it holds is ever another
caller's, or older than the request (field case W1). Keys that are asked for in one turn of the loop go out as one call
of at most ``MOST_KEYS``, by the fan-out of the request: under its deadline, its budget and its caller's identity.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, Generic, TypeVar

from bffs.web.backends import (
    ALERTS_AMONG,
    LINES_OF,
    ORDERS_AMONG,
    PRODUCTS_OF,
    USERS_OF,
    AlertPayload,
    LinesPayload,
    OrderPayload,
    ProductPayload,
    UserPayload,
)
from shared.asgi.caller import FetchSections
from shared.backends.payload import LenientItems
from shared.backends.sections import Sections, required

T = TypeVar("T")

# What the backends take at once (dev/backends/README.md); two pages of the longest list.
MOST_KEYS: Final = 100

# An id of a backend has some twenty characters. A key with a comma would be two.
LONGEST_KEY: Final = 100

Batch = Callable[[list[str]], Awaitable[Mapping[str, T]]]


class Loader(Generic[T]):
    """Gives what belongs to a key, or None when there is none. Each key is asked for once a request."""

    __slots__ = ("_batch", "_known", "_running", "_waiting")

    def __init__(self, batch: Batch[T], running: "set[asyncio.Future[Any]]") -> None:
        self._batch = batch
        self._running = running
        self._known: dict[str, asyncio.Future[T | None]] = {}
        self._waiting: list[str] = []

    async def load(self, key: str) -> T | None:
        """Return it. Raises what the call raised that was to bring it."""
        if not key or "," in key or len(key) > LONGEST_KEY:
            return None
        known = self._known.get(key)
        if known is None:
            loop = asyncio.get_running_loop()
            known = self._known[key] = loop.create_future()
            if not self._waiting:
                loop.call_soon(self._send)  # after whoever else is ready to ask now
            self._waiting.append(key)
        return await asyncio.shield(known)  # a field that is given up must not take it from the others

    def forget(self, keys: Iterable[str]) -> None:
        """Ask anew for these from now on: they were changed by this very request."""
        for key in keys:
            self._known.pop(key, None)

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), MOST_KEYS):
            asked = {key: self._known[key] for key in waiting[start : start + MOST_KEYS]}
            task = asyncio.ensure_future(self._batch(list(asked)))
            self._running.add(task)
            task.add_done_callback(partial(self._settle, asked))

    def _settle(self, asked: "Mapping[str, asyncio.Future[T | None]]", task: "asyncio.Future[Mapping[str, T]]") -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        for key, future in asked.items():
            if task.cancelled():
                future.cancel()
            elif error is not None:
                future.set_exception(error)
                future.exception()  # whoever waits is told; where nobody does any more, it is no news
            else:
                future.set_result(task.result().get(key))


class OrdersByIds(Sections):
    """Several orders of one user."""

    found = required(ORDERS_AMONG)


class LinesByOrders(Sections):
    """What several orders are made of."""

    found = required(LINES_OF)


class ProductsByIds(Sections):
    """Several products."""

    found = required(PRODUCTS_OF)


class CustomersByIds(Sections):
    """Several users, as far as an order shows them."""

    found = required(USERS_OF)


class AlertsByIds(Sections):
    """Several alerts of one user."""

    found = required(ALERTS_AMONG)


class Loaders:
    """The loaders of one request, each made when it is first needed."""

    def __init__(self, fetch: FetchSections, subject: str) -> None:
        self._fetch = fetch
        self._subject = subject
        self._running: set[asyncio.Future[Any]] = set()
        self._made: dict[type[Sections], Loader[Any]] = {}

    @property
    def orders(self) -> Loader[OrderPayload]:
        """The user's orders, by id."""
        return self._loader(OrdersByIds, lambda one: one.id)

    @property
    def lines(self) -> Loader[LinesPayload]:
        """What the user's orders are made of, by the order's id."""
        return self._loader(LinesByOrders, lambda one: one.order_id)

    @property
    def products(self) -> Loader[ProductPayload]:
        """Products, by id."""
        return self._loader(ProductsByIds, lambda one: one.id)

    @property
    def customers(self) -> Loader[UserPayload]:
        """Users, by id; only for ids that came from a record of the caller's own."""
        return self._loader(CustomersByIds, lambda one: one.user_id)

    @property
    def alerts(self) -> Loader[AlertPayload]:
        """The user's alerts, by id."""
        return self._loader(AlertsByIds, lambda one: one.id)

    def _loader(self, sections: Any, key_of: Callable[[Any], str]) -> Loader[Any]:
        loader = self._made.get(sections)
        if loader is None:

            async def batch(keys: list[str]) -> Mapping[str, Any]:
                got = await self._fetch(sections, user_id=self._subject, ids=",".join(keys))
                found: LenientItems[Any] = got.found
                return {key_of(one): one for one in found.root if one is not None}

            loader = self._made[sections] = Loader(batch, self._running)
        return loader

    def close(self) -> None:
        """Give up what is still under way: the request is over, or its client has left."""
        for task in tuple(self._running):
            task.cancel()
