"""Shipped apps: who is too old is told so, who will be is told when; and how long things took, for who may know."""

import asyncio
from pathlib import Path

import httpx
import pytest

from shared.asgi.app_policy import LOOK_EVERY_S
from shared.testing.bff import Bff
from shared.testing.calls import BackendCalls
from shared.testing.clock import ManualClock
from shared.testing.faults import down
from shared.testing.fixtures import Logged
from shared.testing.sockets import SocketBackends
from tests.bffs.mobile.conftest import OpenMobile
from tests.bffs.mobile.sample import DASHBOARD, PROFILE

POLICY = """
[ios]
minimum = "{minimum}"
recommended = "4.2"
sunset = 2027-01-31T00:00:00Z
"""
TELLING = ("sunset", "x-app-recommended-version")


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """Where the policy lies: iPhones from 3.0 on."""
    file = tmp_path / "apps.toml"
    file.write_text(POLICY.format(minimum="3.0"))
    return file


def app(version: str, platform: str = "ios") -> dict[str, str]:
    return {"x-app-version": version, "x-app-platform": platform}


async def ask(mobile: Bff, headers: dict[str, str], path: str = DASHBOARD) -> httpx.Response:
    return await mobile.get(path, headers=headers)


async def test_versions_are_told_apart(
    open_mobile: OpenMobile, backend_calls: BackendCalls, policy: Path, route: str
) -> None:
    """Too old: 426 before any call. Old: served, and told. New, unknown or none: served as ever. On every screen."""
    mobile = await open_mobile(app_policy=policy, route=route)
    for path in (DASHBOARD, PROFILE):
        with backend_calls.exactly({}):
            refused = await ask(mobile, app("2.9.9"), path)
        assert (refused.status_code, refused.json()["code"]) == (426, "upgrade_required")
        assert "3.0 and newer" in refused.json()["detail"]

        old = await ask(mobile, app("3.0"), path)
        assert old.status_code == 200
        assert [old.headers.get(name) for name in TELLING] == ["Sun, 31 Jan 2027 00:00:00 GMT", "4.2"]
        same = await ask(mobile, {**app("3.0"), "if-none-match": old.headers["etag"]}, path)
        assert (same.status_code, same.headers["sunset"]) == (304, old.headers["sunset"])
        for headers in (app("4.2"), app("10.0"), app("1.0", "android"), app("v1"), {"x-app-version": "1.0"}, {}):
            served = await ask(mobile, headers, path)
            assert served.status_code == 200
            assert not set(TELLING) & set(served.headers)


async def test_what_is_too_old_changes_nothing(
    open_mobile: OpenMobile, backend_calls: BackendCalls, policy: Path
) -> None:
    """A write of an app that is no longer served is not executed."""
    mobile = await open_mobile(app_policy=policy)
    with backend_calls.exactly({}):
        answer = await mobile.request("PUT", "/mobile/v1/alerts/1/read", headers=app("1"))

    assert answer.status_code == 426


async def test_a_new_policy_counts_within_seconds(
    manual_clock: ManualClock, open_mobile: OpenMobile, policy: Path, logged: Logged
) -> None:
    """Without a restart; a wrong one is told with its place, and what held before goes on until it is mended."""
    mobile = await open_mobile(app_policy=policy)
    assert (await ask(mobile, app("3.5"))).status_code == 200

    async def rewritten(text: str) -> int:
        policy.with_name("new").write_text(text)
        policy.with_name("new").replace(policy)
        await manual_clock.run(manual_clock.sleep(LOOK_EVERY_S))
        return (await ask(mobile, app("3.5"))).status_code

    assert await rewritten(POLICY.format(minimum="4")) == 426
    assert await rewritten(POLICY.format(minimum="four")) == 426
    (told,) = (line for line in logged if line["event"] == "app_policy_refused")
    assert f"{policy}:3: ios minimum 'four'" in told["reason"]
    assert await rewritten(POLICY.format(minimum="3.5")) == 200
    await asyncio.to_thread(policy.unlink)
    await manual_clock.run(manual_clock.sleep(LOOK_EVERY_S))
    assert (await ask(mobile, app("3.4"))).status_code == 426


async def test_a_wrong_policy_stops_the_start(open_mobile: OpenMobile, policy: Path) -> None:
    """With file, line and value."""
    await asyncio.to_thread(policy.write_text, '[ios]\nminimum = "x"\n')
    with pytest.raises(ValueError, match=r"apps\.toml:2: ios minimum 'x'"):
        await open_mobile(app_policy=policy)


async def test_who_may_know_is_told_how_long_it_took(
    open_mobile: OpenMobile, backends: SocketBackends, route: str
) -> None:
    """By section with what came of it, for a caller who has the scope and asks; to nobody else, and not unasked."""
    mobile = await open_mobile(route=route)
    backends["orders"].fault(down())
    asks = {"x-server-timing": "1"}
    allowed = mobile.issuer.signed_in("u-1", scope="dashboard server:timing")
    answer = await mobile.get(DASHBOARD, user=None, headers={**allowed, **asks})

    parts = dict(one.split(";", 1) for one in answer.headers["server-timing"].split(", "))
    assert list(parts) == ["total", "profile", "recentOrders", "alerts"]
    assert [parts[name].partition("desc=")[2] for name in ("profile", "recentOrders")] == ['"fresh"', '"default"']
    assert all(float(one.removeprefix("dur=").partition(";")[0]) >= 0 for one in parts.values())
    assert "server-timing" not in (await mobile.get(DASHBOARD, user=None, headers=allowed)).headers
    assert "server-timing" not in (await mobile.get(DASHBOARD, headers=asks)).headers
    assert "server-timing" not in (await mobile.get(DASHBOARD, user=None, headers=asks)).headers
