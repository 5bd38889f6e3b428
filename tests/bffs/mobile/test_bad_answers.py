"""What a backend answers wrongly costs its section, never the app: over real sockets, through both transports."""

import asyncio
import json
from typing import NamedTuple

import pytest

from bffs.mobile.backends import ALERTS, ORDERS, USERS
from shared.testing.clock import ManualClock
from shared.testing.faults import answer, hangs_up, held, invalid, raw, reset, silent
from shared.testing.playing import Fault
from shared.testing.sockets import SocketBackends
from tests.bffs.mobile.conftest import OpenMobile
from tests.bffs.mobile.sample import DASHBOARD, ME, PROFILE, WHOLE, without_time


class Bad(NamedTuple):
    """What the backend does; the reason on the phone; the status where the section is required."""

    fault: Fault
    reason: str
    status: int


BAD = {
    "HTML": Bad(invalid(), "invalid", 502),
    "truncated JSON": Bad(invalid(b'[{"id": 1, "am'), "invalid", 502),
    "an answer cut short": Bad(raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[", "close"), "unreachable", 503),
    "NaN": Bad(invalid(b"NaN"), "invalid", 502),
    "not UTF-8": Bad(invalid(b'["\xff"]'), "invalid", 502),
    "10 MB": Bad(invalid(b"[" + b"1," * (5 << 20) + b"1]"), "invalid", 502),
    "a redirect": Bad(answer(302, location="/api/internal/elsewhere"), "invalid", 502),
    "nothing": Bad(silent(), "deadline", 504),
    "hangs up": Bad(hangs_up(), "unreachable", 503),
    "resets": Bad(reset(b"HTTP/1.1 200 OK\r\n"), "unreachable", 503),
    "500": Bad(answer(500, b"secret stack trace"), "faulted", 502),
    "401": Bad(answer(401, b"secret"), "refused", 502),
}
every_bad_answer = pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
both_transports = pytest.mark.parametrize("transport", ["wire", "httpx"])


@every_bad_answer
@both_transports
async def test_an_optional_section_is_named_and_the_rest_is_there(
    manual_clock: ManualClock, open_mobile: OpenMobile, backends: SocketBackends, bad: Bad, transport: str
) -> None:
    """200 by the deadline, valid JSON, nothing of the backend's text, no redirect followed."""
    mobile = await open_mobile(transport=transport)
    backends[ORDERS].fault(bad.fault)
    answered = await mobile.get(DASHBOARD, headers={"x-deadline-ms": "400"})

    gap = {"section": "recentOrders", "reason": bad.reason, "source": "default", "ageSeconds": None}
    (said,) = json.loads(answered.content)["degraded"]
    assert said.items() >= gap.items()
    assert without_time(answered) == {**WHOLE, "recentOrders": [], "degraded": [said]}
    assert "secret" not in answered.text
    assert manual_clock.now_s() <= 1000.4
    assert all("elsewhere" not in one.target for one in backends.requests)


@every_bad_answer
@both_transports
async def test_a_required_section_decides_the_status(
    manual_clock: ManualClock, open_mobile: OpenMobile, backends: SocketBackends, bad: Bad, transport: str
) -> None:
    """A problem naming the section and nothing of the backend: no host, no text; never 500."""
    mobile = await open_mobile(transport=transport)
    backends[USERS].fault(bad.fault)
    answered = await mobile.get(PROFILE, headers={"x-deadline-ms": "400"})

    assert answered.status_code == bad.status
    assert answered.headers["content-type"] == "application/problem+json"
    assert answered.json()["section"] == "profile"
    assert ("retry-after" in answered.headers) is (bad.reason not in {"invalid", "refused"})
    assert "secret" not in answered.text
    assert "127.0.0.1" not in answered.text


@both_transports
async def test_case_s10_one_users_cookie_is_not_the_next_ones(
    open_mobile: OpenMobile, backends: SocketBackends, transport: str
) -> None:
    """A backend called by name sets one for Ada: Bob's request has none, and neither gets to see it."""
    mobile = await open_mobile(transport=transport)
    profile = json.dumps(ME).encode()
    cookies = b"set-cookie: sid=ada; Path=/\r\nset-cookie: other=1; Domain=localhost\r\n"
    backends[USERS].fault(raw(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n%b\r\n%b" % (len(profile), cookies, profile)))
    first = await mobile.get(PROFILE, user="ada")
    second = await mobile.get(PROFILE, user="bob")

    assert (first.status_code, second.status_code) == (200, 200)
    assert [one.header("cookie") for one in backends[USERS].requests] == [None, None]
    assert "set-cookie" not in first.headers
    assert "set-cookie" not in second.headers


@both_transports
async def test_every_backend_is_asked_before_any_has_answered(
    open_mobile: OpenMobile, backends: SocketBackends, transport: str
) -> None:
    """Each call is held until all three have arrived: one after another, they would wait for ever."""
    mobile = await open_mobile(transport=transport)
    together = asyncio.Barrier(3)
    for backend in (USERS, ORDERS, ALERTS):
        backends[backend].fault(held(together))

    assert without_time(await mobile.get(DASHBOARD)) == WHOLE
