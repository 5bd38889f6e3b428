"""The waterfall in a terminal: aligned columns name | bar | ms | note, the deadline as a line through the bars.

Strings from spans are made harmless first: a span's name must not move the cursor or colour the screen.
"""

import sys
from typing import Final

from dev.traces.bars import ASCII, UNICODE, Glyphs, axis, bar
from dev.traces.cells import clean, fit, width_of
from dev.traces.paint import Paint
from dev.traces.rows import Row
from dev.traces.tree import Json
from dev.traces.waterfall import Waterfall, waterfall
from dev.traces.words import deadline_words, gap_words, label, lost_words, marks, ms, warning_words

MIN_WIDTH: Final = 60
# Bars wider than this only make the eye travel.
MAX_BAR: Final = 100
MIN_BAR: Final = 20
MS_WIDTH: Final = 9  # 99,999.9
MAX_NAME: Final = 44
MAX_NOTE: Final = 30
# A screenful or five; the page shows them all.
MAX_ROWS: Final = 200


def render_trace(trace_json: Json, *, width: int, colour: bool, unicode: bool | None = None) -> str:
    """Draw a trace for ``width`` columns; ``unicode`` None asks the standard output what it can show."""
    glyphs = UNICODE if (_can_unicode() if unicode is None else unicode) else ASCII
    paint = Paint(colour=colour)
    fall = waterfall(trace_json)
    width = max(width, MIN_WIDTH)
    shown = fall.rows[:MAX_ROWS]
    notes = [clean(glyphs.dot.join(marks(row)), glyphs) for row in shown]
    names = [_indented(row, width, glyphs) for row in shown]
    note_width = min(max((width_of(one) for one in [*notes, "note"]), default=0), MAX_NOTE)
    room = width - MS_WIDTH - note_width - 3
    name_width = min(max((width_of(one) for one in names), default=0), MAX_NAME, room - max(MIN_BAR, room * 9 // 20))
    bar_width = min(room - name_width, MAX_BAR)
    lines = [*_header(fall, width, glyphs, paint), ""]
    lines.append(f"{'':{name_width}} {axis(fall, bar_width, glyphs)} {'ms':>{MS_WIDTH}} {'note'}")
    for row, name, note in zip(shown, names, notes, strict=True):
        drawn = paint.bar(row, fall, bar(row, fall, bar_width, glyphs), glyphs)
        numbers = f"{ms(row.duration_us):>{MS_WIDTH}}"
        said = paint.note(row, fit(note, note_width, glyphs).rstrip())
        lines.append(f"{paint.name(row, fit(name, name_width, glyphs))} {drawn} {numbers} {said}".rstrip())
    if len(fall.rows) > MAX_ROWS:
        lines.append(f"{glyphs.more} {len(fall.rows) - MAX_ROWS:,} more rows: the page shows them all")
    return "\n".join(lines) + "\n"


def _header(fall: Waterfall, width: int, glyphs: Glyphs, paint: Paint) -> list[str]:
    title = clean(f"{fall.service} {fall.name}" if fall.service not in fall.name else fall.name, glyphs)
    answer = f"{fall.status} " if fall.status else ""
    lines = [
        paint.strong(fit(title, width, glyphs).rstrip()),
        f"{answer}in {ms(fall.total_us)} ms{glyphs.dot}{deadline_words(fall)}",
    ]
    lines += [paint.bad(f"failed {clean(one, glyphs)}"[:width]) for one in lost_words(fall)]
    lines += [paint.warn(f"degraded {clean(gap_words(gap), glyphs)}"[:width]) for gap in fall.degraded]
    lines += [paint.warn(clean(one, glyphs)[:width]) for one in warning_words(fall)]
    lines.append(paint.faint(f"trace {clean(fall.trace_id, glyphs)}"))
    return lines


def _indented(row: Row, width: int, glyphs: Glyphs) -> str:
    step = 1 if width < 100 else 2  # noqa: PLR2004 - below 100 columns the bars need the room
    return " " * (step * min(row.depth, 10)) + clean(label(row), glyphs)


def _can_unicode() -> bool:
    try:
        UNICODE.sample().encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
