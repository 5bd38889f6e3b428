"""What a page gets when a backend is in trouble, as files for people to read: ``golden/*.json``."""

import pytest

from bffs.web.backends import ALERTS, ORDERS_OF, USERS
from shared.testing.calls import BackendCalls
from shared.testing.clock import ManualClock
from shared.testing.faults import USUAL_FAULTS
from shared.testing.fixtures import Golden
from shared.testing.sockets import SocketBackends
from tests.bffs.web.web import BOTH, DASHBOARD, ORDER, Web

every_usual_fault = pytest.mark.parametrize("fault", USUAL_FAULTS)


@every_usual_fault
async def test_a_dashboard_without_alerts(
    manual_clock: ManualClock, web: Web, backends: SocketBackends, golden: Golden, fault: str
) -> None:
    """A nullable section: null and named, no error, the rest is there."""
    backends[ALERTS].fault(USUAL_FAULTS[fault])
    golden(await web.query(DASHBOARD), f"dashboard, alerts {fault}")


@every_usual_fault
async def test_both_root_fields_without_users(
    manual_clock: ManualClock, web: Web, backends: SocketBackends, golden: Golden, fault: str
) -> None:
    """The dashboard has its defaults, the viewer an error with its path and when to ask again."""
    backends[USERS].fault(USUAL_FAULTS[fault])
    golden(await web.query(BOTH), f"both, users {fault}")


async def test_a_long_list_costs_no_more_calls(web: Web, backends: SocketBackends, backend_calls: BackendCalls) -> None:
    """Two orders or twenty: the same three calls."""

    async def show(size: int) -> None:
        backends.answers(ORDERS_OF, [ORDER] * size)
        assert len((await web.data(DASHBOARD))["dashboard"]["recentOrders"]) == size

    await backend_calls.do_not_grow(show)
