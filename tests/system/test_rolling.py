"""Everything is replaced while everybody asks, and nobody notices (field case O1)."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.testing.issuer import Issuer
from shared.testing.sockets import SocketBackends
from tests.edge.lines import Ask
from tests.shared.store.servers import serving
from tests.system.chaos import script
from tests.system.fleet import EDGE_HOSTS, Fleet, fleet
from tests.system.steady import Steady
from tests.system.test_graphql import id_of

pytestmark = [
    pytest.mark.system, pytest.mark.long, pytest.mark.timeout(600), pytest.mark.asyncio(loop_scope="module"),
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Fleet, tuple[Ask, Ask]]]:
    """A fleet over scripted backends, and one question for each BFF."""
    backends, issuer = SocketBackends(), Issuer()
    with serving("valkey") as store:
        async with fleet(tmp_path_factory.mktemp("fleet"), backends, issuer, store.url) as running:
            script(backends)
            yield running, asks(issuer)
    await backends.aclose()


def asks(issuer: Issuer, user: str = "u-ada") -> tuple[Ask, Ask]:
    """Return a screen of each BFF. All its sections are optional, so that nothing but a lost request is an error."""
    signed_in = issuer.signed_in(user)
    query = json.dumps({"documentId": id_of("Dashboard")}).encode()
    headers = {**signed_in, "content-type": "application/json"}
    return (
        Ask("mobile", "GET", "/mobile/v1/dashboard", signed_in, lambda body: misfit(body, user)),
        Ask("web", "POST", "/web/graphql", headers, lambda body: page_misfit(body, user), query),
    )


def misfit(screen: dict, user: str) -> str:
    """A section may be late on a busy machine, and says so; one that could not be reached would be a fault of ours."""
    gaps = [one for one in screen["degraded"] if one["reason"] not in {"timeout", "deadline", "rejected"}]
    return "" if screen["userId"] == user and not gaps else str(screen)


def page_misfit(body: dict, user: str) -> str:
    return str(body["errors"]) if "errors" in body else misfit(body["data"]["dashboard"], user)


async def test_case_o1_a_rolling_restart_of_everything_loses_nothing(system) -> None:
    """Edges, limiters and both BFFs, two members at a time, never both of a kind."""
    running, questions = system
    async with Steady(running.port, running.trust, questions) as load:
        for letter in "ab":
            for pair in (("edge", "mobile"), ("limits", "web")):
                await asyncio.gather(*(running.roll(f"{kind}-{letter}") for kind in pair))
    load.tally.nothing_is_lost()
    assert min(load.tally.answered.values()) > 20, "there was load"
    assert set(load.tally.opened) == {who for who, times in load.tally.opened.items() if times > 1}, "edges were left"


async def test_a_deploy_of_one_bff_is_no_business_of_the_other(system) -> None:
    """Both mobile BFFs are replaced: web keeps its processes, its connections and its clients."""
    running, questions = system
    web = [running["web-a"], running["web-b"]]
    async with Steady(running.port, running.trust, questions) as load:
        pids, closed = [one.pid for one in web], await counted(running, "web", "upstream_cx_destroy_remote")
        opened = await counted(running, "mobile", "upstream_cx_total")
        for letter in "ab":
            await running.roll(f"mobile-{letter}")
        assert [one.pid for one in web] == pids
        assert await counted(running, "web", "upstream_cx_destroy_remote") == closed
        assert await counted(running, "mobile", "upstream_cx_total") > opened, "both edges met new processes"
    load.tally.nothing_is_lost()
    assert set(load.tally.opened.values()) == {1}, "nobody had to connect anew, not even mobile clients"


async def counted(running: Fleet, cluster: str, counter: str) -> list[int]:
    """Return a counter of a cluster from each edge."""
    return [(await running.stats(edge, cluster))[counter] for edge in EDGE_HOSTS]


async def test_without_limiters_answers_follow_on_store_failure(system) -> None:
    """Both are replaced at once: ``per-user`` says ``local``, so the edges count alone, and nobody is refused."""
    running, questions = system
    async with Steady(running.port, running.trust, questions) as load:
        await asyncio.gather(*(running[f"limits-{letter}"].stop() for letter in "ab"))
        enough = load.tally.answered.total() + 40
        await load.until(lambda: load.tally.answered.total() >= enough)
        left = [await running.stats(edge, "frontage_limiter") for edge in EDGE_HOSTS]
        assert [one["membership_healthy"] for one in left] == [0, 0]
        await asyncio.gather(*(running[f"limits-{letter}"].start() for letter in "ab"))
        await running.settled("limits")
        judged = await running.judged()
        enough = load.tally.answered.total() + 40
        await load.until(lambda: load.tally.answered.total() >= enough)
        assert await running.judged() > judged, "they count together again"
    load.tally.nothing_is_lost()


async def test_an_edge_dies_and_new_connections_go_on(system) -> None:
    """SIGKILL, no goodbye: its own connections break, everybody who comes after that is served at once."""
    running, (mobile, _) = system
    await running["edge-a"].kill()
    for _ in range(20):
        async with Steady(running.port, running.trust, (mobile,)) as load:
            pass
        load.tally.nothing_is_lost()
    await running["edge-a"].start()
    await running.settled("edge")
