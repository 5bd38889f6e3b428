"""An operation is one request, however many root fields it has: one budget, one cap, one deadline."""

from structlog.testing import capture_logs

from shared.testing.scripted import Scripted, hang, reply, status
from tests.bffs.web.loopback import PROFILE
from tests.bffs.web.web import BOTH, scripted

# Aliased dashboards of different width: no two root fields ask for the same, and each is a fan-out of its own.
MANY = """{
  a: dashboard { displayName degraded { section reason retryAfterSeconds } }
  b: dashboard { recentOrders { id } degraded { section reason retryAfterSeconds } }
  c: dashboard { alerts { id } degraded { section reason retryAfterSeconds } }
}"""


async def test_root_fields_share_the_retries_of_their_operation() -> None:
    """Three fan-outs, three backends down: three calls and two retries."""
    down = {name: Scripted(status(503)) for name in ("users", "orders", "alerts")}
    async with scripted(**down) as web:
        data = await web.data(MANY)

    assert sum(len(one.requests) for one in down.values()) == 3 + 2
    assert [gap["reason"] for name in "abc" for gap in data[name]["degraded"]] == ["faulted"] * 3


async def test_root_fields_share_one_deadline() -> None:
    """Silence everywhere, in every root field: the answer is there by the time that was given."""
    silent = {name: Scripted(hang()) for name in ("users", "orders", "alerts")}
    async with scripted(**silent) as web:
        began = web.app.state.clock.now_s()
        await web.data(MANY, headers={"x-deadline-ms": "500"})

        assert web.app.state.clock.now_s() - began <= 0.5


async def test_the_cap_on_branches_counts_over_all_root_fields() -> None:
    """Room for two: the third is rejected and says so; the operator gets a log line and a count."""
    async with scripted() as web:
        web.app.state.backends.max_branches = 2
        with capture_logs() as lines:
            data = await web.data(MANY)
        text = (await web.http.get("/metrics")).text

    gap = {"section": "alerts", "reason": "rejected", "retryAfterSeconds": None}
    assert [data[name]["degraded"] for name in "abc"] == [[], [], [gap]]
    assert [line for line in lines if line["event"] == "answer_too_wide"] == [
        {"event": "answer_too_wide", "log_level": "warning", "route": "/web/graphql", "left_out": 1, "asked": 3}
    ]
    assert 'frontage_sections_left_out_total{route="/web/graphql"} 1.0' in text


async def test_a_required_section_beyond_the_cap_is_its_fields_error() -> None:
    """The dashboard took the room; the viewer is ``overloaded``, without a hint to come back."""
    async with scripted(users=Scripted(reply(PROFILE))) as web:
        web.app.state.backends.max_branches = 2
        answer = (await web.query(BOTH)).json()

    assert answer["data"]["dashboard"]["degraded"] == []
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["viewer"], "overloaded")
    assert "retryAfterSeconds" not in error["extensions"]
