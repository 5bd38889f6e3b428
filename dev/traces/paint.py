"""Colour for the terminal: the sixteen that every theme has tuned. Without colour nothing is lost."""

from typing import Final

from dev.traces.bars import Glyphs
from dev.traces.rows import Role, Row
from dev.traces.waterfall import Waterfall

RED, YELLOW, MAGENTA, BOLD, FAINT = "31", "33", "35", "1", "2"
BACKENDS: Final = ("36", "34", "32", "96", "94", "92")


class Paint:
    """Wraps text in colour codes, or leaves it alone."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and text else text

    def strong(self, text: str) -> str:
        """Headline."""
        return self._in(BOLD, text)

    def faint(self, text: str) -> str:
        """Said, but not now."""
        return self._in(FAINT, text)

    def warn(self, text: str) -> str:
        """Worth a look."""
        return self._in(YELLOW, text)

    def bad(self, text: str) -> str:
        """Went wrong."""
        return self._in(RED, text)

    def name(self, row: Row, text: str) -> str:
        """A row's name."""
        return self._in(BOLD, text) if row.role is Role.SERVER else text

    def note(self, row: Row, text: str) -> str:
        """A row's note."""
        code = RED if row.error and not row.cancelled else YELLOW if row.degraded or row.cancelled else FAINT
        return self._in(code, text)

    def bar(self, row: Row, fall: Waterfall, text: str, glyphs: Glyphs) -> str:
        """A bar in its backend's colour, the deadline in its own."""
        code = _code(row, fall)
        parts = [self._in(code, part) if part.strip() else part for part in text.split(glyphs.deadline)]
        return self._in(MAGENTA, glyphs.deadline).join(parts)


def _code(row: Row, fall: Waterfall) -> str:
    if row.cancelled:
        return YELLOW
    if row.error:
        return RED
    if row.backend:
        return BACKENDS[fall.backends.index(row.backend) % len(BACKENDS)]
    return BOLD if row.role is Role.SERVER else FAINT
