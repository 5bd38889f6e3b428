"""Every reason of the closed list, by name, on the mobile surface."""

from typing import Any

import pytest

from shared.errors import Reason
from shared.resilience.bulkhead import Bulkhead
from shared.testing.scripted import Scripted, Step, broken, hang, reply, status
from tests.bffs.mobile.phone import DASHBOARD, FALLBACKS, PROFILE, WHOLE, Phone, scripted_phone, without_time

TROUBLE: dict[Reason, Step] = {
    Reason.TIMEOUT: hang(),
    Reason.DEADLINE: hang(),
    Reason.UNREACHABLE: broken(),
    Reason.FAULTED: status(500),
    Reason.REFUSED: status(403),
    Reason.INVALID: reply(b"<html>"),
    Reason.REJECTED: reply([]),
}
# With less time than one attempt may take, the whole ends first.
BUDGET_MS = {Reason.DEADLINE: "500"}
SOURCES = {"profile": "default", "recentOrders": "default", "alerts": "none"}
STATUS = {
    Reason.TIMEOUT: 504,
    Reason.DEADLINE: 504,
    Reason.UNREACHABLE: 503,
    Reason.REJECTED: 503,
    Reason.FAULTED: 502,
    Reason.REFUSED: 502,
    Reason.INVALID: 502,
}


async def meet(phone: Phone, backend: str, reason: Reason, path: str) -> Any:
    """Ask while that backend is in that trouble."""
    if reason is Reason.REJECTED:
        bulkhead: Bulkhead = phone.app.state.backends._states[backend].bulkhead
        bulkhead.in_flight = bulkhead.limit
    return await phone.get(path, x_deadline_ms=BUDGET_MS.get(reason, "3000"))


@pytest.mark.parametrize("backend", list(FALLBACKS))
@pytest.mark.parametrize("reason", list(Reason), ids=str)
async def test_a_missing_section_is_named_with_its_reason(reason: Reason, backend: str) -> None:
    """200; the others are whole; the declared fallback stands in; ``degraded`` says why and when to come back."""
    section, stands_in = FALLBACKS[backend]
    async with scripted_phone(**{backend: Scripted(TROUBLE[reason])}) as phone:
        answer = await meet(phone, backend, reason, DASHBOARD)

    lasting = reason in {Reason.REFUSED, Reason.INVALID}
    gap = {
        "section": section, "reason": reason, "source": SOURCES[section], "ageSeconds": None,
        "retryAfterSeconds": None if lasting else 2,
    }  # fmt: skip
    assert without_time(answer) == {**WHOLE, **stands_in, "degraded": [gap]}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("reason", list(Reason), ids=str)
async def test_a_missing_required_section_decides_the_status(reason: Reason, route: str) -> None:
    """A problem that names the section and the status of its reason; 503 says when to come back; never 500."""
    async with scripted_phone(Scripted(TROUBLE[reason]), route=route) as phone:
        answer = await meet(phone, "users", reason, PROFILE)

    assert answer.status_code == STATUS[reason]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["section"] == "profile"
    assert reason in answer.json()["detail"]
    if answer.status_code == 503:
        assert answer.headers["retry-after"] == "2"
