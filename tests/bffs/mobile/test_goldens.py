"""What a phone gets when a backend is in trouble, as files for people to read: ``golden/*.json``."""

import pytest

from bffs.mobile.backends import ORDERS, USERS
from shared.testing.bff import Bff
from shared.testing.clock import ManualClock
from shared.testing.faults import USUAL_FAULTS
from shared.testing.fixtures import Golden
from shared.testing.sockets import SocketBackends
from tests.bffs.mobile.sample import DASHBOARD, PROFILE

every_usual_fault = pytest.mark.parametrize("fault", USUAL_FAULTS)


@every_usual_fault
async def test_a_dashboard_without_orders(
    manual_clock: ManualClock, mobile: Bff, backends: SocketBackends, golden: Golden, fault: str
) -> None:
    """An optional section: 200, the rest is there."""
    backends[ORDERS].fault(USUAL_FAULTS[fault])
    golden(await mobile.get(DASHBOARD), f"dashboard, orders {fault}")


@every_usual_fault
async def test_a_profile_without_users(
    manual_clock: ManualClock, mobile: Bff, backends: SocketBackends, golden: Golden, fault: str
) -> None:
    """A required section: a problem that says whether to come back."""
    backends[USERS].fault(USUAL_FAULTS[fault])
    golden(await mobile.get(PROFILE), f"profile, users {fault}")


async def test_a_dashboard_with_older_orders(
    manual_clock: ManualClock, mobile: Bff, backends: SocketBackends, golden: Golden
) -> None:
    """The orders of twelve seconds ago, and their age."""
    await mobile.get(DASHBOARD)
    await manual_clock.advance(12)
    backends[ORDERS].fault(USUAL_FAULTS["down"])
    golden(await mobile.get(DASHBOARD), "dashboard, orders stale")
