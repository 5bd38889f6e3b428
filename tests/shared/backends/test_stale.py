"""The memory of last good values: bounded, dated, one user's never another's."""

from datetime import timedelta

from shared.backends.stale import StaleKey, StaleStore
from shared.testing.clock import ManualClock

HOUR = timedelta(hours=1)


def key(scope: str = "alice", target: str = "/x") -> StaleKey:
    return StaleKey(scope, "orders", target, bytes)


async def test_a_value_is_given_back_with_its_age_until_it_is_too_old() -> None:
    """The age is the clock's; the bound is the reader's."""
    clock = ManualClock()
    store = StaleStore(clock)
    store.put(key(), "old")
    await clock.advance(30)

    assert store.get(key(), timedelta(seconds=30)) == (timedelta(seconds=30), "old")
    assert store.get(key(), timedelta(seconds=29)) is None
    assert store.get(key(target="/y"), HOUR) is None
    assert store.get(key(scope="bob"), HOUR) is None


def test_it_holds_only_so_many_and_forgets_what_was_not_renewed() -> None:
    """A million users do not fill the memory; the one who is still here keeps their value."""
    store = StaleStore(ManualClock(), max_values=3)
    for number in range(10):
        store.put(key(target=f"/{number}"), number)
        store.put(key(target="/kept"), "kept")

    assert store.get(key(target="/kept"), HOUR) is not None
    assert [n for n in range(10) if store.get(key(target=f"/{n}"), HOUR)] == [8, 9]
