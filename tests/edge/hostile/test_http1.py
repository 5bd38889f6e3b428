"""The corpus over HTTP/1.1, through the real edge."""

import pytest

from tests.edge.hostile.rows import CORPUS, SILENCE, Row
from tests.edge.hostile.wire import PROBE, Wire, exchange

ROWS = [pytest.param(row, id=f"{group}: {row.name}"[:80]) for group, rows in CORPUS.items() for row in rows]
FOLLOWS = {
    "end": [[]], "on": [[200]], "any": [[], [200]], "judged": [[], [400], [401], [400, 200], [401, 200]],
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_a_hostile_request_is_refused_or_judged_as_one(attacked, recorder, row: Row):
    """It is answered as the table says, and nothing that it hides becomes a request of its own."""
    before = len(recorder.requests)
    with Wire.to(attacked) as wire:
        first, others = exchange(wire, row.sent)
    arrived = [one.target for one in recorder.requests[before:] if one.target != PROBE]
    came = (first.status if first else SILENCE, arrived, [answer.status for answer in others])
    assert came[0] in row.statuses, came
    assert len(arrived) == (row.reaches if came[0] == 200 else 0), came
    assert came[2] in FOLLOWS[row.then], came
    assert [answer.body for answer in others if answer.status == 200] in ([], [PROBE.encode()]), came
