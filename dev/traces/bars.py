"""Bars made of letters: what kind of span it is shows in the shape, so that colour is never the only sign."""

from dataclasses import dataclass
from typing import Final

from dev.traces.rows import Role, Row
from dev.traces.ticks import ticks_us
from dev.traces.waterfall import Waterfall

TICK_CELLS: Final = 9  # room for the longest number and some air


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """The letters of one character set."""

    unicode: bool
    server: str
    section: str
    attempt: str
    failed: str
    cancelled: str
    deadline: str
    dot: str
    more: str

    def sample(self) -> str:
        """Every letter, to try whether a stream can show them."""
        drawn = (self.server, self.section, self.attempt, self.failed, self.cancelled, self.deadline)
        return "".join((*drawn, self.dot, self.more))


UNICODE: Final = Glyphs(
    unicode=True, server="━", section="─", attempt="█", failed="▓", cancelled="░", deadline="┃", dot=" · ", more="…"
)
ASCII: Final = Glyphs(
    unicode=False, server="=", section="-", attempt="#", failed="x", cancelled="~", deadline="|", dot=", ", more="~"
)


def bar(row: Row, fall: Waterfall, width: int, glyphs: Glyphs) -> str:
    """Draw one row's bar, the deadline through it. Even the shortest span is one cell."""
    first = min(row.offset_us * width // fall.scale_us, width - 1)
    last = max(first + 1, min(width, round((row.offset_us + row.duration_us) * width / fall.scale_us)))
    cells = [" "] * first + [_letter(row, glyphs)] * (last - first) + [" "] * (width - last)
    place = deadline_cell(fall, width)
    if place is not None:
        cells[place] = glyphs.deadline
    return "".join(cells)


def _letter(row: Row, glyphs: Glyphs) -> str:
    if row.role in {Role.SECTION, Role.CALL, Role.INNER}:
        return glyphs.section
    if row.cancelled:
        return glyphs.cancelled
    if row.role is Role.SERVER:
        return glyphs.server
    return glyphs.failed if row.error else glyphs.attempt


def deadline_cell(fall: Waterfall, width: int) -> int | None:
    """Return the cell that the deadline falls into, or None when it is out of sight."""
    return min(fall.deadline_us * width // fall.scale_us, width - 1) if fall.deadline_in_sight else None


def axis(fall: Waterfall, width: int, glyphs: Glyphs) -> str:
    """Draw the scale: round milliseconds, and where the deadline is."""
    cells = [" "] * width
    place = deadline_cell(fall, width)
    if place is not None:
        words = f"deadline {glyphs.deadline}"
        _write(cells, max(0, place + 1 - len(words)), words if place + 1 >= len(words) else glyphs.deadline)
    for tick in ticks_us(fall.scale_us, max(1, width // TICK_CELLS)):
        _write(cells, tick * width // fall.scale_us, f"{tick / 1_000:,g}")
    return "".join(cells)


def _write(cells: list[str], at: int, text: str) -> None:
    """Write where there is room, with a blank on either side, or not at all."""
    end = at + len(text)
    if end <= len(cells) and not "".join(cells[max(0, at - 1) : end + 1]).strip():
        cells[at:end] = text
