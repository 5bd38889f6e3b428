"""Everything goes wrong at once, through the real edge: every client still gets a right answer, in time."""

import asyncio
import time
from pathlib import Path

import pytest

from shared.errors import Reason
from shared.testing.issuer import Issuer
from shared.testing.sockets import SocketBackends
from tests.system.chaos import DASHBOARD, PAGE, USERS, Chaos, script
from tests.system.judging import mark
from tests.system.lean import BACKENDS, BFFS, LeanSystem, lean_system

pytestmark = pytest.mark.system

# A breaker stays open for 5 s, a fifth more at most; its probes and a busy machine take the rest.
WELL_WITHIN_S = 20.0


@pytest.mark.parametrize(
    ("seconds", "seed"),
    [
        pytest.param(20, 1, id="20s"),
        pytest.param(60, 2, id="60s", marks=[pytest.mark.long, pytest.mark.timeout(240)]),
        pytest.param(240, 3, id="240s", marks=[pytest.mark.long, pytest.mark.timeout(480)]),
    ],
)
async def test_chaos(seconds: int, seed: int, tmp_path: Path, backends: SocketBackends, issuer: Issuer) -> None:
    """All answers in time, all valid or problems, nobody's data for another, nothing leaked, and well afterwards."""
    async with lean_system(tmp_path, backends, issuer) as system:
        script(backends)
        chaos = Chaos(system, backends, issuer, seed)
        await chaos.run(seconds)
        (tmp_path / "seen.txt").write_text(str(chaos.seen))

        assert chaos.seen.wrong == []
        assert chaos.seen.late == []
        await it_was_chaos(chaos, system)
        for name in BACKENDS:
            backends[name].well()
        await all_is_well(chaos)
        await nothing_is_left(system, backends)


async def it_was_chaos(chaos: Chaos, system: LeanSystem) -> None:
    """Else the assertions above have judged fair weather."""
    seen = chaos.seen
    assert seen.answers.total() > 500
    assert seen.left > 5
    assert seen.reasons.keys() == set(Reason), "every reason of the closed list came up"
    assert seen.sources.keys() == {"default", "stale", "none"}
    for bff in BFFS:
        turns = await system.gauges(bff, "frontage_backend_breaker_turns_total")
        assert turns['backend="orders",state="open"'] >= 1
    whole = seen.answers[f"{DASHBOARD.name} 200"]
    asked = sum(times for name, times in seen.answers.items() if name.startswith(DASHBOARD.name))
    # Not all: 404 for an unknown subject is among the lots, and so is 429 for a full queue.
    assert whole / asked > 0.95, "a screen of optional sections is a screen"


async def all_is_well(chaos: Chaos) -> None:
    """Whole answers for everybody on both surfaces, as soon as the breakers' time has passed."""
    end = time.monotonic() + WELL_WITHIN_S
    async with chaos.system.client() as client:
        for user in USERS:
            headers = chaos.signed_in[user]
            while True:
                mobile = (await client.get(DASHBOARD.name, headers=headers)).json()
                web = (await client.post("/web/graphql", json={"query": PAGE}, headers=headers)).json()
                if mobile.get("degraded") == [] and "errors" not in web and web["data"]["dashboard"]["degraded"] == []:
                    break
                assert time.monotonic() < end, f"{user} still gets {mobile} and {web}"
                await asyncio.sleep(0.2)
            assert mobile["displayName"] == web["data"]["viewer"]["displayName"] == f"name {mark(user)}"
            assert len(mobile["recentOrders"]) == len(web["data"]["dashboard"]["recentOrders"]) == 5


async def nothing_is_left(system: LeanSystem, backends: SocketBackends) -> None:
    """No permit, no exchange, no waiter, no open breaker in either BFF; no request under way at any backend."""
    for bff in BFFS:
        for gauge in ("in_flight", "waiting", "exchanges"):
            values = await system.gauges(bff, f"frontage_backend_{gauge}")
            assert values == {f'backend="{name}"': 0 for name in BACKENDS}, (bff, gauge)
        closed = await system.gauges(bff, "frontage_backend_breaker")
        assert {labels for labels, value in closed.items() if value} == {
            f'backend="{name}",state="closed"' for name in BACKENDS
        }
    assert {name: backends[name].busy for name in BACKENDS} == dict.fromkeys(BACKENDS, 0)
