"""The summary: whole, degraded, failed, and for nobody in particular."""

from dev.scaffold.rest.backends import ORDERS, USERS
from shared.testing.bff import Bff
from shared.testing.clock import ManualClock
from shared.testing.faults import down, silent
from shared.testing.sockets import SocketBackends

SCREEN = "/newcomer/v1/summary"


async def test_a_summary(newcomer: Bff) -> None:
    """The customer and what they bought, in the clients' words."""
    assert (await newcomer.get(SCREEN)).json() == {
        "customerId": "u-1",
        "name": "Ada",
        "purchases": [{"id": "7", "amount": "12.30", "currency": "EUR", "placedAt": "2026-11-24T21:59:59Z"}],
        "degraded": [],
    }


async def test_without_purchases(manual_clock: ManualClock, newcomer: Bff, backends: SocketBackends) -> None:
    """Null, and named: an empty list would be a claim."""
    backends[ORDERS].fault(silent())
    body = (await newcomer.get(SCREEN)).json()

    assert body["purchases"] is None
    assert [(gap["section"], gap["reason"], gap["source"]) for gap in body["degraded"]] == [
        ("purchases", "timeout", "none")
    ]


async def test_without_a_customer(newcomer: Bff, backends: SocketBackends) -> None:
    """A problem that says what is missing, and when to come back."""
    backends[USERS].fault(down())
    answer = await newcomer.get(SCREEN)

    assert (answer.status_code, answer.json()["section"]) == (503, "customer")
    assert answer.headers["retry-after"] == "2"


async def test_for_nobody(newcomer: Bff, backends: SocketBackends) -> None:
    """401, and no backend is asked."""
    answer = await newcomer.get(SCREEN, user=None)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert backends.requests == []
