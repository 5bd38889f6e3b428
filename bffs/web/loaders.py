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
# How the graph says what a backend said.
Say = Callable[[T], Any]


class Asked(Generic[T]):
    """One key that was asked for: who waits for it, and then what came, or the error that came instead.

    Each who waits has a future of its own, so that a field that is given up takes it from nobody else.
    """

    __slots__ = ("_came", "_error", "_value", "_waiting")

    def __init__(self) -> None:
        self._came = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self._waiting: list[tuple[asyncio.Future[Any], Say[T] | None]] = []

    def answer(self, say: "Say[T] | None") -> "asyncio.Future[Any]":
        """Return the future of what came, as ``say`` says it."""
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._came:
            self._tell(waiter, say)
        else:
            self._waiting.append((waiter, say))
        return waiter

    def settle(self, value: T | None, error: BaseException | None) -> None:
        """Tell everybody."""
        self._came, self._value, self._error = True, value, error
        waiting, self._waiting = self._waiting, []
        for waiter, say in waiting:
            if not waiter.done():
                self._tell(waiter, say)

    def _tell(self, waiter: "asyncio.Future[Any]", say: "Say[T] | None") -> None:
        if isinstance(self._error, asyncio.CancelledError):
            waiter.cancel()
        elif self._error is not None:
            waiter.set_exception(self._error)
        else:
            try:
                waiter.set_result(self._value if say is None or self._value is None else say(self._value))
            except Exception as error:  # noqa: BLE001 - of this one's field alone
                waiter.set_exception(error)


class Loader(Generic[T]):
    """Gives what belongs to a key, or None when there is none. Each key is asked for once a request."""

    __slots__ = ("_batch", "_known", "_running", "_waiting")

    def __init__(self, batch: Batch[T], running: "set[asyncio.Future[Any]]") -> None:
        self._batch = batch
        self._running = running
        self._known: dict[str, Asked[T]] = {}
        self._waiting: dict[str, Asked[T]] = {}

    async def load(self, key: str) -> T | None:
        """Return it. Raises what the call raised that was to bring it."""
        found: T | None = await self.promise(key)
        return found

    def promise(self, key: str, say: "Say[T] | None" = None) -> Any:
        """Return the future of it, as ``say`` says it where there is one: what a resolver may return as it is.

        That spares a list of fifty its fifty tasks. Typed as anything, for Strawberry reads types and awaits futures.
        """
        if not key or "," in key or len(key) > LONGEST_KEY:
            nothing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            nothing.set_result(None)
            return nothing
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = Asked()
            if not self._waiting:
                asyncio.get_running_loop().call_soon(self._send)  # after whoever else is ready to ask now
            self._waiting[key] = known
        return known.answer(say)

    def forget(self, keys: Iterable[str]) -> None:
        """Ask anew for these from now on: they were changed by this very request."""
        for key in keys:
            self._known.pop(key, None)

    def _send(self) -> None:
        waiting, self._waiting = list(self._waiting.items()), {}
        for start in range(0, len(waiting), MOST_KEYS):
            asked = dict(waiting[start : start + MOST_KEYS])
            task = asyncio.ensure_future(self._batch(list(asked)))
            self._running.add(task)
            task.add_done_callback(partial(self._settle, asked))

    def _settle(self, asked: "Mapping[str, Asked[T]]", task: "asyncio.Future[Mapping[str, T]]") -> None:
        self._running.discard(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        found = task.result() if error is None else {}
        for key, one in asked.items():
            one.settle(found.get(key), error)


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
