"""What is worth a trace at its end."""

from datetime import timedelta

import pytest

from shared.errors import ProblemCode
from shared.telemetry.keeping import Keeper, KeepPolicy, Why
from shared.telemetry.ledger import Ledger, TraceOrigin

POLICY = KeepPolicy(slow_after=timedelta(seconds=1), routes={"/quick": timedelta(milliseconds=50)}, most_per_s=2)


def ended(status: int = 200, took_s: float = 0.01, route: str = "/any", at_s: float = 100.0, **more: object) -> Ledger:
    ledger = Ledger(TraceOrigin("ab" * 16, None, sampled=False, tracestate=""), "GET", at_s - took_s)
    ledger.status, ledger.route, ledger.ended_s = status, route, at_s
    for name, value in more.items():
        setattr(ledger, name, value)
    return ledger


@pytest.mark.parametrize(
    ("ledger", "why"),
    [
        (ended(), None),
        (ended(404), None),
        (ended(429), None),
        (ended(499, took_s=0.9), None),
        (ended(500), Why.FAILED),
        (ended(504, took_s=3.0, degraded="a:timeout:none"), Why.FAILED),
        (ended(degraded="a:timeout:none", took_s=3.0), Why.DEGRADED),
        (ended(took_s=0.99), None),
        (ended(took_s=1.0), Why.SLOW),
        (ended(route="/quick", took_s=0.06), Why.SLOW),
        (ended(route="/quick", took_s=0.04), None),
        (ended(errors=(ProblemCode.NOT_FOUND, ProblemCode.INVALID_REQUEST)), None),
        (ended(errors=(ProblemCode.NOT_FOUND, ProblemCode.BACKEND_FAULTED)), Why.FAILED),
        (ended(exception="ZeroDivisionError"), Why.FAILED),
    ],
)
def test_the_worst_that_holds_is_said(ledger: Ledger, why: Why | None) -> None:
    """A client's own fault is not ours, an error inside of a 200 is."""
    assert Keeper(POLICY).why(ledger) is why


def test_what_is_not_asked_for_is_not_kept() -> None:
    """Slow is not looked for under another name."""
    keeper = Keeper(KeepPolicy(why=frozenset({Why.DEGRADED}), routes={"/quick": timedelta(0)}))

    assert keeper.why(ended(500)) is None
    assert keeper.why(ended(took_s=60)) is None
    assert keeper.why(ended(route="/quick")) is None
    assert keeper.why(ended(degraded="a:timeout:none")) is Why.DEGRADED


def test_the_ceiling_is_by_the_second() -> None:
    """Two in one, and again two in the next."""
    keeper = Keeper(POLICY)

    assert [keeper.admits(ended(at_s=at)) for at in (100.1, 100.2, 100.9, 101.0, 101.5, 101.9)] == [
        True, True, False, True, True, False,
    ]  # fmt: skip
