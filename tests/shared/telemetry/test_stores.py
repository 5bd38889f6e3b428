"""The store's metrics, read at scrape, and the log line of one that turned."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from shared.store.errors import StoreSkipped, StoreUnreachable
from shared.telemetry.metrics import Metrics
from shared.testing.clock import ManualClock
from tests.shared.store.memory import MemoryLines, memory_store
from tests.shared.telemetry.test_gates import shown


def test_without_a_store_there_is_nothing_to_show() -> None:
    """No gauge that says "down" of what is not there."""
    assert not [name for name in shown(Metrics()) if name.startswith("frontage_store")]


async def test_questions_are_shown_by_outcome_and_a_turn_is_counted_and_logged() -> None:
    """Answered, unreachable, skipped; up or not; and a line that says why."""
    metrics, clock = Metrics(), ManualClock()
    lines = MemoryLines(clock)
    store = memory_store(lines, listener=metrics.stores.turned)
    metrics.stores.watch(store, {"hit": 3, "dropped": 1})
    await store.put(b"k", b"v", timedelta(seconds=1))
    assert shown(metrics)["frontage_store_up"] == 1
    lines.down = True

    with capture_logs() as logged:
        for _ in range(3):
            with pytest.raises(StoreUnreachable):
                await store.get(b"k")
        with pytest.raises(StoreSkipped):
            store.get(b"k")
        lines.down = False
        got = shown(metrics)
        await clock.advance(1)

    assert got["frontage_store_up"] == 0
    assert got['frontage_store_questions_total{outcome="answered"}'] == 1
    assert got['frontage_store_questions_total{outcome="unreachable"}'] == 3
    assert got['frontage_store_questions_total{outcome="skipped"}'] == 1
    assert got['frontage_stored_answers_total{event="hit"}'] == 3
    assert got['frontage_store_turns_total{state="down"}'] == 1
    assert shown(metrics)['frontage_store_turns_total{state="up"}'] == 1
    assert [(line["event"], line["state"], line["cause"]) for line in logged] == [
        ("store_turned", "down", "unreachable: down"),
        ("store_turned", "up", ""),
    ]
    await store.aclose()
