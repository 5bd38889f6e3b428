"""How often backends were asked, as a promise: so many calls for this answer, and not one more for each item in a list.

with backend_calls.at_most(3): ...
with backend_calls.exactly({PROFILE: 1, ORDERS: 2}): ...           # by declared call, backend or name; others: none
await backend_calls.do_not_grow(show_list, sizes=(2, 20))          # N+1: ``show_list(n)`` shows a list of n items

Every request that reached a backend counts: a retry and a hedge, too. What came out of a cache does not.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from shared.backends.backend import AnyCall, Backend
from shared.testing.line import Seen
from shared.testing.routes import name_of
from shared.testing.sockets import SocketBackends

# Far enough apart that a call for each item is not mistaken for a call for each page.
SIZES: Final = (2, 20)

Asked = AnyCall | Backend | str


class BackendCalls:
    """Guards over the backends of one test."""

    def __init__(self, backends: SocketBackends) -> None:
        self._backends = backends

    @contextmanager
    def at_most(self, most: int) -> Iterator[None]:
        """Fail when what happens inside makes more calls than that, all backends together."""
        with self._counted() as seen:
            yield
        if len(seen) > most:
            raise AssertionError(f"at most {most} backend calls were promised, {len(seen)} were made:\n{_told(seen)}")

    @contextmanager
    def exactly(self, promised: Mapping[Asked, int]) -> Iterator[None]:
        """Fail unless what happens inside makes exactly these calls, and no others."""
        with self._counted() as seen:
            yield
        left = list(seen)
        wrong = []
        for which, times in promised.items():
            its = [one for one in left if _is(one, which)]
            left = [one for one in left if one not in its]
            if len(its) != times:
                wrong.append(f"{_said(which)}: {times} promised, {len(its)} made")
        wrong += [f"{one.backend} {one.call}: not promised" for one in left]
        if wrong:
            raise AssertionError("\n".join([*wrong, "All calls, in order:", _told(seen)]))

    async def do_not_grow(self, show: Callable[[int], Awaitable[object]], sizes: tuple[int, int] = SIZES) -> None:
        """Run ``show(n)`` for a short list and a long one; fail when any call is made more often for the long one.

        ``show`` sees to it that its backends have n items, and asks. It is a failure when it asks no backend at all.
        """
        short, long = sizes
        counts = []
        for size in (short, long):
            with self._counted() as seen:
                await show(size)
            counts.append(Counter((one.backend, one.call) for one in seen))
        if not counts[0] and not counts[1]:
            raise AssertionError("no backend was asked: this guard would pass on anything")
        grown = [
            f"{backend} {call}: {counts[0][backend, call]} for {short} items, {times} for {long}"
            for (backend, call), times in counts[1].items()
            if times > counts[0][backend, call]
        ]
        if grown:
            raise AssertionError("the number of calls grows with the list:\n" + "\n".join(grown))

    @contextmanager
    def _counted(self) -> Iterator[list[Seen]]:
        before = len(self._backends.requests)
        seen: list[Seen] = []
        yield seen
        seen += self._backends.requests[before:]


def _is(seen: Seen, which: Asked) -> bool:
    if isinstance(which, Backend):
        return seen.backend == which.name
    if isinstance(which, str):
        return which in {seen.backend, seen.call}
    return seen.backend == which.backend.name and seen.call == name_of(which)


def _said(which: Asked) -> str:
    return which.name if isinstance(which, Backend) else name_of(which)


def _told(seen: list[Seen]) -> str:
    return "\n".join(f"  {one.backend} {one.method} {one.target}" for one in seen) or "  none"
