"""The race between the addresses of one host (RFC 8305), on a hand-turned clock."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.backends.wire.eyeballs import HEAD_START_S, race
from shared.backends.wire.names import Address
from shared.testing.clock import ManualClock, settle

A, B, C = (Address(ip, 80) for ip in ("2001:db8::1", "10.0.0.1", "10.0.0.2"))
NEVER = 1e6


class Network:
    """What becomes of connecting to each address: after how long, and whether it works."""

    def __init__(self, **of: tuple[float, OSError | None]) -> None:
        self._of = {A: of.get("a"), B: of.get("b"), C: of.get("c")}
        self.clock = ManualClock()
        self.begun: list[tuple[Address, float]] = []
        self.given_up: list[Address] = []
        self.closed: list[Address] = []
        self.slow: list[Address] = []

    async def connect(self, address: Address) -> Address:
        self.begun.append((address, round(self.clock.now_s() - 1000, 3)))
        known = self._of[address]
        assert known is not None
        takes_s, error = known
        try:
            await self.clock.sleep(takes_s)
        except asyncio.CancelledError:
            self.given_up.append(address)
            raise
        if error is not None:
            raise error
        return address

    async def discard(self, address: Address) -> None:
        self.closed.append(address)

    async def race(self, addresses: Sequence[Address]) -> Address:
        return await race(addresses, self.connect, self.discard, self.slow.append, self.clock)


REFUSED, UNREACHABLE = ConnectionRefusedError("refused"), OSError("no route")


async def test_the_first_that_answers_in_time_is_the_only_one_tried() -> None:
    """No connection is opened for nothing."""
    network = Network(a=(0.2, None), b=(0, None))

    assert await network.clock.run(network.race([A, B])) == A
    assert network.begun == [(A, 0.0)]
    assert network.slow == []
    assert network.clock.pending == 0


async def test_a_silent_address_costs_its_head_start_and_no_more() -> None:
    """The loser is given up before the winner is used, and remembered as slow."""
    network = Network(a=(NEVER, None), b=(0.1, None))

    assert await network.clock.run(network.race([A, B])) == B
    assert network.begun == [(A, 0.0), (B, HEAD_START_S)]
    assert network.given_up == network.slow == [A]
    assert round(network.clock.now_s() - 1000, 3) == HEAD_START_S + 0.1


async def test_a_late_first_still_wins_when_it_answers_first() -> None:
    """A head start is not a deadline; the one begun later was not slow."""
    network = Network(a=(0.3, None), b=(NEVER, None))

    assert await network.clock.run(network.race([A, B])) == A
    assert network.given_up == [B]
    assert network.slow == []


async def test_one_that_fails_loses_its_head_start() -> None:
    """No network for IPv6: the next address begins at once."""
    network = Network(a=(0, UNREACHABLE), b=(0, REFUSED), c=(0.1, None))

    assert await network.clock.run(network.race([A, B, C])) == C
    assert [at for _, at in network.begun] == [0, 0, 0]
    assert network.slow == [A, B]


async def test_a_failure_while_another_is_under_way_begins_the_next_only() -> None:
    """The one under way keeps its chance."""
    network = Network(a=(0.3, REFUSED), b=(0.5, None), c=(NEVER, None))

    assert await network.clock.run(network.race([A, B, C])) == B
    assert network.begun == [(A, 0.0), (B, 0.25), (C, 0.3)]


@pytest.mark.parametrize("addresses", [[A], [A, B], [A, B, C]])
async def test_when_none_connects_the_last_failure_is_told(addresses: list[Address]) -> None:
    """After all were tried."""
    network = Network(a=(0.4, UNREACHABLE), b=(0.4, UNREACHABLE), c=(0.4, REFUSED))

    with pytest.raises(OSError, match="refused" if len(addresses) == 3 else "no route"):
        await network.clock.run(network.race(addresses))
    assert [address for address, _ in network.begun] == addresses


async def test_two_that_connect_in_the_same_moment_leave_one() -> None:
    """The other's connection is closed, not forgotten."""
    network = Network(a=(0.35, None), b=(0.1, None))

    winner = await network.clock.run(network.race([A, B]))

    assert [winner, *network.closed, *network.given_up] in ([A, B], [B, A])


async def test_whoever_gives_up_leaves_nothing() -> None:
    """Every attempt is ended, no timer and no task is left."""
    network = Network(a=(NEVER, None), b=(NEVER, None), c=(NEVER, None))
    racing = asyncio.ensure_future(network.race([A, B, C]))
    await network.clock.advance(HEAD_START_S * 1.5)

    racing.cancel()
    await asyncio.wait([racing])
    await settle()

    assert network.given_up == [A, B]
    assert network.slow == []
    assert network.clock.pending == 0
    assert len(asyncio.all_tasks()) == 1


async def test_a_bug_is_not_taken_for_a_network_that_is_down() -> None:
    """It comes out as it is."""

    async def connect(_address: Address) -> Address:
        raise LookupError("a bug")

    network = Network()
    with pytest.raises(LookupError):
        await race([A, B], connect, network.discard, network.slow.append, network.clock)
