"""Every reason of the closed list, by name, on the mobile surface."""

import httpx
import pytest

from shared.errors import Reason
from shared.resilience.bulkhead import Bulkhead
from shared.testing.bff import Bff
from shared.testing.clock import ManualClock
from shared.testing.faults import down, invalid, silent, status, well
from shared.testing.playing import Fault
from shared.testing.sockets import SocketBackends
from tests.bffs.mobile.conftest import OpenMobile
from tests.bffs.mobile.sample import DASHBOARD, PARTS, PROFILE, WHOLE, without_time

TROUBLE: dict[Reason, Fault] = {
    Reason.TIMEOUT: silent(),
    Reason.DEADLINE: silent(),
    Reason.UNREACHABLE: down(),
    Reason.FAULTED: status(500),
    Reason.REFUSED: status(403),
    Reason.INVALID: invalid(),
    Reason.REJECTED: well(),
}
# With less time than one attempt may take, the whole ends first.
BUDGET_MS = {Reason.DEADLINE: "500"}
STATUS = {
    Reason.TIMEOUT: 504,
    Reason.DEADLINE: 504,
    Reason.UNREACHABLE: 503,
    Reason.REJECTED: 503,
    Reason.FAULTED: 502,
    Reason.REFUSED: 502,
    Reason.INVALID: 502,
}


async def meet(mobile: Bff, backends: SocketBackends, backend: str, reason: Reason, path: str) -> httpx.Response:
    """Ask while that backend is in that trouble."""
    backends[backend].fault(TROUBLE[reason])
    if reason is Reason.REJECTED:
        bulkhead: Bulkhead = mobile.app.state.backends.states[backend].bulkhead
        bulkhead.in_flight = bulkhead.limit
    return await mobile.get(path, headers={"x-deadline-ms": BUDGET_MS.get(reason, "3000")})


@pytest.mark.parametrize("backend", list(PARTS))
@pytest.mark.parametrize("reason", list(Reason), ids=str)
async def test_a_missing_section_is_named_with_its_reason(
    manual_clock: ManualClock, mobile: Bff, backends: SocketBackends, reason: Reason, backend: str
) -> None:
    """200; the others are whole; the declared fallback stands in; ``degraded`` says why and when to come back."""
    part = PARTS[backend]
    answer = await meet(mobile, backends, backend, reason, DASHBOARD)

    lasting = reason in {Reason.REFUSED, Reason.INVALID}
    gap = {
        "section": part.section, "reason": reason, "source": part.source, "ageSeconds": None,
        "retryAfterSeconds": None if lasting else 2,
    }  # fmt: skip
    assert without_time(answer) == {**WHOLE, **part.stands_in, "degraded": [gap]}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("reason", list(Reason), ids=str)
async def test_a_missing_required_section_decides_the_status(
    manual_clock: ManualClock, open_mobile: OpenMobile, backends: SocketBackends, reason: Reason, route: str
) -> None:
    """A problem that names the section and the status of its reason; 503 says when to come back; never 500."""
    answer = await meet(await open_mobile(route=route), backends, "users", reason, PROFILE)

    assert answer.status_code == STATUS[reason]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["section"] == "profile"
    assert reason in answer.json()["detail"]
    if answer.status_code == 503:
        assert answer.headers["retry-after"] == "2"
