"""Field case S8 over real sockets: a POST is done once, whatever becomes of its answer."""

from datetime import timedelta
from typing import Any

import pytest

from shared.backends.backend import Backend, Backends, Call, CallPolicy
from shared.backends.fanout import Caller, fan_out
from shared.backends.sections import Sections, nullable
from shared.backends.transports import Network
from shared.backends.wire.names import NamesPolicy
from shared.backends.wire.pool import PoolPolicy
from shared.clock import LoopClock
from shared.resilience.deadline import Deadline
from shared.resilience.retry import RetryPolicy
from shared.telemetry.ledger import Ledger, TraceOrigin
from tests.shared.backends.raw import OK, RawBackend, Script, answers, http, never_answers, then_close, then_reset

ORDERS = Backend("orders", CallPolicy(attempt_timeout=timedelta(milliseconds=500), retry=RetryPolicy(max_attempts=3)))


async def post(backends: Backends, orders: Backend = ORDERS) -> Any:
    """Send the order once, as a request would; close the backends."""

    class Posting(Sections):
        order = nullable(Call(orders, "POST", "/orders", bytes))

    now_s = backends.clock.now_s()
    try:
        return await fan_out(
            Posting,
            backends=backends,
            deadline=Deadline.after(timedelta(seconds=5), now_s),
            caller=Caller(scope="alice"),
            ledger=Ledger(TraceOrigin("a" * 32, None, sampled=False, tracestate=""), "POST", now_s),
            parameters={},
        )
    finally:
        await backends.aclose()


STORED_THEN: dict[str, tuple[Script, str]] = {
    "drops the connection": (then_close(b""), "unreachable"),
    "resets it": (then_reset(b""), "unreachable"),
    "drops it within the answer": (then_close(OK[:-1]), "unreachable"),
    "answers 504": (answers(http(b"", status="504 Gateway Timeout")), "faulted"),
    "answers 503 and names a time": (answers(http(b"", "retry-after: 0", status="503 Busy")), "faulted"),
    "is silent": (never_answers, "timeout"),
}


@pytest.mark.parametrize("transport", ["wire", "httpx"])
@pytest.mark.parametrize(("script", "reason"), STORED_THEN.values(), ids=STORED_THEN.keys())
async def test_case_s8_an_order_is_stored_once(script: Script, reason: str, transport: Any) -> None:
    """The backend has it: it may not get it again; the client hears that it does not know."""
    async with RawBackend(script) as backend:
        got = await post(Backends.open({ORDERS: backend.url}, LoopClock(), Network(transport=transport)))

    assert len(backend.requests) == 1
    assert [gap.reason for gap in got.degraded] == [reason]


class Moves:
    """A name whose first address has nobody listening, as that of a backend that was just moved."""

    def __init__(self) -> None:
        self._answers = iter(["127.0.0.2", "127.0.0.1"])

    async def resolve(self, host: str) -> list[str]:
        assert host == "orders.test"
        return [next(self._answers)]


@pytest.mark.parametrize("transport", ["wire", "httpx"])
async def test_case_s8_what_was_never_sent_is_tried_again(transport: Any) -> None:
    """No connection, no order: the second attempt asks DNS again, and stores it, once."""
    asks_anew = PoolPolicy(names=NamesPolicy(max_age=timedelta(0)))
    orders = Backend("orders", CallPolicy(retry=RetryPolicy(max_attempts=2), pool=asks_anew))
    async with RawBackend(answers(http(b"stored"))) as backend:
        network = Network(transport=transport, resolver=Moves())
        got = await post(Backends.open({orders: f"http://orders.test:{backend.port}"}, LoopClock(), network), orders)

    assert got.order == b"stored"
    assert len(backend.requests) == 1
