"""Which addresses are tried, in which order, and for how long an answer of DNS counts."""

import asyncio
from datetime import timedelta

import pytest

from shared.backends.wire.names import Address, Names, NamesPolicy, SystemResolver
from shared.testing.clock import ManualClock, settle

POLICY = NamesPolicy(max_age=timedelta(seconds=10), max_age_without_dns=timedelta(seconds=60))


class Zone:
    """A resolver whose answer tests change; ``asked`` counts lookups, ``held`` keeps them waiting."""

    def __init__(self, *ips: str) -> None:
        self.ips: tuple[str, ...] | OSError = ips
        self.asked = 0
        self.held = asyncio.Event()
        self.held.set()

    async def resolve(self, _host: str) -> list[str]:
        self.asked += 1
        await self.held.wait()
        if isinstance(self.ips, OSError):
            raise self.ips
        return list(self.ips)


class World:
    def __init__(self, *ips: str) -> None:
        self.clock = ManualClock()
        self.zone = Zone(*ips)
        self.names = Names(self.zone, self.clock, POLICY)

    async def ips(self) -> list[str]:
        return [address.ip for address in await self.names.addresses("orders.test", 80)]


async def test_connections_are_spread_over_the_addresses() -> None:
    """Each of three is the first to be tried once in three times, and one lookup is enough for all."""
    world = World("10.0.0.1", "10.0.0.2", "10.0.0.3")

    firsts = [(await world.ips())[0] for _ in range(6)]

    assert firsts == ["10.0.0.1", "10.0.0.2", "10.0.0.3"] * 2
    assert world.zone.asked == 1


async def test_families_alternate_beginning_with_the_resolvers_first() -> None:
    """So that a broken IPv6 costs one head start, not one for each of its addresses (RFC 8305 §4)."""
    six_first = World("2001:db8::1", "2001:db8::2", "2001:db8::3", "10.0.0.1")
    four_first = World("10.0.0.1", "2001:db8::1", "10.0.0.2")

    assert await six_first.ips() == ["2001:db8::1", "10.0.0.1", "2001:db8::2", "2001:db8::3"]
    assert await six_first.ips() == ["2001:db8::2", "10.0.0.1", "2001:db8::3", "2001:db8::1"]
    assert await four_first.ips() == ["10.0.0.1", "2001:db8::1", "10.0.0.2"]


async def test_an_address_that_disappears_is_tried_no_more() -> None:
    """Within the answer's age it may be; after that DNS is asked, and its word counts."""
    world = World("10.0.0.1", "10.0.0.2")
    await world.ips()
    world.zone.ips = ("10.0.0.2", "10.0.0.9")

    await world.clock.advance(9.9)
    assert "10.0.0.1" in await world.ips()
    await world.clock.advance(0.1)

    assert sorted(await world.ips()) == ["10.0.0.2", "10.0.0.9"]
    assert world.zone.asked == 2


async def test_a_dns_that_is_down_does_not_take_the_backends_with_it() -> None:
    """The older answer stands in, for a while; then the failure is what it is."""
    world = World("10.0.0.1")
    await world.ips()
    world.zone.ips = OSError("SERVFAIL")

    await world.clock.advance(60)
    assert await world.ips() == ["10.0.0.1"]
    await world.clock.advance(0.1)
    with pytest.raises(OSError, match="SERVFAIL"):
        await world.ips()

    world.zone.ips = ("10.0.0.2",)
    assert await world.ips() == ["10.0.0.2"]


async def test_what_did_not_connect_is_tried_last_until_dns_is_asked_again() -> None:
    """One dead address of three does not cost every third connection its time."""
    world = World("10.0.0.1", "10.0.0.2", "10.0.0.3")
    await world.ips()
    world.names.put_behind(Address("10.0.0.2", 80))
    assert [(await world.ips())[-1] for _ in range(3)] == ["10.0.0.2"] * 3

    await world.clock.advance(10)

    assert [(await world.ips())[0] for _ in range(3)].count("10.0.0.2") == 1


async def test_many_connections_wait_for_one_lookup_and_each_may_leave() -> None:
    """Whoever gives up takes nothing from the others."""
    world = World("10.0.0.1")
    world.zone.held.clear()
    waiting = [asyncio.ensure_future(world.ips()) for _ in range(50)]
    await settle()
    waiting[0].cancel()
    await settle()

    world.zone.held.set()

    assert [await one for one in waiting[1:]] == [["10.0.0.1"]] * 49
    assert world.zone.asked == 1
    assert waiting[0].cancelled()


async def test_closing_gives_up_a_lookup_that_hangs() -> None:
    """No task is left behind."""
    world = World("10.0.0.1")
    world.zone.held.clear()
    waiting = asyncio.ensure_future(world.ips())
    await settle()

    await world.names.aclose()
    await asyncio.wait([waiting])

    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "fe80::1%eth0"])
async def test_an_address_is_not_looked_up(host: str) -> None:
    """It is its own answer."""
    world = World()

    assert await world.names.addresses(host, 8080) == [Address(host, 8080)]
    assert world.zone.asked == 0


async def test_a_name_without_addresses_is_an_error() -> None:
    """Also one that says so by an empty answer."""
    world = World()

    with pytest.raises(OSError, match="has no address"):
        await world.ips()


async def test_the_machines_own_resolver_knows_this_machine() -> None:
    """Each address once; a name that DNS cannot have is an OSError like every other failure."""
    ips = await SystemResolver().resolve("localhost")

    assert set(ips) & {"127.0.0.1", "::1"}
    assert len(ips) == len(set(ips))
    with pytest.raises(OSError, match="not one that DNS can have"):
        await SystemResolver().resolve("a..b")
