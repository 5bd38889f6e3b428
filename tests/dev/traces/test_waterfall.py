import time
from itertools import pairwise

from dev.traces.jaeger import trace_json
from dev.traces.otlp import decode_json, spans_of
from dev.traces.rows import Role
from dev.traces.span import StoredTrace
from dev.traces.terminal import render_trace
from dev.traces.ticks import ticks_us
from dev.traces.tree import Json
from dev.traces.waterfall import Gap, gaps, waterfall
from dev.traces.words import deadline_words, gap_words, label, lost_words, marks, warning_words
from tests.dev.traces.samples import AT_NS, TRACE_ID, as_json, dashboard, export, healthy, span


def jaeger(document: Json) -> Json:
    spans, _ = spans_of(decode_json(as_json(document)))
    spans.sort(key=lambda one: one.start_us)
    return trace_json(StoredTrace(trace_id=spans[0].trace_id, spans=tuple(spans), dropped=0, touched_us=0))


def test_a_degraded_dashboard_row_by_row() -> None:
    """The golden rows: tree order, depth, place, role, section, backend, attempt, and what is said of each."""
    fall = waterfall(jaeger(dashboard()))

    rows = [
        (row.depth, row.role.value, label(row), row.offset_us, row.duration_us, row.section, row.backend,
         " · ".join(marks(row)))
        for row in fall.rows
    ]  # fmt: skip
    users = "GET /api/internal/users/{user_id}/profile"
    assert rows == [
        (0, "server", "edge GET /mobile/{**rest}", 0, 907_000, "", "", "200"),
        (1, "call", "router mobile egress", 1_100, 905_000, "", "", "200"),
        (2, "server", "mobile GET /mobile/v1/dashboard", 2_200, 899_400, "", "", "200 · degraded"),
        (3, "section", "profile", 3_000, 12_000, "profile", "", ""),
        (4, "attempt", "GET users", 3_100, 11_600, "profile", "users", "200"),
        (5, "server", f"users {users}", 4_000, 9_000, "profile", "users", "200"),
        (3, "section", "recentOrders", 3_000, 897_000, "recentOrders", "", "degraded: deadline"),
        (4, "attempt", "GET orders #1", 3_100, 400_000, "recentOrders", "orders", "timeout · retried"),
        (4, "attempt", "GET orders #2", 440_000, 460_000, "recentOrders", "orders", "cancelled"),
        (3, "section", "alerts", 3_000, 90_000, "alerts", "", ""),
        (4, "attempt", "GET alerts #1", 3_100, 30_000, "alerts", "alerts", "503 faulted · retried"),
        (4, "attempt", "GET alerts #2", 50_000, 40_000, "alerts", "alerts", "200"),
    ]
    assert (fall.name, fall.service, fall.status, fall.total_us) == ("GET /mobile/v1/dashboard", "edge", 200, 907_000)
    assert fall.degraded == (Gap(section="recentOrders", reason="deadline", source="default"),)
    assert (fall.errors, fall.backends) == (3, ("alerts", "orders", "users"))


def test_the_deadline_is_the_bffs_and_has_a_place() -> None:
    """Not the backend's own, which is later in the tree; it counts from the start of the span that carries it."""
    fall = waterfall(jaeger(dashboard()))

    assert (fall.deadline_ms, fall.deadline_us, fall.deadline_in_sight) == (900, 902_200, True)
    assert (fall.scale_us, fall.spare_us) == (907_000, 600)
    assert deadline_words(fall) == "deadline 900 ms, 0.6 ms to spare"


def test_a_deadline_far_away_does_not_squeeze_the_bars() -> None:
    """An answer in 21 ms is drawn over 21 ms; its deadline of 900 is told in words."""
    fall = waterfall(jaeger(healthy(TRACE_ID, AT_NS)))

    assert (fall.scale_us, fall.deadline_in_sight) == (21_400, False)
    assert deadline_words(fall) == "deadline 900 ms, 878.6 ms to spare"


def test_a_deadline_just_behind_the_last_span_is_in_sight() -> None:
    """The scale grows to hold it."""
    fall = waterfall(jaeger(healthy(TRACE_ID, AT_NS, took_ms=700)))

    assert (fall.scale_us, fall.deadline_us, fall.deadline_in_sight) == (900_000, 900_000, True)


def test_a_failed_section_is_said_of_the_whole() -> None:
    """A required section that failed names itself in the headline, not only in its row."""
    spans = [
        span(1, 0, "POST /web/graphql", 0, 310, "server", error=True, frontage__deadline_ms=300),
        span(
            *(2, 1, "section profile", 1, 300, "internal"), error=True,
            frontage__section="profile", frontage__outcome="failed", frontage__reason="deadline",
        ),
    ]  # fmt: skip
    fall = waterfall(jaeger(export(web=spans)))

    assert lost_words(fall) == ["profile: deadline"]
    assert [marks(row) for row in fall.rows] == [["error"], ["failed: deadline"]]
    assert deadline_words(fall) == "deadline 300 ms, passed by 10.0 ms"


def test_a_span_whose_parent_is_missing_is_drawn_as_a_root() -> None:
    """Late, dropped or never sent: nothing vanishes, and the picture says that it is not whole."""
    spans = [span(3, 77, "GET /mobile/v1/dashboard", 0, 20, "server"), span(4, 3, "GET users", 1, 9, "client")]
    fall = waterfall(jaeger(export(mobile=spans)))

    assert [(row.depth, row.orphan) for row in fall.rows] == [(0, True), (1, False)]
    assert marks(fall.rows[0]) == ["parent not here"]
    assert warning_words(fall) == ["1 span without the parent: late, or never sent"]


def test_a_trace_kept_for_its_end_begins_at_the_bff_and_says_why() -> None:
    """The edge's span was never made: that is no fault of the picture. What happened stands beside what is missing."""
    spans = [
        span(
            3, 77, "GET /mobile/v1/dashboard", 0, 20, "server", http__response__status_code=200,
            frontage__kept="degraded", frontage__degraded="alerts:faulted:none", frontage__deadline_ms=900,
        ),
        span(
            4, 3, "section alerts", 1, 9, "internal", frontage__section="alerts", frontage__outcome="none",
            frontage__reason="faulted", frontage__detail="answered 500",
        ),
    ]  # fmt: skip
    fall = waterfall(jaeger(export(mobile=spans)))

    assert marks(fall.rows[0]) == ["200", "degraded"]
    assert warning_words(fall) == ["not sampled, kept because degraded: this service's part only"]
    assert [gap_words(gap) for gap in fall.degraded] == ["alerts: faulted (answered 500), the section is null"]
    assert "kept because degraded" in render_trace(jaeger(export(mobile=spans)), width=100, colour=False, unicode=False)


def test_a_clock_that_is_behind_is_put_right() -> None:
    """A child in another service cannot start before its cause: it and what hangs under it move together."""
    mobile = [span(1, 0, "GET /x", 100, 50, "server"), span(2, 1, "GET users", 110, 20, "client")]
    users = [span(3, 2, "GET /y", 12, 10, "server"), span(4, 3, "query", 14, 4, "internal")]
    fall = waterfall(jaeger(export(mobile=mobile, users=users)))

    assert [(row.name, row.offset_us, row.skew_us) for row in fall.rows] == [
        ("GET /x", 0, 0),
        ("GET users", 10_000, 0),
        ("GET /y", 15_000, 103_000),  # 10 of its parent's 20 ms: five before, five after
        ("query", 17_000, 103_000),
    ]
    assert marks(fall.rows[2]) == ["clock +103 ms"]


def test_a_clock_of_the_same_service_is_believed() -> None:
    """A span of the same process may start before its parent was opened; moving it would invent something."""
    spans = [span(1, 0, "GET /x", 10, 50, "server"), span(2, 1, "queue", 4, 6, "internal")]
    fall = waterfall(jaeger(export(mobile=spans)))

    assert [(row.name, row.offset_us, row.skew_us) for row in fall.rows] == [("GET /x", 6_000, 0), ("queue", 0, 0)]


def test_backend_work_that_outlives_its_cancelled_attempt_stays_where_it_was() -> None:
    """The backend sees the close a moment later: that is the truth, not a clock."""
    mobile = [
        span(1, 0, "GET /x", 0, 50, "server"),
        span(2, 1, "GET orders", 1, 40, "client", frontage__cancelled=True),
    ]
    orders = [span(3, 2, "GET /y", 2, 70, "server")]
    fall = waterfall(jaeger(export(mobile=mobile, orders=orders)))

    assert (fall.rows[2].offset_us, fall.rows[2].duration_us, fall.scale_us) == (2_000, 70_000, 72_000)
    assert fall.total_us == 50_000


def test_parents_in_a_loop_are_all_drawn_once() -> None:
    """Nonsense in, every span out."""
    spans = [span(1, 2, "a", 0, 1, "internal"), span(2, 1, "b", 0, 1, "internal"), span(3, 3, "c", 0, 1, "internal")]
    fall = waterfall(jaeger(export(mobile=spans)))

    assert sorted(row.name for row in fall.rows) == ["a", "b", "c"]


def test_very_many_spans_take_linear_time() -> None:
    """6,000 side by side and a chain 6,000 deep: no recursion, no square."""
    for parent_of in (lambda _number: 1, lambda number: number - 1):
        spans = [span(1, 0, "root", 0, 20_000, "server")]
        spans += [span(number, parent_of(number), "x", number / 2, 1, "internal") for number in range(2, 6_001)]
        trace = jaeger(export(mobile=spans))

        begun = time.process_time()
        fall = waterfall(trace)

        assert len(fall.rows) == 6_000
        assert time.process_time() - begun < 3  # a square of 6,000 would take half a minute


def test_an_empty_trace_has_no_rows() -> None:
    """And no division by zero."""
    fall = waterfall({"traceID": TRACE_ID, "spans": [], "processes": {}})

    assert (fall.rows, fall.total_us, fall.scale_us) == ((), 0, 1)


def test_a_trace_from_jaeger_itself_is_read() -> None:
    """Older attribute names, numbers as text, references to other traces, processes without tags, nulls."""
    trace = {
        "traceID": "a",
        "warnings": None,
        "processes": {"p1": {"serviceName": "edge"}},
        "spans": [
            {
                "traceID": "a", "spanID": "1", "operationName": "ingress", "startTime": 5, "duration": 7,
                "processID": "p1",
                "references": [
                    {"refType": "FOLLOWS_FROM", "traceID": "b", "spanID": "9"},
                ],
                "tags": [
                    {"key": "span.kind", "type": "string", "value": "server"},
                    {"key": "http.status_code", "type": "string", "value": "503"},
                    {"key": "error", "type": "string", "value": "true"},
                ],
                "logs": None,
            },
            {"traceID": "a", "spanID": "2", "operationName": "x", "processID": "p9", "references": None, "tags": None},
        ],
    }  # fmt: skip
    fall = waterfall(trace)
    by_name = {row.name: row for row in fall.rows}

    assert (by_name["ingress"].status, by_name["ingress"].error, by_name["ingress"].role) == (503, True, Role.SERVER)
    assert by_name["x"].service == "unknown"


def test_degraded_is_read_however_short() -> None:
    """A sender that says less is still shown."""
    assert gaps("") == ()
    assert gaps("a:timeout:stale, b") == (
        Gap(section="a", reason="timeout", source="stale"),
        Gap(section="b", reason="", source=""),
    )


def test_ticks_are_round_and_inside() -> None:
    """At most as many as asked for, from 0, evenly."""
    assert ticks_us(907_000, 6) == [0, 200_000, 400_000, 600_000, 800_000]
    assert ticks_us(21_400, 6) == [0, 5_000, 10_000, 15_000, 20_000]
    assert ticks_us(1, 6) == [0, 1]
    for scale in (3, 17, 999, 123_456, 10**9):
        ticks = ticks_us(scale, 6)
        assert len(ticks) <= 7
        assert ticks[-1] <= scale
        assert len({b - a for a, b in pairwise(ticks)}) == 1
