import io
import re
import sys

import pytest

from dev.traces.bars import UNICODE
from dev.traces.cells import fit, width_of
from dev.traces.terminal import render_trace
from tests.dev.traces.samples import TRACE_ID, dashboard, export, healthy, span
from tests.dev.traces.test_waterfall import jaeger

AT_80 = """\
edge GET /mobile/v1/dashboard
200 in 907.0 ms · deadline 900 ms, 0.6 ms to spare
degraded recentOrders: deadline, the default stands in
trace 4bf92f3577b34da6a3ce929d0e0e4736

                           0          deadline ┃        ms note
edge GET /mobile/{**rest}  ━━━━━━━━━━━━━━━━━━━━┃     907.0 200
 router mobile egress      ────────────────────┃     905.0 200
  mobile GET /mobile/v1/d… ━━━━━━━━━━━━━━━━━━━━┃     899.4 200 · degraded
   profile                 ─                   ┃      12.0
    GET users              █                   ┃      11.6 200
     users GET /api/inter… ━                   ┃       9.0 200
   recentOrders            ────────────────────┃     897.0 degraded: deadline
    GET orders #1          ▓▓▓▓▓▓▓▓▓           ┃     400.0 timeout · retried
    GET orders #2                    ░░░░░░░░░░┃     460.0 cancelled
   alerts                  ──                  ┃      90.0
    GET alerts #1          ▓                   ┃      30.0 503 faulted · retried
    GET alerts #2           █                  ┃      40.0 200
"""

ASCII_AT_80 = """\
edge GET /mobile/v1/dashboard
200 in 907.0 ms, deadline 900 ms, 0.6 ms to spare
degraded recentOrders: deadline, the default stands in
trace 4bf92f3577b34da6a3ce929d0e0e4736

                            0          deadline |        ms note
edge GET /mobile/{**rest}   ====================|     907.0 200
 router mobile egress       --------------------|     905.0 200
  mobile GET /mobile/v1/da~ ====================|     899.4 200, degraded
   profile                  -                   |      12.0
    GET users               #                   |      11.6 200
     users GET /api/intern~ =                   |       9.0 200
   recentOrders             --------------------|     897.0 degraded: deadline
    GET orders #1           xxxxxxxxx           |     400.0 timeout, retried
    GET orders #2                     ~~~~~~~~~~|     460.0 cancelled
   alerts                   --                  |      90.0
    GET alerts #1           x                   |      30.0 503 faulted, retried
    GET alerts #2            #                  |      40.0 200
"""


def test_a_degraded_dashboard_at_80_columns() -> None:
    """Golden: what ``dev trace`` shows on the smallest terminal."""
    assert render_trace(jaeger(dashboard()), width=80, colour=False, unicode=True) == AT_80


def test_the_same_in_ascii() -> None:
    """Nothing is lost where only ASCII can be shown."""
    assert render_trace(jaeger(dashboard()), width=80, colour=False, unicode=False) == ASCII_AT_80


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_the_stream_decides_when_nobody_says(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """A stream that cannot encode the bars gets ASCII."""
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))

    drawn = render_trace(jaeger(dashboard()), width=80, colour=False)

    assert drawn == (AT_80 if encoding == "utf-8" else ASCII_AT_80)


@pytest.mark.parametrize("width", [20, 60, 80, 100, 132, 400])
@pytest.mark.parametrize("colour", [False, True])
def test_no_line_is_wider_than_the_terminal(width: int, colour: bool) -> None:
    """And colour moves nothing: without its codes the picture is the same."""
    plain = render_trace(jaeger(dashboard()), width=width, colour=False, unicode=True)
    drawn = render_trace(jaeger(dashboard()), width=width, colour=colour, unicode=True)

    assert re.sub(r"\x1b\[[0-9;]*m", "", drawn) == plain
    assert max(width_of(line) for line in plain.splitlines()) <= max(width, 60)
    assert ("\x1b[" in drawn) is colour


def test_the_deadline_is_one_line_from_top_to_bottom() -> None:
    """The same column in the scale and in every row, at its place in time."""
    lines = render_trace(jaeger(dashboard()), width=120, colour=False, unicode=True).splitlines()[5:]

    [column] = {line.index("┃") for line in lines}
    first, last = lines[1].index("━"), lines[1].index("┃")
    assert len(lines) == 13
    assert column == last
    assert first < column


def test_a_deadline_out_of_sight_is_told_not_drawn() -> None:
    """The bars keep their room."""
    drawn = render_trace(jaeger(healthy(TRACE_ID, 0)), width=80, colour=False, unicode=True)

    assert "┃" not in drawn
    assert "deadline 900 ms, 878.6 ms to spare" in drawn


def test_a_spans_name_cannot_command_the_terminal() -> None:
    """Escape codes, line breaks and turned reading direction come out as question marks."""
    evil = "\x1b[2J\x1b]0;owned\x07\r\nGET \u202egnp.exe\u2028\x9b31m"
    drawn = render_trace(
        jaeger(export(mobile=[span(1, 0, evil, 0, 5, "client")])), width=100, colour=False, unicode=True
    )

    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]", drawn)
    assert "?[2J?]0;owned???GET ?gnp.exe??31m" in drawn


def test_wide_letters_and_marks_keep_the_columns() -> None:
    """Two cells for a Chinese letter, none for a combining accent, and a cut never splits one."""
    assert fit("订单服务", 8, UNICODE) == "订单服务"
    assert fit("订单服务", 6, UNICODE) == "订单… "
    assert fit("cafe\u0301", 6, UNICODE) == "cafe\u0301  "


def test_a_very_long_trace_is_cut_with_a_word() -> None:
    """The terminal shows the first rows, the page all of them."""
    spans = [span(1, 0, "GET /x", 0, 999, "server")]
    spans += [span(number, 1, "x", number, 1, "internal") for number in range(2, 1_001)]
    drawn = render_trace(jaeger(export(mobile=spans)), width=80, colour=False, unicode=True)

    assert drawn.splitlines()[-1] == "… 800 more rows: the page shows them all"
    assert len(drawn.splitlines()) < 220


def test_an_empty_trace_can_be_drawn() -> None:
    """A trace whose spans are all gone."""
    drawn = render_trace({"traceID": TRACE_ID, "spans": [], "processes": {}}, width=80, colour=True, unicode=True)

    assert TRACE_ID in drawn
