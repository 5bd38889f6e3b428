"""Two processes of each BFF that share a real store: what one was answered, the other has."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

import bffs.mobile.backends as mobile
import bffs.web.backends as web
from bffs.mobile.app import create_app as create_mobile
from bffs.mobile.settings import MobileSettings
from bffs.web.app import create_app as create_web
from bffs.web.settings import WebSettings
from shared.backends.backend import AnyCall
from shared.testing.bff import Bff
from shared.testing.calls import BackendCalls
from shared.testing.faults import down
from shared.testing.fixtures import OpenBff
from shared.testing.sockets import SocketBackends
from tests.bffs.mobile.sample import ADA, ALERT, DASHBOARD, ORDER
from tests.shared.store.servers import KINDS, Server, free_port, serving

QUERY = "{ dashboard { displayName recentOrders { id } alerts { id } degraded { section reason source ageSeconds } } }"
# A busy machine must not look like a slow store.
PATIENT = timedelta(seconds=1)


@dataclass(frozen=True)
class Family:
    """One BFF: how it is made, and what it asks."""

    create: Any
    settings: Any
    profile: AnyCall
    orders: AnyCall
    alerts: AnyCall

    async def screen(self, bff: Bff, user: str = "u-1") -> dict[str, Any]:
        """Its dashboard."""
        if self.create is create_mobile:
            answer = await bff.get(DASHBOARD, user=user)
            assert answer.status_code == 200, answer.text
            return answer.json()
        explorer = bff.issuer.signed_in(user, scope="dashboard graphql:explore")
        answer = await bff.post("/web/graphql", user=None, json={"query": QUERY}, headers=explorer)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]["dashboard"]


FAMILIES = {
    "mobile": Family(create_mobile, MobileSettings, mobile.PROFILE, mobile.RECENT_ORDERS, mobile.ACTIVE_ALERTS),
    "web": Family(create_web, WebSettings, web.PROFILE, web.ORDERS_OF, web.ALERTS_OF),
}


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    return FAMILIES[request.param]


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(request.param) as running:
        yield running


@pytest.fixture
async def replicas(family: Family, server: Server, open_bff: OpenBff, backends: SocketBackends) -> tuple[Bff, Bff]:
    """Two of them; the users backend says that its answers hold for a minute."""
    with server.client as client:
        client.flushall()
    pair = [
        await open_bff(family.create, family.settings, store_url=server.url, store_answer_within=PATIENT)
        for _ in range(2)
    ]
    backends.answers(family.profile, ADA, cache_control="max-age=60")
    backends.answers(family.orders, [ORDER])
    backends.answers(family.alerts, [ALERT])
    return pair[0], pair[1]


async def written(server: Server, count: int) -> None:
    """Wait for what is written behind the answer."""
    async with asyncio.timeout(5):
        with server.client as client:
            while client.dbsize() < count:  # noqa: ASYNC110 - what ends it happens in another process
                await asyncio.sleep(0.01)


async def test_a_replica_serves_what_another_was_answered(
    family: Family, replicas: tuple[Bff, Bff], server: Server, backends: SocketBackends, backend_calls: BackendCalls
) -> None:
    """Fresh for a minute: the second one asks for orders and alerts only, and says nothing of degraded."""
    whole = await family.screen(replicas[0])
    await written(server, 2)

    with backend_calls.exactly({family.orders: 1, family.alerts: 1}):
        got = await family.screen(replicas[1])

    assert {**got, "aggregatedAt": None} == {**whole, "aggregatedAt": None}
    assert got["degraded"] == []
    metrics = (await replicas[1].get("/metrics", user=None)).text
    assert 'frontage_backend_calls_spared_total{how="stored",section="profile"} 1.0' in metrics
    assert "frontage_store_up 1.0" in metrics


async def test_an_older_value_stands_in_on_a_replica_that_never_saw_it(
    family: Family, replicas: tuple[Bff, Bff], server: Server, backends: SocketBackends
) -> None:
    """Orders are down: the second one shows those of before, with their age; to another user, nothing."""
    await family.screen(replicas[0])
    await written(server, 2)
    backends[family.orders.backend].fault(down())

    got = await family.screen(replicas[1])

    (gap,) = got["degraded"]
    assert (gap["section"], gap["source"].lower()) == ("recentOrders", "stale")
    assert 0 <= gap["ageSeconds"] < 60
    assert [order["id"] for order in got["recentOrders"]] == [str(ORDER["id"])]
    others = await family.screen(replicas[1], user="u-2")
    assert others["recentOrders"] == []
    assert others["degraded"][0]["source"].lower() == "default"


async def test_case_a7_nobody_is_named_in_the_store(family: Family, replicas: tuple[Bff, Bff], server: Server) -> None:
    """Keys are the BFF's name, a format and a digest; every value has an end."""
    await family.screen(replicas[0], user="ada@example.test")
    await written(server, 2)

    with server.client as client:
        keys = client.keys()
        assert len(keys) == 2
        for key in keys:
            assert key.startswith(
                b"frontage:mobile:answer:" if family.create is create_mobile else b"frontage:web:answer:"
            )
            assert 0 < client.pttl(key) <= 300_000


async def test_a_store_that_is_away_changes_no_answer(
    family: Family, open_bff: OpenBff, backends: SocketBackends
) -> None:
    """Whole answers, ready all the time; the metrics say that the store is down."""
    bff = await open_bff(family.create, family.settings, store_url=f"valkey://127.0.0.1:{free_port()}")
    backends.answers(family.profile, ADA, cache_control="max-age=60")
    backends.answers(family.orders, [ORDER])
    backends.answers(family.alerts, [ALERT])

    for user in "abcdef":
        assert (await family.screen(bff, user=user))["degraded"] == []

    assert (await bff.get("/health/ready", user=None)).status_code == 200
    metrics = (await bff.get("/metrics", user=None)).text
    assert "frontage_store_up 0.0" in metrics
    assert 'frontage_store_turns_total{state="down"} 1.0' in metrics


async def test_a_wrong_address_stops_the_start(family: Family, open_bff: OpenBff) -> None:
    """With the variable's name and the remedy; no password."""
    with pytest.raises(ValueError, match=r"FRONTAGE_STORE_URL: .* write for example valkey://host:6379") as fault:
        await open_bff(family.create, family.settings, store_url="http://u:s3cret@cache")

    assert "s3cret" not in str(fault.value)
