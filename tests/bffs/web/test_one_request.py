"""An operation is one request, however many root fields it has: one budget, one cap, one deadline."""

from shared.testing.clock import ManualClock
from shared.testing.faults import silent, status
from shared.testing.fixtures import Logged
from shared.testing.sockets import SocketBackends
from tests.bffs.web.web import BOTH, Web

BACKENDS = ("users", "orders", "alerts")

# Aliased dashboards of different width: no two root fields ask for the same, and each is a fan-out of its own.
MANY = """{
  a: dashboard { displayName degraded { section reason retryAfterSeconds } }
  b: dashboard { recentOrders { id } degraded { section reason retryAfterSeconds } }
  c: dashboard { alerts { id } degraded { section reason retryAfterSeconds } }
}"""


async def test_root_fields_share_the_retries_of_their_operation(
    manual_clock: ManualClock, web: Web, backends: SocketBackends
) -> None:
    """Three fan-outs, three backends down: three calls and two retries."""
    for name in BACKENDS:
        backends[name].fault(status(503))
    data = await web.data(MANY)

    assert len(backends.requests) == 3 + 2
    assert [gap["reason"] for name in "abc" for gap in data[name]["degraded"]] == ["faulted"] * 3


async def test_root_fields_share_one_deadline(manual_clock: ManualClock, web: Web, backends: SocketBackends) -> None:
    """Silence everywhere, in every root field: the answer is there by the time that was given."""
    for name in BACKENDS:
        backends[name].fault(silent())
    began = manual_clock.now_s()
    await web.data(MANY, headers={"x-deadline-ms": "500"})

    assert 0 < manual_clock.now_s() - began <= 0.5


async def test_the_cap_on_branches_counts_over_all_root_fields(web: Web, logged: Logged) -> None:
    """Room for two: the third is rejected and says so; the operator gets a log line and a count."""
    web.app.state.backends.max_branches = 2
    data = await web.data(MANY)
    text = (await web.http.get("/metrics")).text

    gap = {"section": "alerts", "reason": "rejected", "retryAfterSeconds": None}
    assert [data[name]["degraded"] for name in "abc"] == [[], [], [gap]]
    assert [line for line in logged if line["event"] == "answer_too_wide"] == [
        {"event": "answer_too_wide", "log_level": "warning", "route": "/web/graphql", "left_out": 1, "asked": 3}
    ]
    assert 'frontage_sections_left_out_total{route="/web/graphql"} 1.0' in text


async def test_a_required_section_beyond_the_cap_is_its_fields_error(web: Web) -> None:
    """The dashboard took the room; the viewer is ``overloaded``, without a hint to come back."""
    web.app.state.backends.max_branches = 2
    answer = (await web.query(BOTH)).json()

    assert answer["data"]["dashboard"]["degraded"] == []
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["viewer"], "overloaded")
    assert "retryAfterSeconds" not in error["extensions"]
