"""Field case S8 over real sockets: a POST is done once, whatever becomes of its answer."""

from datetime import timedelta
from typing import Any

import pytest

from shared.backends.backend import Backend, Backends, Call, CallPolicy
from shared.backends.fanout import Caller, fan_out
from shared.backends.sections import Sections, nullable
from shared.clock import LoopClock
from shared.resilience.deadline import Deadline
from shared.resilience.retry import RetryPolicy
from shared.telemetry.ledger import Ledger, TraceOrigin
from tests.shared.backends.raw import OK, RawBackend, Script, answers, http, never_answers, then_close, then_reset

ORDERS = Backend("orders", CallPolicy(attempt_timeout=timedelta(milliseconds=500), retry=RetryPolicy(max_attempts=3)))


class Posting(Sections):
    order = nullable(Call(ORDERS, "POST", "/orders", bytes))


async def post(backends: Backends) -> Posting:
    """Send the order once, as a request would; close the backends."""
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
async def test_case_s8_an_order_is_stored_once(script: Script, reason: str, transport: str) -> None:
    """The backend has it: it may not get it again; the client hears that it does not know."""
    async with RawBackend(script) as backend:
        got = await post(Backends.open({ORDERS: backend.url}, LoopClock(), transport=transport))

    assert len(backend.requests) == 1
    assert [gap.reason for gap in got.degraded] == [reason]


class RefusesOnce:
    """A transport's seam at which the first connection is refused, as by a backend that restarts."""

    def __init__(self, inner: Any, port: int) -> None:
        self._inner, self._port = inner, port

    def send(self, request: Any, receiver: Any) -> Any:
        exchange = self._inner.send(request, receiver)
        self._inner._port = self._port  # well again by the next attempt
        return exchange

    async def aclose(self) -> None:
        await self._inner.aclose()


async def test_case_s8_what_was_never_sent_is_tried_again() -> None:
    """No connection, no order: the second attempt stores it, once."""
    clock = LoopClock()
    async with RawBackend(answers(OK)) as gone:
        pass
    async with RawBackend(answers(http(b"stored"))) as backend:
        opened = Backends.open({ORDERS: gone.url}, clock)
        got = await post(Backends({ORDERS: RefusesOnce(opened.state(ORDERS).channel, backend.port)}, clock))

    assert got.order == b"stored"
    assert len(backend.requests) == 1
