"""Permits: as many as allowed, and every one comes back."""

import pytest

from shared.errors import BulkheadFull, Reason
from shared.resilience.bulkhead import Bulkhead, BulkheadPolicy


def test_a_full_bulkhead_rejects_at_once_and_takes_nothing() -> None:
    """The call that is rejected does not count as in flight."""
    bulkhead = Bulkhead("orders", BulkheadPolicy(max_concurrent=2))
    bulkhead.acquire()
    bulkhead.acquire()

    with pytest.raises(BulkheadFull) as rejected:
        bulkhead.acquire()

    assert (rejected.value.backend, rejected.value.reason) == ("orders", Reason.REJECTED)
    assert not rejected.value.transient
    assert bulkhead.in_flight == 2


def test_a_permit_given_back_can_be_taken_again() -> None:
    """One out, one in."""
    bulkhead = Bulkhead("orders", BulkheadPolicy(max_concurrent=1))
    for _ in range(5):
        bulkhead.acquire()
        bulkhead.release()

    assert bulkhead.in_flight == 0
