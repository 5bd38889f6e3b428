"""Guards that count: each passes where it should, and fails where it should, saying which call it was."""

import pytest

from shared.testing.bff import Bff
from shared.testing.calls import BackendCalls
from shared.testing.faults import flaky
from shared.testing.sockets import SocketBackends
from tests.shared.testing.screen import ITEM, ITEMS, ITEMS_OF, LIST_OF, LISTS

PAGE, MISTAKE = "/small/v1/page", "/small/v1/n-plus-1"


async def test_at_most_so_many(small: Bff, backend_calls: BackendCalls) -> None:
    """Two are two; the third fails it, by name."""
    with backend_calls.at_most(2):
        await small.get(PAGE)
    with backend_calls.at_most(0):
        pass
    with (
        pytest.raises(AssertionError, match=r"at most 3 .* 4 were made:(.|\n)*items GET /items/2"),
        backend_calls.at_most(3),
    ):
        await small.get(MISTAKE)


async def test_exactly_these(small: Bff, backend_calls: BackendCalls, backends: SocketBackends) -> None:
    """By declared call, by backend, by name; what is not promised may not be made; a retry is a call."""
    for promised in ({LIST_OF: 1, ITEMS_OF: 1}, {LISTS: 1, ITEMS: 1}, {"lists": 1, "GET /items?of={user}": 1}):
        with backend_calls.exactly(promised):
            await small.get(PAGE)
    with pytest.raises(AssertionError, match=r"items GET /items.*not promised"), backend_calls.exactly({LIST_OF: 1}):
        await small.get(PAGE)
    with pytest.raises(AssertionError, match="2 promised, 1 made"), backend_calls.exactly({LISTS: 2, ITEMS: 1}):
        await small.get(PAGE)
    backends[ITEMS].fault(flaky(1))
    with backend_calls.exactly({LISTS: 1, ITEMS: 2, ITEM: 0}):
        await small.get(PAGE)


async def test_n_plus_1_is_found(small: Bff, backend_calls: BackendCalls, backends: SocketBackends) -> None:
    """The screen that asks once passes; the one that asks for each item fails, with the call and both counts."""

    def shows(path: str):
        async def show(size: int) -> None:
            backends.answers(LIST_OF, {"ids": [str(n) for n in range(size)]})
            await small.get(path)

        return show

    await backend_calls.do_not_grow(shows(PAGE))
    with pytest.raises(AssertionError, match=r"items GET /items/\{id\}: 2 for 2 items, 20 for 20"):
        await backend_calls.do_not_grow(shows(MISTAKE))


async def test_a_guard_that_saw_nothing_fails(backend_calls: BackendCalls) -> None:
    """A screen that did not ask at all has not been shown not to ask too often."""

    async def show(size: int) -> None:
        pass

    with pytest.raises(AssertionError, match="no backend was asked"):
        await backend_calls.do_not_grow(show)


async def test_an_exception_inside_is_what_is_raised(backend_calls: BackendCalls) -> None:
    """Not the count that it left behind."""
    with pytest.raises(ZeroDivisionError), backend_calls.exactly({LISTS: 1}):
        raise ZeroDivisionError
